"""When a pod, or a container of it, is over: by its restart policy, by its deadline, by its deletion. Pure.

Neighbours: ``podplan.py`` and ``containerplan.py`` decide by it, ``podstatus.py`` and ``containerstatus.py`` tell by
it.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, restart
from pybernetes.node.podactions import Observed
from pybernetes.node.podnotes import Notes
from pybernetes.node.runtime.port import CONTAINER_HASH, Container

EVICTED: Final = "Evicted"
REJECTED: Final = "Pod was rejected: "
"""How the status of a pod begins that its node has not taken."""
_BY_NODE: Final = frozenset((EVICTED, "OutOfpods", "OutOfcpu", "OutOfmemory", "NodePorts"))
"""Reasons for which a node ends a pod, or does not take it: they stay."""
_DEADLINE: Final = "Pod was active on the node longer than the specified deadline"


def is_finished(pod: Obj, observed: Observed, notes: Notes) -> bool:
    """Whether no container will ever run (again): every main one ended for good, or an init one failed for good."""
    if objects.get(pod, "status", "phase") in ("Succeeded", "Failed"):
        return True
    if any(_ended_for_good(pod, c, observed, notes, failed_only=True) for c in podspec.init_containers(pod)):
        return True
    return all(_ended_for_good(pod, c, observed, notes) for c in podspec.main_containers(pod))


def _ended_for_good(pod: Obj, spec: Obj, observed: Observed, notes: Notes, *, failed_only: bool = False) -> bool:
    container = observed.latest(spec["name"])
    if container is None or container.state != "exited" or (failed_only and container.exit_code == 0):
        return False
    return not restart_wanted(pod, spec, container, notes)


def restart_wanted(pod: Obj, spec: Obj, container: Container, notes: Notes) -> bool:
    """Whether an ended container of a pod that goes on is to run again. One that was ended because a probe or its
    ``postStart`` hook failed has failed, whatever its exit code says."""
    recorded = container.annotations.get(CONTAINER_HASH, "")
    policy = podspec.restart_policy(pod, spec)
    health = notes.health.get(container.id)
    if podspec.restarts_on(spec, container.exit_code):
        return True
    if policy == "OnFailure" and ((health is not None and health.failed) or notes.hooks.get(container.id) == "failed"):
        return True
    return restart.wanted(container, policy, podspec.container_hash(spec), recorded)


def cut_short(pod: Obj, notes: Notes, now: float) -> tuple[str, str] | None:
    """Reason and message, where the node ends a pod before its containers end by themselves."""
    status = pod.get("status") or {}
    if notes.ended is not None:
        return notes.ended
    reason = str(status.get("reason") or "")
    if status.get("phase") == "Failed" and reason in _BY_NODE:
        return reason, str(status.get("message") or "")
    return ("DeadlineExceeded", _DEADLINE) if past_deadline(pod, notes, now) else None


def past_deadline(pod: Obj, notes: Notes, now: float) -> bool:
    """Whether ``activeDeadlineSeconds`` are over."""
    ends_at = deadline(pod, notes)
    return ends_at is not None and now >= ends_at


def deadline(pod: Obj, notes: Notes) -> float | None:
    """When ``activeDeadlineSeconds`` end (Unix seconds), where the pod has them."""
    seconds = objects.get(pod, "spec", "activeDeadlineSeconds")
    return None if seconds is None else started_at(pod, notes) + seconds


def started_at(pod: Obj, notes: Notes) -> float:
    """When this node took the pod on: as the API has it, or as this agent noted it."""
    text = objects.get(pod, "status", "startTime")
    return times.parse(text) if text else notes.started_at


def deletion_grace_seconds(pod: Obj, now: float) -> int:
    """What is left of the grace of a deleted pod, at least one second."""
    metadata = objects.meta(pod)
    grace = metadata.get("deletionGracePeriodSeconds")
    if grace is None:
        grace = podspec.grace_seconds(pod)
    ends = metadata.get("deletionTimestamp")
    left = ceil(times.parse(ends) - now) if ends else grace
    return max(1, min(int(grace), left))
