"""The cluster as the scheduler sees it: arrays over the nodes, and what the pods placed on them take. Pure.

Theory of operation. ``put_node`` and ``put_pod`` are told whatever happens, in any order and as often as one likes; a
pod on a node that is not known yet waits for it. ``assume`` places a pod whose binding is still under way, so that the
next decision counts it; the watch then tells the same, or ``forget`` takes it back. Used slots are always the first
``count`` ones: a removed node's slot is taken by the last.
Neighbours: ``columns.py`` are the arrays; ``plugins`` read them; ``tests/property`` holds that changes lead to the same
arrays as building anew.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import requests
from pybernetes.scheduler.columns import Amounts, Interned, Ints, Labels, Mask, grown
from pybernetes.scheduler.podinfo import HostPort, PodInfo
from pybernetes.scheduler.storage import Storage
from pybernetes.scheduler.tally import Group, Tally
from pybernetes.scheduler.ties import Term, Weighted

_FIRST_SLOTS: Final = 16


class Taint(NamedTuple):
    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What decides about a node; a heartbeat changes nothing of it."""

    name: str
    allocatable: Mapping[str, int]
    labels: Mapping[str, str]
    taints: tuple[Taint, ...]
    unschedulable: bool


def node_info(node: Obj) -> NodeInfo:
    spec = objects.get(node, "spec", default={})
    taints = (Taint(t["key"], t.get("value") or "", t.get("effect") or "") for t in spec.get("taints") or ())
    return NodeInfo(
        name=objects.name(node),
        allocatable=requests.amounts(objects.get(node, "status", "allocatable")),
        labels=objects.labels(node),
        taints=tuple(taints),
        unschedulable=bool(spec.get("unschedulable")),
    )


class Snapshot:
    """``names[slot]`` is a node; arrays are int64 by resource in the units of ``requests.py``."""

    def __init__(self, storage: Storage | None = None) -> None:
        self.names: list[str] = []
        self.slots: dict[str, int] = {}
        self.allocatable = Amounts()
        self.requested = Amounts()
        self.score_requested = Amounts()
        self.labels = Labels()
        self.taints: Interned[tuple[Taint, ...]] = Interned(())
        self.host_ports: Tally[HostPort] = Tally()
        self.claims: Tally[tuple[str, str]] = Tally()
        """By (namespace, name) of the claims that pods use."""
        self.storage = storage or Storage()
        self.groups: Tally[Group] = Tally()
        self.averse: Tally[Term] = Tally()
        """By the terms with which placed pods keep others away."""
        self.fond: Tally[Weighted] = Tally()
        """By those with which they prefer others near, or not; of weight 0 by those with which they require it."""
        self.namespaces: dict[str, Mapping[str, str]] = {}
        """Labels of namespaces."""
        self._nodes: dict[str, NodeInfo] = {}
        self._pods: dict[str, PodInfo] = {}
        self._assumed: set[str] = set()
        self._by_node: dict[str, dict[str, PodInfo]] = {}
        self._priorities: Counter[int] = Counter()
        self._unschedulable = np.zeros(0, dtype=np.bool_)
        self._columns = (self.allocatable, self.requested, self.score_requested, self.labels, self.taints)
        self._resize(_FIRST_SLOTS)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def count(self) -> int:
        """How many nodes there are."""
        return len(self.names)

    @property
    def unschedulable(self) -> Mask:
        return self._unschedulable[: self.count]

    def pod(self, uid: str) -> PodInfo | None:
        """A placed pod."""
        return self._pods.get(uid)

    def pods_on(self, node_name: str) -> Sequence[PodInfo]:
        return list(self._by_node.get(node_name, {}).values())

    def lowest_priority(self) -> int | None:
        """Of all placed pods; None where there are none."""
        return min(self._priorities, default=None)

    def is_assumed(self, uid: str) -> bool:
        """Is its binding under way, or not yet told back by the watch?"""
        return uid in self._assumed

    def amounts(self, column: Amounts, resource: str) -> Ints:
        """A resource over all nodes; zeros where nobody has any."""
        row = column.get(resource, self.count)
        return np.zeros(self.count, dtype=np.int64) if row is None else row

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────

    def put_node(self, info: NodeInfo) -> NodeInfo | None:
        """A node is new or has changed; what it was before."""
        before = self._nodes.get(info.name)
        if before == info:
            return before
        slot = self.slots.get(info.name)
        if slot is None:
            slot = self._open(info.name)
        self._nodes[info.name] = info
        self.allocatable.put(slot, info.allocatable)
        self.labels.put(slot, info.labels)
        self.taints.put(slot, info.taints)
        self._unschedulable[slot] = info.unschedulable
        return before

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods are remembered until they are gone too."""
        slot, last = self.slots.pop(name, None), self.count - 1
        if slot is None:
            return
        del self._nodes[name]
        moved = self.names.pop()
        if slot != last:
            self.names[slot], self.slots[moved] = moved, slot
            self._unschedulable[slot] = self._unschedulable[last]
            for column in self._columns:
                column.move(last, slot)
        self._unschedulable[last] = False
        for column in self._columns:
            column.clear(last)

    def _open(self, name: str) -> int:
        slot = self.count
        if slot == len(self._unschedulable):
            self._resize(slot * 2)
        self.names.append(name)
        self.slots[name] = slot
        for pod in self._by_node.get(name, {}).values():
            self._count(pod, slot, 1)
        return slot

    def _resize(self, slots: int) -> None:
        self._unschedulable = grown(self._unschedulable, slots)
        for column in self._columns:
            column.resize(slots)

    # ── pods ─────────────────────────────────────────────────────────────────────────────────────────────

    def put_pod(self, pod: PodInfo) -> PodInfo | None:
        """A pod is on ``pod.node_name`` for certain; what was known of it before."""
        self._assumed.discard(pod.uid)
        before = self._pods.get(pod.uid)
        if before != pod:
            self._take(pod.uid)
            self._place(pod)
        return before

    def remove_pod(self, uid: str) -> PodInfo | None:
        """A pod is gone or has ended; what was known of it."""
        self._assumed.discard(uid)
        return self._take(uid)

    def assume(self, pod: PodInfo, node_name: str) -> None:
        """Count a pod as placed while it is being bound."""
        self._place(dataclasses.replace(pod, node_name=node_name))
        self._assumed.add(pod.uid)

    def forget(self, uid: str) -> bool:
        """The binding failed. False where the watch has told meanwhile that the pod is placed, or gone."""
        if uid not in self._assumed:
            return False
        self._assumed.discard(uid)
        self._take(uid)
        return True

    @contextmanager
    def supposing(self, there: Iterable[PodInfo] = (), gone: Iterable[str] = ()) -> Iterator[None]:
        """Within, the pods of ``there`` are placed too, and those with the uids of ``gone`` are not. Can be nested."""
        taken = [pod for uid in gone if (pod := self._take(uid)) is not None]
        placed = [pod for pod in there if pod.uid not in self._pods]
        for pod in placed:
            self._place(pod)
        try:
            yield
        finally:
            for pod in placed:
                self._take(pod.uid)
            for pod in taken:
                self._place(pod)

    def _place(self, pod: PodInfo) -> None:
        self._pods[pod.uid] = pod
        self._priorities[pod.priority] += 1
        self._by_node.setdefault(pod.node_name, {})[pod.uid] = pod
        for tally, sort in self._sorts(pod):
            tally.add(sort, pod.node_name)
        slot = self.slots.get(pod.node_name)
        if slot is not None:
            self._count(pod, slot, 1)

    def _take(self, uid: str) -> PodInfo | None:
        pod = self._pods.pop(uid, None)
        if pod is None:
            return None
        self._priorities[pod.priority] -= 1
        if not self._priorities[pod.priority]:
            del self._priorities[pod.priority]
        fellows = self._by_node[pod.node_name]
        del fellows[uid]
        if not fellows:
            del self._by_node[pod.node_name]
        for tally, sort in self._sorts(pod):
            tally.release(sort, pod.node_name)
        slot = self.slots.get(pod.node_name)
        if slot is not None:
            self._count(pod, slot, -1)
        return pod

    def _sorts(self, pod: PodInfo) -> Iterator[tuple[Tally[Any], Any]]:
        """The tallies in which a pod counts, and as what."""
        yield self.groups, pod.group
        for port in pod.host_ports:
            yield self.host_ports, port
        for name in pod.claims:
            yield self.claims, (pod.namespace, name)
        for term in pod.ties.anti_affinity:
            yield self.averse, term
        for wish in (*pod.ties.preferred, *(Weighted(0, term) for term in pod.ties.affinity)):
            yield self.fond, wish

    def _count(self, pod: PodInfo, slot: int, times: int) -> None:
        self.requested.add(slot, pod.requests, times)
        self.score_requested.add(slot, pod.score_requests, times)
