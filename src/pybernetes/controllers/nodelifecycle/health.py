"""Is a node alive? (nodelifecycle.tryUpdateNodeHealth)

Rule: a node lives as long as its Lease is renewed or its status is posted. When neither has happened for
``GRACE_SECONDS``, nobody knows how it is: what it said of itself becomes Unknown. Only the node takes that back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

GRACE_SECONDS: Final = 40.0
STARTUP_GRACE_SECONDS: Final = 60.0
"""For a node that has never said anything."""
READY: Final = "Ready"
_JUDGED: Final = (READY, "MemoryPressure", "DiskPressure", "PIDPressure")


def is_ready(node: Obj) -> bool:
    return objects.condition_is(node, READY)


def readiness(node: Obj) -> str:
    """``True``, ``False``, ``Unknown``; empty where the node has never told."""
    return str((objects.condition(node, READY) or {}).get("status", ""))


def lost_since(node: Obj) -> float | None:
    """Since when (Unix seconds) the node is not ready; None for one that is, or has never told."""
    found = objects.condition(node, READY) or {}
    at = found.get("lastTransitionTime")
    return times.parse(at) if at and found.get("status") != "True" else None


def silent_in(node: Obj, lease: Obj | None, started: float, now: float) -> float:
    """Seconds until the node counts as silent; 0 when it does. ``started`` is when anybody began to listen."""
    ready = objects.condition(node, READY)
    grace = STARTUP_GRACE_SECONDS if ready is None else GRACE_SECONDS
    told = [
        objects.meta(node).get("creationTimestamp"),
        (ready or {}).get("lastHeartbeatTime"),
        objects.get(lease, "spec", "renewTime"),
    ]
    heard = max([started, *(times.parse(text) for text in told if text)])
    return max(0.0, heard + grace - now)


def silenced(node: Obj, now: float) -> list[Obj]:
    """The conditions that have to change because nobody hears the node; none where all are Unknown already."""
    return list(_silenced(node, times.render(now)))


def _silenced(node: Obj, at: str) -> Iterable[Obj]:
    for kind in _JUDGED:
        found = objects.condition(node, kind)
        if found is None:
            created = objects.meta(node).get("creationTimestamp")
            yield {
                "type": kind, "status": "Unknown", "reason": "NodeStatusNeverUpdated",
                "message": "Kubelet never posted node status.", "lastHeartbeatTime": created, "lastTransitionTime": at,
            }  # fmt: skip
        elif found.get("status") != "Unknown":
            yield {
                **found, "status": "Unknown", "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.", "lastTransitionTime": at,
            }  # fmt: skip
