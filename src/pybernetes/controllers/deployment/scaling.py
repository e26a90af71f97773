"""A changed size, spread over the ReplicaSets of a rollout in proportion to theirs (deployment/sync.go, scale)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pybernetes.controllers.deployment import amounts, revision
from pybernetes.controllers.deployment.draft import Draft
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def is_scaling(draft: Draft) -> bool:
    """Has the Deployment's size changed since its ReplicaSets were last sized?"""
    noted = (_note(each, revision.DESIRED) for each in draft.all if amounts.replicas(each))
    return any(note is not None and note != amounts.replicas(draft.deployment) for note in noted)


def scale(draft: Draft) -> None:
    """One active ReplicaSet gets the whole size; a complete rollout loses its old pods; else it is shared out."""
    wanted = amounts.replicas(draft.deployment)
    lone = _active_or_latest(draft)
    if lone is not None:
        draft.put(revision.sized(draft.deployment, lone, wanted))
    elif _is_saturated(draft):
        for each in draft.old:
            draft.scale(each, 0)
    elif amounts.is_rolling(draft.deployment):
        _share(draft)


def _share(draft: Draft) -> None:
    allowed = amounts.max_replicas(draft.deployment) if amounts.replicas(draft.deployment) else 0
    active = [each for each in draft.all if amounts.replicas(each)]
    missing = allowed - amounts.total(active)
    for each, size in _sizes(draft.deployment, _by_size(active, newest_first=missing > 0), missing):
        draft.put(revision.sized(draft.deployment, each, size))


def _sizes(deployment: Obj, active: Sequence[Obj], missing: int) -> Sequence[tuple[Obj, int]]:
    """Every ReplicaSet's new size; what rounding leaves over goes to the first."""
    left, sizes = missing, []
    for each in active:
        part = _part(deployment, each, left) if left else 0
        left -= part
        sizes.append(amounts.replicas(each) + part)
    if sizes and missing:
        sizes[0] = max(0, sizes[0] + left)
    return list(zip(active, sizes, strict=True))


def _part(deployment: Obj, each: Obj, left: int) -> int:
    fraction = _fraction(deployment, each)
    return min(fraction, left) if left > 0 else max(fraction, left)


def _fraction(deployment: Obj, each: Obj) -> int:
    """How much a ReplicaSet grows when it keeps its share of what the Deployment may have at most."""
    size = amounts.replicas(each)
    if amounts.replicas(deployment) == 0:
        return -size
    before = _note(each, revision.MAX) or objects.get(deployment, "status", "replicas", default=0)
    if not before:
        return 0
    return math.floor(size * amounts.max_replicas(deployment) / before + 0.5) - size


def _by_size(sets: Sequence[Obj], *, newest_first: bool) -> list[Obj]:
    by_age = sorted(sets, key=revision.by_age, reverse=newest_first)
    return sorted(by_age, key=amounts.replicas, reverse=True)


def _active_or_latest(draft: Draft) -> Obj | None:
    """The one active ReplicaSet; where none is, the new one or the youngest; None when several are active."""
    active = [each for each in draft.all if amounts.replicas(each)]
    if len(active) > 1 or not draft.all:
        return None
    return active[0] if active else draft.all[-1]


def _is_saturated(draft: Draft) -> bool:
    """Does the new ReplicaSet have all the pods that are wanted, available?"""
    wanted, new = amounts.replicas(draft.deployment), draft.new
    if new is None or _note(new, revision.DESIRED) != wanted:
        return False
    return amounts.replicas(new) == wanted == amounts.told([new], "availableReplicas")


def _note(each: Obj, key: str) -> int | None:
    return revision.integer(objects.annotations(each).get(key))
