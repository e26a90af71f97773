"""Every ended pod is counted exactly once, whatever is lost in between.

Rule 1: a pod bears a finalizer until it is counted, so it cannot vanish before. Its uid is written into
        ``uncountedTerminatedPods`` first; then the finalizer goes; and when it is seen to be gone, the uid leaves the
        list and the counter grows, in one write.
Rule 2: of an Indexed Job successes need no list: an index that is completed is not completed again.
Rule 3: a pod that the controller itself removes loses its finalizer first: it does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.control.actions import Patch
from pybernetes.controllers import pods
from pybernetes.controllers.job import policies
from pybernetes.controllers.job.view import FINALIZER, View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

UNCOUNTED_MAX: Final = 500
"""Most uids that the status lists."""


@dataclass(frozen=True, slots=True)
class Tally:
    """``succeeded`` and ``failed`` are counted; the two lists of uids are on their way to be."""

    succeeded: int
    failed: int
    new_succeeded: Sequence[str]
    new_failed: Sequence[str]
    completed: set[int]
    """Completed indexes of an Indexed Job."""
    released: Sequence[Obj]
    """Pods whose finalizer goes as soon as all this is written."""

    @property
    def all_succeeded(self) -> int:
        return self.succeeded + len(self.new_succeeded)

    @property
    def all_failed(self) -> int:
        return self.failed + len(self.new_failed)

    @property
    def uncounted(self) -> Obj:
        """``status.uncountedTerminatedPods``."""
        lists = {"succeeded": [*self.new_succeeded], "failed": [*self.new_failed]}
        return {field: uids for field, uids in lists.items() if uids}


def tally(view: View, kept: Collection[str]) -> Tally:
    """Count; pods whose uids are ``kept`` are left for later."""
    held = {objects.uid(pod): pod for pod in view.tracked}
    listed = view.status.get("uncountedTerminatedPods") or {}
    succeeded, failed = (
        [uid for uid in listed.get(field) or () if uid in held] for field in ("succeeded", "failed")
    )  # fmt: skip
    counted = [
        (view.status.get(field) or 0) + len(listed.get(field) or ()) - len(still)
        for field, still in (("succeeded", succeeded), ("failed", failed))
    ]
    completed = view.told_indexes("completedIndexes") if view.is_indexed else set()
    released = []
    for uid, pod in held.items():
        if uid in kept or not _may_go(view, pod):
            continue
        if len(succeeded) + len(failed) >= UNCOUNTED_MAX and uid not in succeeded and uid not in failed:
            continue
        _enter(view, pod, succeeded, failed, completed)
        released.append(pod)
    if view.is_indexed:
        counted[0] = len(completed)
    return Tally(counted[0], counted[1], succeeded, failed, completed, released)


def _may_go(view: View, pod: Obj) -> bool:
    return objects.is_deleting(view.job) or pods.phase(pod) == "Succeeded" or view.has_failed(pod)


def _enter(view: View, pod: Obj, succeeded: list[str], failed: list[str], completed: set[int]) -> None:
    uid, index = objects.uid(pod), view.index(pod)
    if uid in succeeded or uid in failed or (view.is_indexed and index is None):
        return
    if pods.phase(pod) == "Succeeded":
        if index is not None and view.is_indexed:
            completed.add(index)
        else:
            succeeded.append(uid)
    elif view.has_failed(pod) and policies.judge(view.job, pod).action != "Ignore":
        failed.append(uid)


def release(pod: Obj) -> Patch:
    """Take the finalizer from a pod."""
    metadata = {"uid": objects.uid(pod), "$deleteFromPrimitiveList/finalizers": [FINALIZER]}
    return Patch(
        "pods", objects.namespace(pod), objects.name(pod), {"metadata": metadata}, kind="strategic", ok_if_missing=True
    )
