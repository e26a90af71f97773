"""What a node's conditions mean for pods, as taints (nodelifecycle.doNoScheduleTaintingPass, markNodeForTainting).

Rule 1: a condition keeps new pods away (NoSchedule); a node that is not ready or not reached also loses its pods
        (NoExecute), unless no node at all is ready: then it is we who hear nothing, and pods stay where they are.
Rule 2: taints of others stay as they are, but that each NoExecute is dated, since evictions count from its date.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.controllers.nodelifecycle import health
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_OF_READINESS: Final = {"": NOT_READY, "False": NOT_READY, "Unknown": UNREACHABLE}
_OF_PRESSURE: Final = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}
_OURS: Final = {
    "NoSchedule": frozenset((NOT_READY, UNREACHABLE, UNSCHEDULABLE, *_OF_PRESSURE.values())),
    "NoExecute": frozenset((NOT_READY, UNREACHABLE)),
}


def due(node: Obj, somebody_is_ready: bool, now: float) -> list[Obj]:
    """The taints that the node should have; equal to those it has where nothing is to do."""
    at = times.render(now)
    wanted = set(_wanted(node, somebody_is_ready))
    kept = [_dated(taint, at) for taint in _taints(node) if not _is_ours(taint) or _sort(taint) in wanted]
    missing = sorted(wanted - {_sort(taint) for taint in kept})
    return kept + [{"key": key, "effect": effect, "timeAdded": at} for effect, key in missing]


def _wanted(node: Obj, somebody_is_ready: bool) -> Iterable[tuple[str, str]]:
    """(effect, key) of every taint that follows from the node itself."""
    readiness = health.readiness(node)
    if readiness in _OF_READINESS:
        yield "NoSchedule", _OF_READINESS[readiness]
        if readiness and somebody_is_ready:
            yield "NoExecute", _OF_READINESS[readiness]
    for kind, key in _OF_PRESSURE.items():
        if objects.condition_is(node, kind):
            yield "NoSchedule", key
    if objects.get(node, "spec", "unschedulable"):
        yield "NoSchedule", UNSCHEDULABLE


def _taints(node: Obj) -> list[Obj]:
    found: list[Obj] = objects.get(node, "spec", "taints", default=[])
    return found


def _sort(taint: Obj) -> tuple[str, str]:
    return taint.get("effect", ""), taint.get("key", "")


def _is_ours(taint: Obj) -> bool:
    return taint.get("key") in _OURS.get(taint.get("effect", ""), ())


def _dated(taint: Obj, at: str) -> Obj:
    undated = taint.get("effect") == "NoExecute" and not taint.get("timeAdded")
    return {**taint, "timeAdded": at} if undated else taint
