"""Whether a node takes a pod that has just come to it: it may be under pressure, or full. Pure.

Rule: the scheduler asks the same before it chooses; this is for pods that came past it, or while others came too. What
runs already is never asked again. Reasons and messages are the kubelet's.
Neighbours: ``agent.py`` asks when a pod comes, ``eviction.py`` knows what pressure means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import eviction, podends, podspec, resize

_EVERY_ADDRESS: Final = "0.0.0.0"


class Refusal(NamedTuple):
    """``message`` is the event's; the pod's status says it with an introduction."""

    reason: str
    message: str


def refusal(
    pod: Obj, others: Iterable[Obj], *, allocatable: Mapping[str, str], pressures: Collection[str]
) -> Refusal | None:
    """Why this node does not take ``pod``, if it does not; ``others`` are the pods that it has."""
    rest = [o for o in others if objects.uid(o) != objects.uid(pod) and resize.counts(o)]
    if pressed := eviction.refused(pod, pressures):
        return Refusal(podends.EVICTED, pressed)
    if eviction.is_critical(pod):
        return None
    if len(rest) >= int(allocatable["pods"]):
        return _out_of("pods", 1, len(rest), int(allocatable["pods"]))
    room = resize.room_for(pod, rest, allocatable)
    for kind, capacity in room.capacity.items():
        wanted = resize.requested(pod, kind)
        if wanted and wanted + room.used[kind] > capacity:
            return _out_of(kind, wanted, room.used[kind], capacity)
    taken = [port for other in rest for port in _host_ports(other)]
    if any(mine.meets(theirs) for mine in _host_ports(pod) for theirs in taken):
        why = "node(s) didn't have free ports for the requested pod ports"
        return Refusal("NodePorts", f"Predicate NodePorts failed: {why}")
    return None


def _out_of(kind: str, wanted: int, used: int, capacity: int) -> Refusal:
    why = f"{kind}, requested: {wanted}, used: {used}, capacity: {capacity}"
    return Refusal(f"OutOf{kind}", f"Node didn't have enough resource: {why}")


class _HostPort(NamedTuple):
    protocol: str
    number: int
    address: str

    def meets(self, other: _HostPort) -> bool:
        """Do both want the same port of one of the node's addresses?"""
        same_address = self.address == other.address or _EVERY_ADDRESS in (self.address, other.address)
        return same_address and self[:2] == other[:2]


def _host_ports(pod: Obj) -> Iterator[_HostPort]:
    for container in podspec.all_containers(pod):
        for port in container.get("ports") or ():
            if number := port.get("hostPort"):
                yield _HostPort(port.get("protocol") or "TCP", int(number), port.get("hostIP") or _EVERY_ADDRESS)
