"""A StatefulSet's status: how many pods there are of which revision, and which revision was rolled out last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Update
from pybernetes.controllers import history, statuses
from pybernetes.controllers.statefulset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_ALWAYS: Final = ("replicas", "availableReplicas", "collisionCount")


def write(view: View, collisions: int | None) -> Iterable[Update]:
    told = of(view, collisions)
    before = view.owner.get("status")
    if statuses.differs(before, told) or not before:
        yield Update("statefulsets.apps", {**view.owner, "status": told}, subresource="status")


def of(view: View, collisions: int | None) -> Obj:
    current, update = objects.name(view.current), objects.name(view.update)
    staying = [objects.labels(pod).get(history.HASH) for pod in view.pods if not objects.is_deleting(pod)]
    status = {
        "observedGeneration": objects.meta(view.owner).get("generation", 0),
        "replicas": len(view.pods),
        "readyReplicas": sum(map(view.is_ready, view.pods)),
        "availableReplicas": sum(map(view.is_available, view.pods)),
        "currentReplicas": staying.count(current),
        "updatedReplicas": staying.count(update),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": collisions or 0,
        "conditions": objects.get(view.owner, "status", "conditions", default=[]),
    }
    if view.is_rolling and _is_complete(view, status):
        status |= {"currentRevision": update, "currentReplicas": status["updatedReplicas"]}
    return statuses.compact(status, _ALWAYS)


def _is_complete(view: View, status: Obj) -> bool:
    return all(status[field] == view.replicas for field in ("replicas", "readyReplicas", "updatedReplicas"))
