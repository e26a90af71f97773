"""RollingUpdate: old pods go one after the other, the highest ordinal first, down to the partition.

Rule 1: the next goes when all above it are of the new template and healthy; whether it is healthy itself is no matter.
        A new pod that never becomes so stops the rollout, in an ordered set even after a change back: then the user
        must delete it.
Rule 2: where ``maxUnavailable`` is more than one, healthy pods go while fewer than that many of the row are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybernetes.control.actions import Delete
from pybernetes.controllers.statefulset import placing
from pybernetes.controllers.statefulset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def roll(view: View) -> Iterable[Delete]:
    row = [view.by_ordinal.get(ordinal) for ordinal in view.ordinals]
    gone = _next(view, row) if view.max_unavailable == 1 else _several(view, row)
    return (placing.delete(view.owner, pod) for pod in gone)


def _next(view: View, row: Sequence[Obj | None]) -> Iterable[Obj]:
    for pod in reversed(row[view.partition :]):
        if pod is not None and _is_old(view, pod):
            yield pod
            return
        if not view.is_healthy(pod):
            return


def _several(view: View, row: Sequence[Obj | None]) -> Iterable[Obj]:
    room = view.max_unavailable - sum(not view.is_healthy(pod) for pod in row)
    for pod in reversed(row[view.partition :]):
        if pod is None or not _is_old(view, pod):
            continue
        if view.is_healthy(pod):
            if room <= 0:
                continue
            room -= 1
        yield pod


def _is_old(view: View, pod: Obj) -> bool:
    return not view.is_updated(pod) and not objects.is_deleting(pod)
