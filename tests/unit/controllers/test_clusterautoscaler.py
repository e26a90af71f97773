from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Create, Delete, Event, Patch
from pybernetes.control.controller import Controller, Key
from pybernetes.controllers.clusterautoscaler import groups, row
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build

KEY = Key("", "cluster")
SMALL = "{min: 0, max: 3, capacity: {cpu: 2, memory: 4Gi}}"
OWNER = build.replica_set()


def config(**data: str) -> Obj:
    return {"metadata": {"name": groups.NAME, "namespace": groups.NAMESPACE}, "data": data or {"small": SMALL}}


def node(name: str, group: str = "small", cpu: str = "2", **spec: Any) -> Obj:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "110"}}
    labels = {groups.LABEL: group} if group else {}
    return {"metadata": {"name": name, "uid": name, "labels": labels}, "spec": spec, "status": status}


def pod(name: str, cpu: str, on: str = "", owner: Obj | None = OWNER, **spec: Any) -> Obj:
    container = {"name": "main", "resources": {"requests": {"cpu": cpu}}}
    made = build.pod(name, owner, phase="Running" if on else "Pending", spec={"containers": [container], **spec})
    if on:
        made["spec"]["nodeName"] = on
    else:
        made["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    return made


def plan(
    nodes: list[Obj], pods: list[Obj], *, of: Obj | None = None, by: Controller | None = None, at: float = 0
) -> Any:
    snapshot = build.Snapshot(configmaps=[of or config()], nodes=nodes, pods=pods)
    return list((by or row.controller()).plan(snapshot, KEY, build.NOW + at))


def made(actions: list[Any]) -> list[str]:
    return [objects.name(action.obj) for action in actions if isinstance(action, Create) and action.resource == "nodes"]


# ── more ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "nodes, pods, expected",
    [
        ([], [pod("a", "1")], ["small-1"]),
        ([], [pod("a", "1"), pod("b", "1")], ["small-1"]),
        ([], [pod("a", "1500m"), pod("b", "1")], ["small-1", "small-2"]),
        ([node("small-1")], [pod("a", "1")], []),  # there is room: the scheduler will see
        ([node("small-1")], [pod("a", "1500m", "small-1"), pod("b", "1")], ["small-2"]),
        ([], [pod("a", "3")], []),  # no group has such a node
        ([], [pod(str(n), "2") for n in range(9)], ["small-1", "small-2", "small-3"]),
        ([], [pod("a", "1", nodeSelector={"disk": "fast"})], []),
    ],
)
def test_pods_without_a_place_bring_nodes(nodes: list[Obj], pods: list[Obj], expected: list[str]) -> None:
    assert made(plan(nodes, pods)) == expected


def test_a_pod_is_told_that_it_brings_a_node_and_the_node_is_as_its_group_says() -> None:
    gpu = "{max: 1, capacity: {cpu: 2, memory: 4Gi}, labels: {hw: gpu}, taints: [{key: hw, effect: NoSchedule}]}"
    wants = pod("a", "1", nodeSelector={"hw": "gpu"}, tolerations=[{"key": "hw", "operator": "Exists"}])
    event, create = plan([], [wants, pod("b", "9")], of=config(gpu=gpu, small=SMALL))
    assert isinstance(event, Event)
    assert (event.reason, event.message) == ("TriggeredScaleUp", "pod triggered scale-up: [{gpu 0->1 (max: 1)}]")
    labels = objects.labels(create.obj)
    assert (labels[groups.LABEL], labels[groups.SIMULATED], labels["hw"]) == ("gpu", "true", "gpu")
    assert create.obj["status"]["allocatable"] == {"cpu": "2", "memory": "4Gi", "pods": "110"}


def test_a_group_is_never_smaller_than_its_minimum() -> None:
    two = config(small="{min: 2, max: 3, capacity: {cpu: 2, memory: 4Gi}}")
    assert made(plan([node("small-2")], [], of=two)) == ["small-1"]


def test_a_group_that_cannot_be_read_is_told_of_and_the_others_work() -> None:
    event, *rest = plan([], [pod("a", "1")], of=config(broken="{max: many}", small=SMALL))
    assert (event.reason, event.message[:28]) == ("InvalidNodeGroup", "node group broken cannot be ")
    assert made(rest) == ["small-1"]


# ── fewer ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_node_goes_after_ten_minutes() -> None:
    by, nodes = row.controller(), [node("small-1"), node("other", "")]
    assert plan(nodes, [], by=by) == [After(600.0)]
    (taint,) = plan(nodes, [], by=by, at=600)
    assert isinstance(taint, Patch)
    assert taint.patch["spec"]["taints"] == [{"key": row.LEAVING, "effect": "NoSchedule"}]
    nodes[0] = node("small-1", taints=taint.patch["spec"]["taints"])
    assert plan(nodes, [], by=by, at=601)[-1] == Delete("nodes", "", "small-1", uid="small-1")


def test_pods_of_a_node_that_goes_are_evicted() -> None:
    by = row.controller()
    leaving = node("small-1", taints=[{"key": row.LEAVING, "effect": "NoSchedule"}])
    pods = [pod("a", "500m", "small-1"), pod("d", "100m", "small-1", {**OWNER, "kind": "DaemonSet"})]
    plan([leaving, node("other", "")], pods, by=by)
    again, eviction = plan([leaving, node("other", "")], pods, by=by, at=600)
    assert again == After(30.0)
    assert (eviction.name, eviction.subresource) == ("a", "eviction")


@pytest.mark.parametrize(
    "nodes, pods",
    [
        ([node("small-1"), node("other", "")], [pod("a", "1", "small-1")]),  # half of it is used
        ([node("small-1"), node("other", "", "100m")], [pod("a", "500m", "small-1")]),  # no room elsewhere
        ([node("small-1"), node("other", "")], [pod("a", "100m", "small-1", None)]),  # nobody would make it again
        ([node("other", "")], []),
    ],
)
def test_nodes_that_are_needed_stay(nodes: list[Obj], pods: list[Obj]) -> None:
    assert plan(nodes, pods) == []


def test_a_node_that_is_needed_again_stays() -> None:
    leaving = node("small-1", taints=[{"key": row.LEAVING, "effect": "NoSchedule"}])
    (patch,) = plan([leaving], [pod("a", "1500m", "small-1")])
    assert patch.patch["spec"] == {"taints": None}


def test_without_its_config_map_nothing_wakes_it() -> None:
    keys = row.controller().inputs[2].keys
    assert list(keys(build.Snapshot(), None, pod("a", "1"))) == []
    assert list(keys(build.Snapshot(configmaps=[config()]), None, pod("a", "1"))) == [KEY]


def test_a_node_that_takes_pods_again_may_make_another_needless() -> None:
    keys, on = row.controller().inputs[1].keys, build.Snapshot(configmaps=[config()])
    assert list(keys(on, node("a", unschedulable=True), node("a"))) == [KEY]
    assert list(keys(on, node("a"), node("a"))) == []
