"""Would a pod fit on a node? By requests, node selector and taints; the scheduler has the last word.

Rule: what is not looked at here (affinity, spread, volumes) can only make a node too many, or one too few until the
next look.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.controllers import pods as of_pods
from pybernetes.controllers import tolerations
from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj

_EFFECTS: Final = ("NoSchedule", "NoExecute")
_PASSING: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""Taints of a node that is on its way."""


class Room:
    """A node and what is free of it, in thousandths."""

    def __init__(self, node: Obj, bound: Iterable[Obj] = ()) -> None:
        self.node = node
        told = objects.get(node, "status", "allocatable", default={})
        self.whole = {resource: quantity.milli(quantity.parse(amount)) for resource, amount in told.items()}
        self.free = dict(self.whole)
        for pod in bound:
            self.take(pod)

    def fits(self, pod: Obj) -> bool:
        asked = requests(pod)
        return _is_let_in(pod, self.node) and all(self.free.get(key, 0) >= amount for key, amount in asked.items())

    def take(self, pod: Obj) -> None:
        for resource, amount in requests(pod).items():
            self.free[resource] = self.free.get(resource, 0) - amount

    def used(self) -> float:
        """The larger share of CPU and memory that is taken."""
        shares = [1 - self.free[r] / self.whole[r] for r in ("cpu", "memory") if self.whole.get(r)]
        return max(shares, default=0.0)


def requests(pod: Obj) -> dict[str, int]:
    """What the pod asks for, in thousandths; itself counts as one of ``pods``."""
    total: defaultdict[str, int] = defaultdict(int, pods=1000)
    for container in objects.get(pod, "spec", "containers", default=[]):
        for resource, amount in objects.get(container, "resources", "requests", default={}).items():
            total[resource] += quantity.milli(quantity.parse(amount))
    return dict(total)


def rooms(nodes: Iterable[Obj], pods: Iterable[Obj]) -> dict[str, Room]:
    """Node's name → its room, with all pods that are bound to it."""
    bound: defaultdict[str, list[Obj]] = defaultdict(list)
    for pod in pods:
        if of_pods.phase(pod) not in of_pods.FINISHED and of_pods.node(pod):
            bound[of_pods.node(pod)].append(pod)
    return {objects.name(node): Room(node, bound[objects.name(node)]) for node in nodes}


def place(pod: Obj, rooms: Sequence[Room]) -> bool:
    """Put the pod into the first room that has place for it."""
    room = next((room for room in rooms if room.fits(pod)), None)
    if room is not None:
        room.take(pod)
    return room is not None


def _is_let_in(pod: Obj, node: Obj) -> bool:
    labels, wanted = objects.labels(node), objects.get(pod, "spec", "nodeSelector", default={})
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    taints = [t for t in objects.get(node, "spec", "taints", default=()) if t.get("effect") in _EFFECTS]
    tolerated = tolerations.of_pod(pod)
    return all(t.get("key") in _PASSING or tolerations.first(tolerated, t) is not None for t in taints)
