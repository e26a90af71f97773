from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Create, Delete, Patch, Update
from pybernetes.controllers.replicaset import CONTROLLER
from pybernetes.controllers.replication import CONTROLLER as REPLICATION
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, pod, replica_set


def plan(owner: Obj | None, *pods: Obj, **more: Any) -> list[Any]:
    sets = [owner] if owner else []
    snapshot = build.Snapshot(pods=pods, **{"replicasets.apps": sets, **more})
    return list(CONTROLLER.plan(snapshot, build.key(), NOW))


def only(plan: list[Any], kind: type) -> list[Any]:
    return [action for action in plan if isinstance(action, kind)]


def settled(owner: Obj, count: int, **more: int) -> Obj:
    status = {"replicas": count, "fullyLabeledReplicas": count, "observedGeneration": 1, **more}
    return {**owner, "status": status}


def test_a_set_that_is_gone_asks_for_nothing() -> None:
    assert plan(None) == []


def test_missing_pods_are_created_from_the_template() -> None:
    owner = replica_set(replicas=2)
    creates = only(plan(owner), Create)
    assert len(creates) == 2
    made = creates[0].obj
    assert made["metadata"]["generateName"] == "web-"
    assert made["metadata"]["labels"] == {"app": "web"}
    assert made["metadata"]["ownerReferences"] == [objects.owner_reference(owner)]
    assert made["spec"] == owner["spec"]["template"]["spec"]
    assert made["spec"] is not owner["spec"]["template"]["spec"]
    assert creates[0].event.message == "Created pod: {name}"
    assert creates[0].failure_event.message == "Error creating: {error}"


def test_one_plan_makes_no_more_than_five_hundred() -> None:
    assert len(only(plan(replica_set(replicas=2000)), Create)) == 500


def test_a_refused_creation_becomes_the_condition_replica_failure() -> None:
    update = only(plan(replica_set()), Create)[0].on_failure
    assert update.subresource == "status"
    failure = objects.condition(update.obj, "ReplicaFailure")
    assert failure is not None
    assert (failure["status"], failure["reason"], failure["message"]) == ("True", "FailedCreate", "{error}")


def test_a_failure_that_is_told_is_not_told_again_and_goes_when_all_is_well() -> None:
    told = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "no"}
    owner = replica_set(replicas=1, status={"replicas": 0, "observedGeneration": 1, "conditions": [told]})
    actions = plan(owner)
    assert only(actions, Create)[0].on_failure is None
    assert "conditions" not in only(actions, Update)[0].obj["status"]


def test_finished_and_dying_pods_do_not_count() -> None:
    owner = replica_set(replicas=1)
    done = pod("a", owner, phase="Succeeded")
    dying = pod("b", owner, metadata__deletionTimestamp=build.ago(1))
    actions = plan(owner, done, dying)
    assert len(only(actions, Create)) == 1
    assert only(actions, Update)[0].obj["status"]["terminatingReplicas"] == 1


def test_the_least_valuable_pods_go_first() -> None:
    owner = replica_set(replicas=0)
    made = [
        pod("old-ready", owner, ready=5000),
        pod("new-ready", owner, ready=10),
        pod("cheap", owner, ready=5000, metadata__annotations={"controller.kubernetes.io/pod-deletion-cost": "-1"}),
        pod("unready", owner),
        pod("pending", owner, phase="Pending"),
        pod("unscheduled", owner, phase="Pending", spec={}),
    ]
    gone = [a.name for a in only(plan(owner, *made), Delete)]
    assert gone == ["unscheduled", "pending", "unready", "cheap", "new-ready", "old-ready"]


def test_pods_crowded_on_one_node_go_before_a_lonely_one() -> None:
    owner = replica_set(replicas=2)
    made = [pod("x", owner, ready=9, spec__nodeName="n2"), pod("y", owner, ready=9), pod("z", owner, ready=9)]
    delete = only(plan(owner, *made), Delete)
    assert [a.name for a in delete] == ["y"]
    assert delete[0].event.message == "Deleted pod: y"


def test_siblings_of_the_same_deployment_count_as_a_crowd() -> None:
    above = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": build.metadata("d")}
    owner, sibling = replica_set(replicas=1), replica_set("other")
    for each in (owner, sibling):
        each["metadata"]["ownerReferences"] = [objects.owner_reference(above)]
    lonely, crowded = pod("a", owner, ready=9, spec__nodeName="n2"), pod("b", owner, ready=9)
    stranger = pod("s", sibling, ready=9, metadata__labels={"app": "x"})
    actions = plan(owner, lonely, crowded, stranger, **{"replicasets.apps": [owner, sibling]})
    assert [a.name for a in only(actions, Delete)] == ["b"]


def test_an_orphan_is_adopted_and_counts() -> None:
    owner = replica_set(replicas=1)
    actions = plan(owner, pod("lost"))
    assert not only(actions, Create)
    patch = only(actions, Patch)[0]
    assert patch.patch["metadata"] == {"uid": "uid-lost", "ownerReferences": [objects.owner_reference(owner)]}


def test_a_pod_whose_labels_changed_is_released_and_replaced() -> None:
    owner = replica_set(replicas=1)
    actions = plan(owner, pod("mine", owner, metadata__labels={"app": "other"}))
    assert only(actions, Patch)[0].patch["metadata"]["ownerReferences"] == [{"$patch": "delete", "uid": "uid-web"}]
    assert len(only(actions, Create)) == 1


def test_a_set_that_is_being_deleted_neither_adopts_nor_creates() -> None:
    owner = replica_set(replicas=3)
    owner["metadata"]["deletionTimestamp"] = build.ago(1)
    assert {type(a) for a in plan(owner, pod("lost"))} == {Update}


def test_the_status_counts_ready_and_available_pods_and_waits_for_the_rest() -> None:
    owner = replica_set(replicas=3, minReadySeconds=30)
    made = [pod("a", owner, ready=60), pod("b", owner, ready=10), pod("c", owner)]
    actions = plan(owner, *made)
    status = only(actions, Update)[0].obj["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (3, 2, 1)
    assert status["fullyLabeledReplicas"] == 3
    assert only(actions, After) == [After(20)]


def test_a_status_that_is_true_is_not_written() -> None:
    owner = settled(replica_set(replicas=1), 1, readyReplicas=1, availableReplicas=1)
    assert plan(owner, pod("a", owner, ready=9)) == []


def test_a_replication_controller_has_a_plain_selector() -> None:
    owner = replica_set(replicas=2, selector={"app": "web"}) | {"apiVersion": "v1", "kind": "ReplicationController"}
    snapshot = build.Snapshot(replicationcontrollers=[owner], pods=[pod("lost")])
    actions = list(REPLICATION.plan(snapshot, build.key(), NOW))
    assert [type(a) for a in actions] == [Patch, Create, Update]
    assert actions[1].obj["metadata"]["ownerReferences"][0]["kind"] == "ReplicationController"


@pytest.mark.parametrize("owned", [True, False])
def test_a_pod_wakes_its_set_or_while_orphaned_every_set_that_matches(owned: bool) -> None:
    owner = replica_set()
    snapshot = build.Snapshot(**{"replicasets.apps": [owner]})
    changed = pod("a", owner if owned else None)
    keys = CONTROLLER.inputs[1].keys
    assert list(keys(snapshot, None, changed)) == [build.key()]
    assert list(keys(snapshot, changed, None)) == ([build.key()] if owned else [])
