"""What one plan of a DaemonSet looks at: which nodes are eligible, and the pods of each.

Rule: a node is eligible when selector, affinity and taints allow; a pod that is there may stay as long as no taint with
NoExecute forbids it, though a new one would not come (NodeShouldRunDaemonPod).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from pybernetes.controllers import history, nodefit, pods
from pybernetes.controllers.daemonset import daemonpod
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


@dataclass(frozen=True)
class View:
    """``nodes`` are all there are, ``pods`` those of the DaemonSet; ``hash`` marks those of the present template."""

    owner: Obj
    hash: str
    nodes: Sequence[Obj]
    pods: Sequence[Obj]
    now: float

    @cached_property
    def known(self) -> set[str]:
        """Names of all nodes."""
        return set(map(objects.name, self.nodes))

    @cached_property
    def eligible(self) -> set[str]:
        """Names of nodes that shall have a pod."""
        tolerations = daemonpod.tolerations(self._template)
        effects = (nodefit.NO_SCHEDULE, nodefit.NO_EXECUTE)
        return {objects.name(n) for n in self._selected if nodefit.tolerates(tolerations, n, effects)}

    @cached_property
    def allowed(self) -> set[str]:
        """Names of nodes that may keep a pod."""
        tolerations = daemonpod.tolerations(self._template)
        return {objects.name(n) for n in self._selected if nodefit.tolerates(tolerations, n, (nodefit.NO_EXECUTE,))}

    @cached_property
    def _selected(self) -> Sequence[Obj]:
        wanted = self._template.get("nodeName")
        return [
            node
            for node in self.nodes
            if wanted in (None, "", objects.name(node)) and nodefit.selects(self._template, node)
        ]

    @property
    def _template(self) -> Obj:
        return objects.get(self.owner, "spec", "template", "spec", default={})  # type: ignore[no-any-return]

    @cached_property
    def by_node(self) -> dict[str, list[Obj]]:
        """Node → its pods, the eldest first; under an empty name those that are meant for none."""
        found: dict[str, list[Obj]] = {}
        for pod in sorted(self.pods, key=_by_age):
            found.setdefault(daemonpod.node_of(pod), []).append(pod)
        return found

    def on(self, node: str) -> Sequence[Obj]:
        return self.by_node.get(node, ())

    def is_new(self, pod: Obj) -> bool:
        """Is the pod of the template as it is now?"""
        return objects.labels(pod).get(history.HASH) == self.hash

    def is_available(self, pod: Obj) -> bool:
        return not objects.is_deleting(pod) and pods.is_available(pod, self.min_ready_seconds, self.now)

    @property
    def min_ready_seconds(self) -> int:
        return int(objects.get(self.owner, "spec", "minReadySeconds", default=0))

    @property
    def is_rolling(self) -> bool:
        kind = objects.get(self.owner, "spec", "updateStrategy", "type", default="RollingUpdate")
        return bool(kind == "RollingUpdate")

    @cached_property
    def max_surge(self) -> int:
        """How many nodes may have a new pod beside the old one."""
        return self._amount("maxSurge", 0) if self.is_rolling else 0

    @cached_property
    def max_unavailable(self) -> int:
        """How many nodes may be without an available pod."""
        return self._amount("maxUnavailable", 1) or (0 if self.max_surge else 1)

    def _amount(self, field: str, default: int) -> int:
        told: int | str = objects.get(
            self.owner, "spec", "updateStrategy", "rollingUpdate", field, default=default
        )  # fmt: skip
        if isinstance(told, str):
            return math.ceil(int(told.removesuffix("%")) * len(self.eligible) / 100)
        return told


def _by_age(pod: Obj) -> tuple[str, str]:
    return objects.meta(pod).get("creationTimestamp") or "~", objects.name(pod)


def living(found: Iterable[Obj]) -> list[Obj]:
    return [pod for pod in found if not objects.is_deleting(pod)]
