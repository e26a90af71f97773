"""How many pods a rollout may have too many or too few (ResolveFenceposts and its callers)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def replicas(obj: Obj) -> int:
    """``spec.replicas`` of a Deployment or a ReplicaSet."""
    return int(objects.get(obj, "spec", "replicas", default=1))


def total(sets: Iterable[Obj]) -> int:
    """Pods that ReplicaSets want."""
    return sum(map(replicas, sets))


def told(sets: Iterable[Obj], field: str = "replicas") -> int:
    """Pods that ReplicaSets report in a field of their status."""
    return sum(objects.get(each, "status", field, default=0) for each in sets)


def held(sets: Iterable[Obj]) -> int:
    """Pods that ReplicaSets want or still have, whichever is more: what surge is measured by."""
    return sum(max(replicas(each), told([each])) for each in sets)


def kept(sets: Iterable[Obj]) -> int:
    """Available pods that stay: a ReplicaSet that was just made smaller still reports those that must go."""
    return sum(min(replicas(each), told([each], "availableReplicas")) for each in sets)


def is_observed(each: Obj) -> bool:
    """Does the ReplicaSet's status tell of the size that it has now?"""
    seen = objects.get(each, "status", "observedGeneration", default=0)
    return bool(seen >= objects.meta(each).get("generation", 0))


def is_rolling(deployment: Obj) -> bool:
    return str(objects.get(deployment, "spec", "strategy", "type", default="RollingUpdate")) == "RollingUpdate"


def max_surge(deployment: Obj) -> int:
    return _fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Obj) -> int:
    if not is_rolling(deployment):
        return 0
    return min(_fenceposts(deployment)[1], replicas(deployment))


def min_available(deployment: Obj) -> int:
    return replicas(deployment) - max_unavailable(deployment)


def max_replicas(deployment: Obj) -> int:
    return replicas(deployment) + max_surge(deployment)


def _fenceposts(deployment: Obj) -> tuple[int, int]:
    """Surge is rounded up and unavailability down; were both 0 nothing could move, so one pod may be missing."""
    wanted = replicas(deployment)
    limits = objects.get(deployment, "spec", "strategy", "rollingUpdate", default={})
    surge = math.ceil(scaled(limits.get("maxSurge", 0), wanted))
    unavailable = math.floor(scaled(limits.get("maxUnavailable", 0), wanted))
    return (surge, unavailable) if surge or unavailable else (0, 1)


def scaled(amount: int | str | None, whole: int) -> float:
    """A number, or a percentage of ``whole`` (intstr.GetScaledValueFromIntOrPercent before rounding)."""
    if isinstance(amount, str):
        return int(amount.removesuffix("%")) * whole / 100
    return amount or 0
