"""What controllers ask about pods: active, ready, available, and since when.

Rule: availability is readiness that has lasted ``minReadySeconds``; it comes with time, so whoever asks for it also
asks ``available_in`` when to look again.
Neighbours: every workload's plan; ``endpointslice.py`` for readiness.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.control.controller import Snapshot
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

FINISHED = ("Succeeded", "Failed")


def phase(pod: Obj) -> str:
    return str(objects.get(pod, "status", "phase", default=""))


def node(pod: Obj) -> str:
    return str(objects.get(pod, "spec", "nodeName", default=""))


def on_node(snapshot: Snapshot, name: str) -> list[Obj]:
    """All pods that are bound to a node."""
    return [pod for pod in snapshot.list("pods") if node(pod) == name]


def is_active(pod: Obj) -> bool:
    """Neither finished nor on its way out (controller.IsPodActive)."""
    return phase(pod) not in FINISHED and not objects.is_deleting(pod)


def is_terminating(pod: Obj) -> bool:
    """On its way out, with containers that may still run (controller.IsPodTerminating)."""
    return phase(pod) not in FINISHED and objects.is_deleting(pod)


def is_ready(pod: Obj) -> bool:
    return objects.condition_is(pod, "Ready")


def ready_since(pod: Obj) -> float | None:
    """When the pod became ready; None while it is not."""
    found = objects.condition(pod, "Ready")
    if found is None or found.get("status") != "True" or not found.get("lastTransitionTime"):
        return None
    return times.parse(found["lastTransitionTime"])


def available_in(pod: Obj, min_ready_seconds: int, now: float) -> float | None:
    """Seconds until the pod counts as available: 0 when it does, None while it is not ready."""
    if not is_ready(pod):
        return None
    if min_ready_seconds == 0:
        return 0
    since = ready_since(pod)
    return None if since is None else max(0.0, since + min_ready_seconds - now)


def is_available(pod: Obj, min_ready_seconds: int, now: float) -> bool:
    return available_in(pod, min_ready_seconds, now) == 0


def next_available(pods: Iterable[Obj], min_ready_seconds: int, now: float) -> float | None:
    """Seconds until the next ready pod becomes available; None when none will by waiting alone."""
    waits = (available_in(pod, min_ready_seconds, now) for pod in pods)
    return min((wait for wait in waits if wait), default=None)


def restarts(pod: Obj) -> int:
    """The most restarts of one container, sidecars included."""
    statuses = [
        *objects.get(pod, "status", "containerStatuses", default=[]),
        *objects.get(pod, "status", "initContainerStatuses", default=[]),
    ]
    return max((status.get("restartCount", 0) for status in statuses), default=0)


def ended_at(pod: Obj) -> float:
    """When a pod ended: its last container, or else what else tells of it (job.getFinishedTime)."""
    statuses = objects.get(pod, "status", "containerStatuses", default=[])
    ends = [objects.get(status, "state", "terminated", "finishedAt") for status in statuses]
    ready = objects.condition(pod, "Ready") or {}
    told = [
        max(filter(None, ends), default=None),
        ready.get("lastTransitionTime") if ready.get("status") == "False" else None,
        objects.meta(pod).get("deletionTimestamp"),
        objects.meta(pod).get("creationTimestamp"),
    ]
    return next((times.parse(text) for text in told if text), 0.0)
