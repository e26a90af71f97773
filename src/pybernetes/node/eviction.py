"""When a node has too little of something, what it is then called, and which pod has to go first. Pure.

Rule 1: a threshold is met while less is available than it says; its condition holds for five minutes more, so that a
node does not swing.
Rule 2: who uses more than it asked for goes first, then who matters less (priority), then who is most above it. So
BestEffort pods go before Burstable ones above their request, and Guaranteed ones last; critical ones never.
Words and numbers are the kubelet's (pkg/kubelet/eviction).
Neighbours: ``signals.py`` measures, ``pressure.py`` acts, ``nodestatus.py`` tells the conditions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, qos, resize

MEMORY_PRESSURE: Final = "MemoryPressure"
DISK_PRESSURE: Final = "DiskPressure"
_CONDITIONS: Final[Mapping[str, str]] = {
    "memory.available": MEMORY_PRESSURE, "nodefs.available": DISK_PRESSURE, "nodefs.inodesFree": DISK_PRESSURE,
}  # fmt: skip
_RESOURCES: Final[Mapping[str, str]] = {
    "memory.available": "memory", "nodefs.available": "ephemeral-storage", "nodefs.inodesFree": "inodes",
}  # fmt: skip
TRANSITION_SECONDS: Final = 300.0
CRITICAL_PRIORITY: Final = 2_000_000_000


class Reading(NamedTuple):
    """Of one signal: what is left, and what there is in all (bytes or inodes)."""

    available: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """A threshold that is met."""

    signal: str
    threshold: int
    available: int

    @property
    def resource(self) -> str:
        return _RESOURCES[self.signal]

    @property
    def condition(self) -> str:
        return _CONDITIONS[self.signal]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one container uses now, in bytes; without a name, the volumes of its pod."""

    name: str
    memory: int = 0
    disk: int = 0

    def of(self, resource: str) -> int:
        return self.memory if resource == "memory" else self.disk


Usages: TypeAlias = Mapping[str, Sequence[Usage]]
"""By pod uid."""


def shortages(thresholds: Mapping[str, str], readings: Mapping[str, Reading]) -> list[Shortage]:
    """The thresholds that are met, memory first."""
    found = []
    for signal in _CONDITIONS:
        reading, text = readings.get(signal), thresholds.get(signal)
        if reading is not None and text is not None:
            least = amount(text, reading.capacity)
            if reading.available < least:
                found.append(Shortage(signal, least, reading.available))
    return found


def amount(threshold: str, capacity: int) -> int:
    """A quantity, or a percentage of ``capacity``."""
    if threshold.endswith("%"):
        return int(capacity * float(threshold[:-1]) / 100)
    return quantity.value(quantity.parse(threshold))


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────


def last_met(before: Mapping[str, float], found: Iterable[Shortage], now: float) -> dict[str, float]:
    """Condition → when a threshold of it was last met; those long past are left out."""
    met = {**before, **{shortage.condition: now for shortage in found}}
    return {condition: at for condition, at in met.items() if now - at < TRANSITION_SECONDS}


# ── who goes ─────────────────────────────────────────────────────────────────────────────────────────────


def ranked(pods: Iterable[Obj], usages: Usages, resource: str) -> list[Obj]:
    """The pods that may be evicted for want of ``resource``, the first to go first."""
    may_go = [p for p in pods if not is_critical(p) and not objects.is_deleting(p) and runs(p)]
    return sorted(may_go, key=lambda pod: _rank(pod, usages, resource))


def _rank(pod: Obj, usages: Usages, resource: str) -> tuple[bool, int, int]:
    used = sum(usage.of(resource) for usage in usages.get(objects.uid(pod), ()))
    above = used - resize.requested(pod, resource)
    return above <= 0, priority(pod), -above


def priority(pod: Obj) -> int:
    return int(objects.get(pod, "spec", "priority", default=0))


def is_critical(pod: Obj) -> bool:
    """Whether the node cannot do without a pod: by its priority, or because the node itself has it from a file."""
    return priority(pod) >= CRITICAL_PRIORITY or objects.annotations(pod).get(podspec.SOURCE) == "file"


def runs(pod: Obj) -> bool:
    """Whether a pod has not ended for good."""
    return objects.get(pod, "status", "phase") not in ("Succeeded", "Failed")


# ── limits of one pod ────────────────────────────────────────────────────────────────────────────────────


def has_local_limits(pod: Obj) -> bool:
    """Whether there is something to look at: a limit of an emptyDir or of ``ephemeral-storage``."""
    return bool(_volume_limits(pod)) or any(_disk_limit(c) for c in podspec.all_containers(pod))


def over_limits(pod: Obj, usages: Sequence[Usage], empty_dirs: Mapping[str, int]) -> str:
    """Why a pod has to go that uses more disk than it may, whatever the node has; "" where it does not."""
    for name, limit in _volume_limits(pod).items():
        if empty_dirs.get(name, 0) > limit:
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{_size(limit)}". '
    limits = [_disk_limit(c) for c in podspec.main_containers(pod)]
    if all(limits) and sum(usage.disk for usage in usages) > sum(limits):
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {_size(sum(limits))}. "
    for usage in usages:
        limit = _disk_limit(podspec.container(pod, usage.name) or {})
        if limit and usage.disk > limit:
            return f'Container {usage.name} exceeded its local ephemeral storage limit "{_size(limit)}". '
    return ""


def _volume_limits(pod: Obj) -> dict[str, int]:
    volumes = objects.get(pod, "spec", "volumes", default=[])
    found = {v["name"]: v["emptyDir"] for v in volumes if isinstance(v.get("emptyDir"), dict)}
    return {n: qos.size(e["sizeLimit"]) for n, e in found.items() if e.get("sizeLimit") and e.get("medium") != "Memory"}


def _disk_limit(container: Obj) -> int:
    return qos.size(objects.get(container, "resources", "limits", "ephemeral-storage"))


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────


def message(shortage: Shortage, pod: Obj, usages: Usages) -> str:
    """Why a pod was evicted."""
    resource = shortage.resource
    quantities = f"Threshold quantity: {_size(shortage.threshold)}, available: {_size(shortage.available)}. "
    said = f"The node was low on resource: {resource}. {quantities}"
    for usage in usages.get(objects.uid(pod), ()):
        spec = podspec.container(pod, usage.name) or {}
        request, used = qos.size(qos.requested(spec, resource)), usage.of(resource)
        if usage.name and resource != "inodes" and used > request:
            amounts = f"was using {_size(used)}, request is {_size(request)}"
            said += f"Container {usage.name} {amounts}, has larger consumption of {resource}. "
    return said


def refused(pod: Obj, conditions: Collection[str]) -> str:
    """Why a pod that has just come is not taken by a node under pressure; "" where it is."""
    if not conditions or is_critical(pod):
        return ""
    if set(conditions) == {MEMORY_PRESSURE} and qos.class_of(pod) != qos.BEST_EFFORT:
        return ""
    return f"The node had condition: [{' '.join(sorted(conditions))}]. "


def _size(number: int) -> str:
    return quantity.render(number, "BinarySI")
