"""Quality of service and what follows from it for the kernel: class, CPU shares, quota, OOM score. Pure.

The numbers are the kubelet's (pkg/kubelet/qos, pkg/kubelet/cm): a request of one CPU is 1024 shares, a limit of one
CPU is 100 ms in every 100 ms.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

GUARANTEED: Final = "Guaranteed"
BURSTABLE: Final = "Burstable"
BEST_EFFORT: Final = "BestEffort"

PERIOD_MICROSECONDS: Final = 100_000
_QUOTA_MIN: Final = 1_000
_SHARES_MIN: Final = 2
_SHARES_MAX: Final = 262_144
_GUARANTEED_OOM: Final = -997
_BEST_EFFORT_OOM: Final = 1000


def class_of(pod: Obj) -> str:
    """``status.qosClass`` of a pod."""
    containers = podspec.all_containers(pod)
    if not any(_counted(c, side) for c in containers for side in ("requests", "limits")):
        return BEST_EFFORT
    for container in containers:
        limits, requests = _counted(container, "limits"), _counted(container, "requests")
        if set(limits) != {"cpu", "memory"} or any(requests.get(k, v) != v for k, v in limits.items()):
            return BURSTABLE
    return GUARANTEED


def _counted(container: Obj, side: str) -> dict[str, int]:
    """CPU (milli) and memory (bytes) of one side, where they are given and not zero."""
    stated = objects.get(container, "resources", side, default={})
    amounts = {"cpu": milli(stated.get("cpu")), "memory": size(stated.get("memory"))}
    return {k: v for k, v in amounts.items() if v}


def milli(value: str | int | float | None) -> int:
    """Thousandths of a CPU; 0 for none."""
    return 0 if value is None else quantity.milli(quantity.parse(value))


def size(value: str | int | float | None) -> int:
    """Bytes; 0 for none."""
    return 0 if value is None else quantity.value(quantity.parse(value))


def requested(container: Obj, resource: str) -> str | None:
    """A request, which defaults to the limit."""
    resources = container.get("resources") or {}
    found = (resources.get("requests") or {}).get(resource) or (resources.get("limits") or {}).get(resource)
    return None if found is None else str(found)


def shares(milli_cpu: int) -> int:
    return min(max(milli_cpu * 1024 // 1000, _SHARES_MIN), _SHARES_MAX)


def quota(milli_cpu: int) -> int:
    """Microseconds a period; 0 for no limit."""
    return max(milli_cpu * PERIOD_MICROSECONDS // 1000, _QUOTA_MIN) if milli_cpu else 0


def oom_score_adjustment(pod: Obj, container: Obj, memory_capacity: int) -> int:
    """How readily the kernel takes a container when memory runs out: the smaller its request, the sooner."""
    klass = objects.get(pod, "status", "qosClass") or class_of(pod)
    if klass == GUARANTEED:
        return _GUARANTEED_OOM
    if klass == BEST_EFFORT:
        return _BEST_EFFORT_OOM
    request = size(requested(container, "memory"))
    score = 1000 - 1000 * request // max(memory_capacity, 1)
    return min(max(score, 1000 + _GUARANTEED_OOM), _BEST_EFFORT_OOM - 1)


def container_resources(pod: Obj, container: Obj, memory_capacity: int) -> Obj:
    """A container's ``LinuxContainerResources``."""
    limits = objects.get(container, "resources", "limits", default={})
    out = {
        "cpu_shares": shares(milli(requested(container, "cpu"))),
        "oom_score_adj": oom_score_adjustment(pod, container, memory_capacity),
    }
    if milli(limits.get("cpu")):
        out |= {"cpu_period": PERIOD_MICROSECONDS, "cpu_quota": quota(milli(limits.get("cpu")))}
    if size(limits.get("memory")):
        out["memory_limit_in_bytes"] = size(limits.get("memory"))
    return out
