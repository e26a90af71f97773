"""What one plan of a Job looks at: the Job, its pods, and how these are to be taken.

Rule: a pod has failed when its phase says so, or when it is being deleted: at once, or, where pods are replaced only
when they have failed (``podReplacementPolicy: Failed``), when its node is done with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pybernetes.controllers import pods
from pybernetes.controllers.job import indexes
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

FINALIZER: Final = "batch.kubernetes.io/job-tracking"
"""On every pod that has yet to be counted."""


@dataclass(frozen=True)
class View:
    """``pods`` are all that the Job owns; ``now`` is Unix seconds."""

    job: Obj
    pods: Sequence[Obj]
    now: float

    @property
    def spec(self) -> Obj:
        spec: Obj = self.job["spec"]
        return spec

    @property
    def status(self) -> Obj:
        return self.job.get("status") or {}

    @property
    def completions(self) -> int | None:
        return self.spec.get("completions")

    @property
    def parallelism(self) -> int:
        wanted = self.spec.get("parallelism")
        return 1 if wanted is None else int(wanted)

    @property
    def is_suspended(self) -> bool:
        return bool(self.spec.get("suspend"))

    @property
    def is_indexed(self) -> bool:
        return self.spec.get("completionMode") == "Indexed"

    @property
    def limit_per_index(self) -> int | None:
        return self.spec.get("backoffLimitPerIndex") if self.is_indexed else None

    @property
    def replaces_only_failed(self) -> bool:
        return self.spec.get("podReplacementPolicy") == "Failed"

    @cached_property
    def active(self) -> Sequence[Obj]:
        return [pod for pod in self.pods if pods.is_active(pod)]

    @cached_property
    def terminating(self) -> Sequence[Obj]:
        return [pod for pod in self.pods if pods.is_terminating(pod) and not is_over(pod)]

    @cached_property
    def tracked(self) -> Sequence[Obj]:
        """Pods that were not counted for good."""
        return [pod for pod in self.pods if is_tracked(pod)]

    def has_failed(self, pod: Obj) -> bool:
        if pods.phase(pod) in pods.FINISHED:
            return pods.phase(pod) == "Failed"
        return objects.is_deleting(pod) and (is_over(pod) or not self.replaces_only_failed)

    def index(self, pod: Obj) -> int | None:
        """The pod's index, if the Job has such a one."""
        found = indexes.of(pod)
        return found if found is not None and found < (self.completions or 0) else None

    def told_indexes(self, field: str) -> set[int]:
        """Indexes that a field of the status tells."""
        text: Any = self.status.get(field) or ""
        return indexes.parse(text, self.completions or 0)


def is_tracked(pod: Obj) -> bool:
    return FINALIZER in objects.finalizers(pod)


def is_over(pod: Obj) -> bool:
    """Is the pod deleted for good, so that only finalizers hold it?"""
    return objects.is_deleting(pod) and objects.meta(pod).get("deletionGracePeriodSeconds") == 0
