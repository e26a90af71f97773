from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Create, Delete, Event, Update
from pybernetes.controllers import history
from pybernetes.controllers.daemonset import daemonpod
from pybernetes.controllers.daemonset.sync import CONTROLLER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, ago

AFFINITY = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")


def daemon_set(**spec: Any) -> Obj:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": build.metadata("web", generation=1),
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": build.template(),
            "updateStrategy": rolling,
            "revisionHistoryLimit": 10,
            **spec,
        },
        "status": {},
    }


def node(name: str, *taints: Obj, **labels: str) -> Obj:
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": [*taints]}}


def taint(effect: str, key: str = "no") -> Obj:
    return {"key": key, "effect": effect}


def revision(owner: Obj, number: int = 1, image: str = "web:1") -> Obj:
    template = objects.evolve(build.template(), ("spec", "containers"), [{"name": "main", "image": image}])
    made = history.of(build.Snapshot(), objects.evolve(owner, ("spec", "template"), template), history.HASH).current
    metadata = {**made["metadata"], "uid": f"uid-{number}", "creationTimestamp": ago(60)}
    return {**made, "metadata": metadata, "revision": number}


def pod(name: str, owner: Obj, on: str, *, of: Obj | None = None, **more: Any) -> Obj:
    made = build.pod(name, owner, **{"spec__nodeName": on, **more})
    labels = {"app": "web", history.HASH: objects.labels(of or revision(owner))[history.HASH]}
    return objects.evolve(made, ("metadata", "labels"), labels)


def plan(owner: Obj, nodes: list[Obj], *pods: Obj, revisions: list[Obj] | None = None, now: float = NOW) -> list[Any]:
    known = [revision(owner)] if revisions is None else revisions
    lists = {"daemonsets.apps": [owner], history.REVISIONS: known}
    return list(CONTROLLER.plan(build.Snapshot(pods=pods, nodes=nodes, **lists), build.key(), now))


def only(plan: list[Any], kind: Any) -> list[Any]:
    return [action for action in plan if isinstance(action, kind)]


def made_for(plan: list[Any]) -> list[str]:
    return [daemonpod.node_of(action.obj) for action in only(plan, Create) if action.resource == "pods"]


def deleted(plan: list[Any]) -> list[str]:
    return [action.name for action in only(plan, Delete)]


# ── where ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_node_gets_a_pod_that_is_tied_to_it_and_tolerates_trouble() -> None:
    actions = plan(daemon_set(), [node("a"), node("b")])
    assert made_for(actions) == ["a", "b"]
    made = only(actions, Create)[0].obj
    assert made["metadata"]["labels"][history.HASH]
    assert objects.get(made, *AFFINITY)["nodeSelectorTerms"][0]["matchFields"][0]["values"] == ["a"]
    told = {(t["key"].removeprefix("node.kubernetes.io/"), t["effect"]) for t in made["spec"]["tolerations"]}
    assert ("not-ready", "NoExecute") in told
    assert ("unschedulable", "NoSchedule") in told
    assert ("network-unavailable", "NoSchedule") not in told
    assert "affinity" not in daemon_set()["spec"]["template"]["spec"]


def test_a_daemon_on_the_nodes_network_does_without_one() -> None:
    assert any(t["key"].endswith("network-unavailable") for t in daemonpod.tolerations({"hostNetwork": True}))


def requires(operator: str, *values: str) -> Obj:
    expression = {"key": "n", "operator": operator, "values": [*values]}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({"nodeSelector": {"n": "1"}}, ["a"]),
        ({"nodeName": "b"}, ["b"]),
        (requires("In", "1", "9"), ["a"]),
        (requires("NotIn", "1"), ["b", "c"]),
        (requires("Exists"), ["a", "b"]),
        (requires("DoesNotExist"), ["c"]),
        (requires("Gt", "1"), ["b"]),
        (requires("Lt", "5"), ["a"]),
    ],
)
def test_selector_affinity_and_name_narrow_the_nodes(spec: Obj, names: list[str]) -> None:
    owner = daemon_set()
    owner["spec"]["template"] = {**build.template(), "spec": {**build.template()["spec"], **spec}}
    assert made_for(plan(owner, [node("a", n="1"), node("b", n="5"), node("c")], revisions=[])) == names


def test_a_taint_keeps_new_pods_away_and_one_that_executes_ends_those_that_are_there() -> None:
    owner = daemon_set()
    nodes = [node("a", taint("NoSchedule")), node("b", taint("NoExecute")), node("c", taint("PreferNoSchedule"))]
    assert made_for(plan(owner, nodes)) == ["c"]
    found = [pod("x", owner, "a", ready=9), pod("y", owner, "b", ready=9), pod("z", owner, "c", ready=9)]
    actions = plan(owner, nodes, *found)
    assert deleted(actions) == ["y"]
    status = only(actions, Update)[0].obj["status"]
    assert (status["desiredNumberScheduled"], status["numberMisscheduled"]) == (1, 2)


def test_a_cordoned_node_keeps_its_daemon() -> None:
    cordoned = node("a", taint("NoSchedule", "node.kubernetes.io/unschedulable"))
    assert made_for(plan(daemon_set(), [cordoned])) == ["a"]


def test_a_pod_that_waits_for_a_node_that_is_gone_goes_too() -> None:
    owner = daemon_set()
    waiting = objects.evolve(pod("x", owner, ""), AFFINITY, {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["gone"]}]}]})  # fmt: skip
    assert deleted(plan(owner, [], waiting)) == ["x"]
    assert deleted(plan(owner, [], pod("y", owner, "gone"))) == []


def test_of_two_pods_of_a_node_the_elder_stays() -> None:
    owner = daemon_set()
    elder = pod("x", owner, "a", ready=9, metadata__creationTimestamp=ago(100))
    assert deleted(plan(owner, [node("a")], pod("y", owner, "a", ready=9), elder)) == ["y"]


def test_a_failed_pod_is_replaced_each_time_later() -> None:
    owner = daemon_set()
    failed = pod("x", owner, "a", phase="Failed")
    actions = plan(owner, [node("a")], failed)
    assert [(e.type, e.reason) for e in only(actions, Event)] == [("Warning", "FailedDaemonPod")]
    assert only(actions, Event)[0].message == "Found failed daemon pod default/x on node a, will try to kill it"
    assert deleted(actions) == ["x"]
    again = only(actions, Create)[0].obj
    assert again["metadata"]["annotations"] == {daemonpod.FAILURES: "1"}
    failed["metadata"]["annotations"] = {daemonpod.FAILURES: "8"}
    assert only(plan(owner, [node("a")], failed), After) == [After(128 - 60)]


def test_a_pod_on_its_way_out_is_waited_for() -> None:
    owner = daemon_set()
    dying = pod("x", owner, "a", metadata__deletionTimestamp=ago(1))
    actions = plan(owner, [node("a")], dying)
    assert not made_for(actions) and not deleted(actions)


def test_nodes_wake_every_daemon_set_by_labels_and_taints_alone() -> None:
    snapshot = build.Snapshot(**{"daemonsets.apps": [daemon_set()]})
    keys = CONTROLLER.inputs[2].keys
    alive = {**node("a"), "status": {"conditions": []}}
    assert list(keys(snapshot, node("a"), alive)) == []
    assert list(keys(snapshot, None, node("a"))) == [build.key()]
    assert list(keys(snapshot, node("a"), node("a", taint("NoSchedule")))) == [build.key()]


# ── rolling ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_template_is_a_new_revision_and_replaces_as_many_pods_as_may_be_missing() -> None:
    owner = daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}})
    old = revision(owner, image="web:0")
    found = [pod(name, owner, name, of=old, ready=9) for name in "abcd"]
    actions = plan(owner, [node(name) for name in "abcd"], *found, revisions=[old])
    made = only(actions, Create)[0].obj
    assert (made["kind"], made["revision"]) == ("ControllerRevision", 2)
    assert made["data"]["spec"]["template"]["$patch"] == "replace"
    assert deleted(actions) == ["a", "b"]


def test_what_is_not_available_is_replaced_first_and_counts() -> None:
    owner = daemon_set()
    old = revision(owner, image="web:0")
    found = [pod("a", owner, "a", of=old, ready=9), pod("b", owner, "b", of=old)]
    assert deleted(plan(owner, [node("a"), node("b")], *found, revisions=[old])) == ["b"]


def test_on_delete_waits_for_the_user() -> None:
    owner = daemon_set(updateStrategy={"type": "OnDelete"})
    old = revision(owner, image="web:0")
    actions = plan(owner, [node("a")], pod("a", owner, "a", of=old, ready=9), revisions=[old])
    assert deleted(actions) == []
    assert "updatedNumberScheduled" not in only(actions, Update)[0].obj["status"]


def test_a_surge_brings_the_new_pod_before_the_old_one_goes() -> None:
    owner = daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})
    old, new = revision(owner, image="web:0"), revision(owner, 2)
    nodes = [node("a"), node("b")]
    found = [pod(name, owner, name, of=old, ready=99) for name in "ab"]
    assert made_for(plan(owner, nodes, *found, revisions=[old, new])) == ["a"]
    coming = pod("a2", owner, "a", of=new, metadata__creationTimestamp=ago(5))
    waiting = plan(owner, nodes, *found, coming, revisions=[old, new])
    assert not made_for(waiting) and not deleted(waiting)
    arrived = pod("a2", owner, "a", of=new, ready=1, metadata__creationTimestamp=ago(5))
    assert deleted(plan(owner, nodes, *found, arrived, revisions=[old, new])) == ["a"]


def test_an_undo_gives_the_old_revision_a_new_number() -> None:
    owner = daemon_set()
    first, second = revision(owner, 1), revision(owner, 2, image="web:2")
    updates = only(plan(owner, [], revisions=[first, second]), Update)
    assert updates[0].obj["metadata"]["name"] == first["metadata"]["name"]
    assert updates[0].obj["revision"] == 3


def test_old_revisions_go_beyond_the_limit_unless_a_pod_is_of_them() -> None:
    owner = daemon_set(revisionHistoryLimit=1, updateStrategy={"type": "OnDelete"})
    old = [revision(owner, number, image=f"web:{number + 10}") for number in (1, 2, 3)]
    found = pod("a", owner, "a", of=old[0], ready=9)
    assert deleted(plan(owner, [node("a")], found, revisions=[*old, revision(owner, 4)])) == [objects.name(old[1])]
