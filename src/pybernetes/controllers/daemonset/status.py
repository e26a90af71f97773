"""A DaemonSet's status (daemon_controller.updateDaemonSetStatus): of several pods of a node the eldest is told of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Update
from pybernetes.controllers import pods, statuses
from pybernetes.controllers.daemonset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_ALWAYS: Final = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")


def write(view: View, collisions: int | None) -> Iterable[Update]:
    told = of(view, collisions)
    before = view.owner.get("status")
    if statuses.differs(before, told) or not before:
        yield Update("daemonsets.apps", {**view.owner, "status": told}, subresource="status")


def of(view: View, collisions: int | None) -> Obj:
    first = [view.on(name)[0] for name in view.eligible if view.on(name)]
    available = sum(map(view.is_available, first))
    status = {
        "observedGeneration": objects.meta(view.owner).get("generation", 0),
        "desiredNumberScheduled": len(view.eligible),
        "currentNumberScheduled": len(first),
        "numberMisscheduled": sum(bool(view.on(name)) for name in view.known - view.eligible),
        "numberReady": sum(map(pods.is_ready, first)),
        "updatedNumberScheduled": sum(map(view.is_new, first)),
        "numberAvailable": available,
        "numberUnavailable": len(view.eligible) - available,
        "collisionCount": collisions,
        "conditions": objects.get(view.owner, "status", "conditions", default=[]),
    }
    return statuses.compact(status, _ALWAYS)
