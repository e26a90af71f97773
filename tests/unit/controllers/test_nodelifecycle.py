from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Delete, Event, Patch
from pybernetes.control.controller import Key
from pybernetes.controllers.nodelifecycle import eviction, health, row, taints
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

from . import build

NODE_KEY = Key("", "n1")
FOREVER = {"operator": "Exists"}
FIVE_MINUTES = {"key": taints.UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


def node(name: str = "n1", ready: str = "True", *, heard: float = 0, of: Obj | None = None, **conditions: str) -> Obj:
    """A node whose last word is ``heard`` seconds old."""
    told = {"Ready": ready, "MemoryPressure": "False", "DiskPressure": "False", "PIDPressure": "False", **conditions}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": build.ago(600), "resourceVersion": "7"},
        "spec": of or {},
        "status": {"conditions": [
            {"type": kind, "status": value, "lastHeartbeatTime": build.ago(heard), "lastTransitionTime": build.ago(30)}
            for kind, value in told.items()
        ]},
    }  # fmt: skip


def lease(name: str, heard: float) -> Obj:
    return {
        "metadata": {"name": name, "namespace": "kube-node-lease"},
        "spec": {"renewTime": times.render_micro(build.NOW - heard)},
    }


def plan(snapshot: build.Snapshot, key: Key = NODE_KEY, started: float = 0.0) -> list[Any]:
    return list(row.controller(started).plan(snapshot, key, build.NOW))


def pod(name: str = "a", *tolerations: Obj, **more: Any) -> Obj:
    spec = {"nodeName": "n1", "tolerations": list(tolerations)}
    return build.pod(name, spec=spec, **more)


# ── signs of life ────────────────────────────────────────────────────────────────────────────────────────


def test_a_node_lives_by_its_lease_or_its_status_and_is_looked_at_again_when_its_grace_ends() -> None:
    by_lease = build.Snapshot(nodes=[node(heard=300)], **{row.LEASES: [lease("n1", 15)]})
    assert plan(by_lease) == [After(25.0)]
    assert plan(build.Snapshot(nodes=[node(heard=10)])) == [After(30.0)]


def test_nobody_is_silent_before_they_could_have_been_heard() -> None:
    silent = build.Snapshot(nodes=[node(heard=300)])
    assert plan(silent, started=build.NOW - 10) == [After(30.0)]


def test_a_silent_node_becomes_unknown_in_all_that_it_said() -> None:
    event, patch = plan(build.Snapshot(nodes=[node(heard=41)]))
    assert isinstance(event, Event)
    assert (event.reason, event.message) == ("NodeNotReady", "Node n1 status is now: NodeNotReady")
    assert isinstance(patch, Patch)
    told = {c["type"]: (c["status"], c["reason"], c["message"]) for c in patch.patch["status"]["conditions"]}
    unknown = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    assert told == dict.fromkeys(("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"), unknown)
    assert patch.patch["metadata"]["resourceVersion"] == "7"


def test_a_node_that_never_said_anything_has_a_minute() -> None:
    mute = {**node(), "status": {}}
    assert health.silent_in(mute, None, 0.0, build.NOW - 541) == pytest.approx(1.0)
    reasons = {c["reason"] for c in health.silenced(mute, build.NOW)}
    assert reasons == {"NodeStatusNeverUpdated"}


# ── taints ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "found, expected",
    [
        (node(), set()),
        (node(ready="False"), {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")}),
        (node(ready="Unknown"), {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}),
        (node(of={"unschedulable": True}), {("unschedulable", "NoSchedule")}),
        (node(MemoryPressure="True"), {("memory-pressure", "NoSchedule")}),
        (node(DiskPressure="True"), {("disk-pressure", "NoSchedule")}),
        (node(PIDPressure="True"), {("pid-pressure", "NoSchedule")}),
        (node(NetworkUnavailable="True"), {("network-unavailable", "NoSchedule")}),
    ],
)  # fmt: skip
def test_conditions_become_taints(found: Obj, expected: set[tuple[str, str]]) -> None:
    told = {(t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in taints.due(found, True, build.NOW)}
    assert told == expected


def test_taints_of_others_stay_and_what_no_longer_holds_goes() -> None:
    mine = {"key": "hw", "value": "gpu", "effect": "NoSchedule"}
    gone = {"key": taints.NOT_READY, "effect": "NoExecute", "timeAdded": build.ago(9)}
    assert taints.due(node(of={"taints": [gone, mine]}), True, build.NOW) == [mine]
    draining = {"key": "drain", "effect": "NoExecute"}
    assert taints.due(node(of={"taints": [draining]}), True, build.NOW) == [{**draining, "timeAdded": build.ago(0)}]


def test_pods_stay_where_they_are_while_no_node_is_ready() -> None:
    lost = node(ready="Unknown")
    (patch,) = [action for action in plan(build.Snapshot(nodes=[lost])) if isinstance(action, Patch)]
    assert [taint["effect"] for taint in patch.patch["spec"]["taints"]] == ["NoSchedule"]
    beside = build.Snapshot(nodes=[lost, node("n2")])
    (patch,) = [action for action in plan(beside) if isinstance(action, Patch)]
    assert [taint["effect"] for taint in patch.patch["spec"]["taints"]] == ["NoExecute", "NoSchedule"]


def test_the_first_ready_node_and_the_last_wake_the_others() -> None:
    keys = row.controller(0.0).inputs[0].keys
    lost, other = node(ready="Unknown"), node("n2", ready="Unknown")
    assert Key("", "n2") in list(keys(build.Snapshot(nodes=[node(), other]), lost, node()))
    assert list(keys(build.Snapshot(nodes=[node(), node("n2")]), lost, node())) == [NODE_KEY]


def test_ready_pods_of_a_node_that_is_not_are_marked() -> None:
    found = build.Snapshot(nodes=[node(ready="Unknown")], pods=[build.pod("a", ready=60)])
    mark = plan(found)[-1]
    assert isinstance(mark, Patch)
    assert (mark.resource, mark.patch["status"]["conditions"][0]["status"]) == ("pods", "False")
    assert mark.event is not None
    assert mark.event.message == "Node is not ready"


def test_what_an_agent_says_of_a_pod_after_its_node_was_lost_is_not_denied_again() -> None:
    lost = node(ready="False")
    said = build.pod("a", ready=5)
    found = build.Snapshot(nodes=[lost], pods=[said])
    assert not [action for action in plan(found) if isinstance(action, Patch) and action.resource == "pods"]
    (pods_input,) = [i for i in row.controller(0.0).inputs if i.resource == "pods"]
    assert not list(pods_input.keys(found, None, said))
    assert list(pods_input.keys(found, None, build.pod("a", ready=60))) == [NODE_KEY]


def test_coming_and_going_is_told() -> None:
    keys = row.controller(build.NOW - 700).inputs[0].keys
    found = build.Snapshot(nodes=[node()])
    told = [plan(found, key)[0] for key in keys(found, None, node()) if key.namespace]
    told += [plan(build.Snapshot(), key)[0] for key in keys(build.Snapshot(), node(), None)]
    assert [(e.reason, e.message, objects.uid(e.regarding)) for e in told] == [
        ("RegisteredNode", "Node n1 event: Registered Node n1 in Controller", "uid-n1"),
        ("RemovingNode", "Node n1 event: Removing Node n1 from Controller", "uid-n1"),
    ]


# ── evictions ────────────────────────────────────────────────────────────────────────────────────────────


def evict(victim: Obj, *found: Obj) -> list[Any]:
    snapshot = build.Snapshot(pods=[victim], nodes=[node(of={"taints": list(found)})])
    return list(eviction.CONTROLLER.plan(snapshot, build.key("a"), build.NOW))


def unreachable(seconds: float) -> Obj:
    return {"key": taints.UNREACHABLE, "effect": "NoExecute", "timeAdded": build.ago(seconds)}


def test_a_pod_that_tolerates_nothing_goes_at_once_and_says_why() -> None:
    event, patch, delete = evict(pod(), unreachable(0))
    assert (event.reason, event.message) == ("TaintManagerEviction", "Marking for deletion Pod default/a")
    assert patch.patch["status"]["conditions"][0]["reason"] == "DeletionByTaintManager"
    assert isinstance(delete, Delete)
    assert delete.uid == "uid-a"


def test_a_pod_stays_as_long_as_it_tolerates_and_the_shortest_tolerance_counts() -> None:
    assert evict(pod("a", FIVE_MINUTES), unreachable(100)) == [After(240.0)]  # bound a minute ago
    assert evict(pod("a", FOREVER), unreachable(9999)) == []
    brief = {"key": "x", "operator": "Exists", "tolerationSeconds": 90}
    both = evict(pod("a", FIVE_MINUTES, brief), unreachable(100), {**unreachable(70), "key": "x"})
    assert both == [After(30.0)]
    assert len(evict(pod("a", FIVE_MINUTES, metadata__creationTimestamp=build.ago(900)), unreachable(300))) == 3


def test_taints_that_only_keep_pods_away_end_none() -> None:
    assert evict(pod(), {"key": "x", "effect": "NoSchedule"}) == []


def test_only_other_taints_wake_a_nodes_pods() -> None:
    keys = eviction.CONTROLLER.inputs[1].keys
    tainted = node(of={"taints": [unreachable(0)]})
    snapshot = build.Snapshot(pods=[pod("a")], nodes=[tainted])
    assert list(keys(snapshot, node(), tainted)) == [build.key("a")]
    assert list(keys(snapshot, tainted, tainted)) == []
