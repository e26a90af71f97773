"""RollingUpdate: the new ReplicaSet grows as surge allows, the old ones shrink as availability allows.

Rule: the two bounds hold for pods and not only for sizes. So a ReplicaSet that has yet to act on its last size counts
with all it may still have where pods are added, and with no more than it will keep where pods are taken away.
"""

from __future__ import annotations

from collections.abc import Callable

from pybernetes.controllers.deployment import amounts
from pybernetes.controllers.deployment.draft import Draft
from pybernetes.meta.objects import Obj


def roll(draft: Draft) -> bool:
    """One step up, or else one step down; False when neither is possible now."""
    return _grow(draft) or _shrink(draft)


def size_of_new(draft: Draft, new: Obj) -> int:
    """The size that the new ReplicaSet may have now (NewRSNewReplicas)."""
    wanted, size = amounts.replicas(draft.deployment), amounts.replicas(new)
    if not amounts.is_rolling(draft.deployment):
        return wanted
    if not all(map(amounts.is_observed, draft.old)):
        return size
    room = amounts.max_replicas(draft.deployment) - amounts.held(draft.old) - size
    return size + min(room, wanted - size) if room > 0 else size


def _grow(draft: Draft) -> bool:
    new = draft.new
    if new is None:
        return False
    wanted = amounts.replicas(draft.deployment)
    return draft.scale(new, wanted if amounts.replicas(new) > wanted else size_of_new(draft, new))


def _shrink(draft: Draft) -> bool:
    if not amounts.total(draft.old):
        return False
    coming = _unavailable(draft.new) if draft.new is not None else 0
    spare = amounts.total(draft.all) - amounts.min_available(draft.deployment) - coming
    if spare <= 0:
        return False
    cleaned = _drop_unhealthy(draft, spare)
    return _drop_healthy(draft) or cleaned


def _drop_unhealthy(draft: Draft, spare: int) -> bool:
    """Old pods that are not available go first: they are of no use to anybody."""
    return _drop(draft, spare, _unavailable)


def _drop_healthy(draft: Draft) -> bool:
    return _drop(draft, amounts.kept(draft.all) - amounts.min_available(draft.deployment), amounts.replicas)


def _drop(draft: Draft, most: int, droppable: Callable[[Obj], int]) -> bool:
    """Take up to ``most`` pods from the old ReplicaSets, the eldest first."""
    left = most
    for each in draft.old:
        count = min(left, droppable(each))
        if count > 0:
            draft.scale(each, amounts.replicas(each) - count)
            left -= count
    return left < most


def _unavailable(each: Obj) -> int:
    return amounts.replicas(each) - amounts.told([each], "availableReplicas")
