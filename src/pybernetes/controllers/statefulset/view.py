"""What one plan of a StatefulSet looks at: the row of ordinals, the pods in it, and those beyond it.

Rule: a pod is healthy when it runs, is ready and is not on its way out. In an ordered set all wait for the first that
is not, in a parallel one nobody waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pybernetes.controllers import history, pods
from pybernetes.controllers.statefulset import identity
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


@dataclass(frozen=True)
class View:
    """``current`` is the revision that was rolled out last, ``update`` the one of the template as it is now.

    ``pods`` are those of the set; ``claim`` tells a claim of the set's namespace by its name.
    """

    owner: Obj
    current: Obj
    update: Obj
    pods: Sequence[Obj]
    claim: Callable[[str], Obj | None]
    now: float

    # ── the row ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def replicas(self) -> int:
        return int(objects.get(self.owner, "spec", "replicas", default=1))

    @property
    def ordinals(self) -> range:
        start = int(objects.get(self.owner, "spec", "ordinals", "start", default=0))
        return range(start, start + self.replicas)

    @cached_property
    def by_ordinal(self) -> dict[int, Obj]:
        return {identity.ordinal(pod): pod for pod in self.pods}

    @cached_property
    def condemned(self) -> Sequence[Obj]:
        """Pods beyond the row, the highest ordinal first."""
        beyond = (pod for ordinal, pod in self.by_ordinal.items() if ordinal not in self.ordinals)
        return sorted(beyond, key=identity.ordinal, reverse=True)

    @property
    def is_ordered(self) -> bool:
        policy = objects.get(self.owner, "spec", "podManagementPolicy", default="OrderedReady")
        return bool(policy == "OrderedReady")

    @property
    def claim_templates(self) -> Sequence[Obj]:
        return objects.get(self.owner, "spec", "volumeClaimTemplates", default=[])  # type: ignore[no-any-return]

    # ── pods ─────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def min_ready_seconds(self) -> int:
        return int(objects.get(self.owner, "spec", "minReadySeconds", default=0))

    def is_ready(self, pod: Obj) -> bool:
        return pods.phase(pod) == "Running" and pods.is_ready(pod)

    def is_available(self, pod: Obj) -> bool:
        return self.is_ready(pod) and pods.is_available(pod, self.min_ready_seconds, self.now)

    def is_healthy(self, pod: Obj | None) -> bool:
        return pod is not None and self.is_ready(pod) and not objects.is_deleting(pod)

    @cached_property
    def first_unhealthy(self) -> str:
        """The name of the lowest pod of the row, and else of those beyond it, that is missing or not healthy."""
        for ordinal in self.ordinals:
            if not self.is_healthy(self.by_ordinal.get(ordinal)):
                return identity.name(self.owner, ordinal)
        return next((objects.name(pod) for pod in reversed(self.condemned) if not self.is_healthy(pod)), "")

    # ── revisions ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def is_rolling(self) -> bool:
        kind = objects.get(self.owner, "spec", "updateStrategy", "type", default="RollingUpdate")
        return bool(kind == "RollingUpdate")

    @property
    def partition(self) -> int:
        """So many of the first pods keep the current revision."""
        return int(objects.get(self.owner, "spec", "updateStrategy", "rollingUpdate", "partition", default=0))

    @property
    def max_unavailable(self) -> int:
        told: int | str = objects.get(
            self.owner, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable", default=1
        )  # fmt: skip
        if isinstance(told, str):
            told = math.floor(int(told.removesuffix("%")) * self.replicas / 100)
        return max(1, told)

    def revision_of(self, ordinal: int) -> Obj:
        """The revision of which a new pod of the ordinal is made."""
        kept = self.is_rolling and ordinal - self.ordinals.start < self.partition
        return self.current if kept else self.update

    def is_updated(self, pod: Obj) -> bool:
        return objects.labels(pod).get(history.HASH) == objects.name(self.update)
