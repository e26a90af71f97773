"""The snapshot under any history equals one built anew, and no decision ever puts more on a node than it has."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo
from pybernetes.scheduler.decide import decide
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.preempt import preempt
from pybernetes.scheduler.snapshot import NodeInfo, Snapshot, Taint

NODES = [f"n{i}" for i in range(20)]
PODS = [f"p{i}" for i in range(12)]
RESOURCES = ["cpu", "memory", "pods", "example.com/gpu"]
amounts = st.dictionaries(st.sampled_from(RESOURCES), st.integers(0, 5), max_size=4)
taints = st.lists(st.builds(Taint, st.sampled_from("ab"), st.just(""), st.just("NoSchedule")), max_size=1).map(tuple)
labels = st.dictionaries(st.sampled_from(["zone", "disk"]), st.sampled_from(["a", "b"]))
node_infos = st.builds(NodeInfo, st.sampled_from(NODES), amounts, labels, taints, st.booleans())
ports = st.lists(st.just({"containerPort": 1, "hostPort": 8080}), max_size=1)


@st.composite
def pods(draw: st.DrawFn, placed: bool) -> Obj:
    requests = {k: f"{v}m" if k == "cpu" else str(v) for k, v in draw(amounts).items() if k != "pods"}
    container = {"name": "c", "resources": {"requests": requests}, "ports": draw(ports)}
    spec: dict[str, Any] = {"containers": [container], "nodeSelector": draw(labels) if draw(st.booleans()) else {}}
    spec["priority"] = draw(st.integers(0, 3))
    if draw(st.booleans()):
        term = {"topologyKey": "zone", "labelSelector": {"matchLabels": draw(labels)}}
        kind = draw(st.sampled_from(["podAffinity", "podAntiAffinity"]))
        spec["affinity"] = {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    if placed:
        spec["nodeName"] = draw(st.sampled_from(NODES))
    return {"metadata": {"name": draw(st.sampled_from(PODS)), "labels": draw(labels)}, "spec": spec}


class SnapshotModel(RuleBasedStateMachine):
    """``nodes`` and ``pods`` are what there is; the snapshot was told of it change by change."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = Snapshot()
        self.nodes: dict[str, NodeInfo] = {}
        self.pods: dict[str, PodInfo] = {}
        self.assumed: set[str] = set()

    @rule(info=node_infos)
    def put_node(self, info: NodeInfo) -> None:
        assert self.snapshot.put_node(info) == self.nodes.get(info.name)
        self.nodes[info.name] = info

    @precondition(lambda self: self.nodes)
    @rule(data=st.data())
    def remove_node(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.nodes)))
        del self.nodes[name]
        self.snapshot.remove_node(name)

    @rule(pod=pods(placed=True))
    def put_pod(self, pod: Obj) -> None:
        info = podinfo.of(pod)
        self.snapshot.put_pod(info)
        self.pods[info.uid] = info
        self.assumed.discard(info.uid)

    @rule(name=st.sampled_from(PODS))
    def remove_pod(self, name: str) -> None:
        assert self.snapshot.remove_pod(f"/{name}") == self.pods.pop(f"/{name}", None)
        self.assumed.discard(f"/{name}")

    @rule(pod=pods(placed=False), chance=st.floats(0, 1))
    def schedule(self, pod: Obj, chance: float) -> None:
        info = podinfo.of(pod)
        if info.uid in self.pods:
            return
        node = decide(self.snapshot, info, chance).node
        if node is None:
            return
        self.snapshot.assume(info, node)
        placed = self.snapshot.pod(info.uid)
        assert placed is not None
        self.pods[info.uid] = placed
        self.assumed.add(info.uid)
        taken = [p for p in self.pods.values() if p.node_name == node]
        for resource in info.requests:
            if info.requests[resource]:
                assert sum(p.requests.get(resource, 0) for p in taken) <= self.nodes[node].allocatable.get(resource, 0)

    @rule(name=st.sampled_from(PODS))
    def forget(self, name: str) -> None:
        uid = f"/{name}"
        assert self.snapshot.forget(uid) == (uid in self.assumed)
        if uid in self.assumed:
            self.assumed.remove(uid)
            del self.pods[uid]

    @invariant()
    def it_equals_one_built_anew(self) -> None:
        anew = Snapshot()
        for info in self.nodes.values():
            anew.put_node(info)
        for pod in self.pods.values():
            anew.put_pod(pod)
        assert told(self.snapshot) == told(anew)


def told(found: Snapshot) -> dict[str, Any]:
    """All that a snapshot says, whatever the order of its slots."""
    columns = {"allocatable": found.allocatable, "requested": found.requested, "score": found.score_requested}
    nodes: dict[str, Any] = {}
    for name, slot in found.slots.items():
        assert found.names[slot] == name
        values = {
            (column, resource): int(found.amounts(amounts, resource)[slot])
            for column, amounts in columns.items()
            for resource in RESOURCES
        }
        held = {key: found.labels.get(key) for key in ("zone", "disk")}
        values["labels"] = {k: c.values[c.ids(found.count)[slot]] for k, c in held.items() if c}  # type: ignore[index]
        values["labels"] = {k: v for k, v in values["labels"].items() if v}
        values["taints"] = found.taints.values[found.taints.ids(found.count)[slot]]
        values["unschedulable"] = bool(found.unschedulable[slot])
        nodes[name] = values
    tallies = [tally.counts for tally in (found.host_ports, found.groups, found.averse, found.fond)]
    return {"nodes": nodes, "tallies": tallies, "on": {n: {str(p) for p in found.pods_on(n)} for n in NODES}}


TestSnapshot = SnapshotModel.TestCase
TestSnapshot.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@settings(max_examples=60, deadline=None)
@given(nodes=st.lists(node_infos, min_size=1, max_size=12), pod=pods(placed=False), chance=st.floats(0, 1))
def test_a_node_is_chosen_exactly_when_nothing_rejects_it(nodes: list[NodeInfo], pod: Obj, chance: float) -> None:
    found = Snapshot()
    for info in nodes:
        found.put_node(info)
    decision = decide(found, podinfo.of(pod), chance)
    rejected = np.zeros(found.count, dtype=bool)
    for verdict in decision.verdicts:
        rejected |= verdict.nodes()
    assert (decision.node is None) == bool(rejected.all())
    if decision.node is not None:
        assert not rejected[found.slots[decision.node]]


@settings(max_examples=60, deadline=None)
@given(
    nodes=st.lists(node_infos, min_size=1, max_size=4, unique_by=lambda info: info.name),
    placed=st.lists(pods(placed=True), max_size=12, unique_by=podinfo.identity),
    pod=pods(placed=False),
    data=st.data(),
)
def test_victims_are_as_few_as_make_room_and_of_lower_priority(
    nodes: list[NodeInfo], placed: list[Obj], pod: Obj, data: st.DataObject
) -> None:
    found, info = Snapshot(), podinfo.of({**pod, "metadata": {"name": "preemptor"}})
    for each in nodes:
        found.put_node(each)
    for other in placed:
        node = data.draw(st.sampled_from(nodes)).name
        found.put_pod(dataclasses.replace(podinfo.of(other), node_name=node))
    before, decision = told(found), decide(found, info, 0.0)
    if decision.node is not None:
        return
    chosen = preempt(found, info, decision).chosen
    assert told(found) == before
    if chosen is None:
        return
    assert all(victim.priority < info.priority for victim in chosen.victims)
    with found.supposing(gone=[victim.uid for victim in chosen.victims]):
        assert decide(found, info, 0.0, nominated=chosen.node).node == chosen.node
        for victim in chosen.victims:
            with found.supposing(there=[victim]):
                assert decide(found, info, 0.0, nominated=chosen.node).node != chosen.node
