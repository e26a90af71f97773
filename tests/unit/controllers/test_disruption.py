from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, Event, Look, Update
from pybernetes.controllers.disruption import row
from pybernetes.kinds import table
from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.kinds.table import KindTable
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

from . import build

SHOPS = Kind(
    group="example.com", version="v1", kind="Shop", plural="shops", singular="shop", namespaced=True, definition="",
    subresources={"scale": Subresource("Scale", ("get",), "autoscaling", "v1")},
)  # fmt: skip
ROW = row.controller(KindTable([*table.builtin(), SHOPS]))
SET = build.replica_set(replicas=4)


def budget(status: Obj | None = None, **spec: Any) -> Obj:
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": build.metadata("web", generation=1),
        "spec": {"selector": selector, **spec}, "status": status or {},
    }  # fmt: skip


def pods(ready: int, others: int = 0, owner: Obj | None = SET) -> list[Obj]:
    return [build.pod(f"p{n}", owner, ready=60 if n < ready else None) for n in range(ready + others)]


def plan(found: Obj, victims: list[Obj], *owners: Obj, **lists: Any) -> list[Any]:
    resources = {"replicasets.apps": owners, **lists}
    snapshot = build.Snapshot(**{row.BUDGETS: [found], "pods": victims, **resources})
    return list(ROW.plan(snapshot, build.key(), build.NOW))


def status(actions: list[Any]) -> Obj:
    (update,) = [action for action in actions if isinstance(action, Update)]
    told: Obj = update.obj["status"]
    return told


@pytest.mark.parametrize(
    "spec, ready, others, counted",
    [
        ({"minAvailable": 2}, 3, 0, (3, 2, 1)),
        ({"minAvailable": 2}, 1, 1, (2, 2, 0)),
        ({"minAvailable": "50%"}, 3, 0, (4, 2, 1)),
        ({"minAvailable": "51%"}, 3, 0, (4, 3, 0)),
        ({"maxUnavailable": 1}, 4, 0, (4, 3, 1)),
        ({"maxUnavailable": 1}, 3, 1, (4, 3, 0)),
        ({"maxUnavailable": "30%"}, 4, 0, (4, 2, 2)),
        ({"maxUnavailable": 9}, 2, 0, (4, 0, 2)),
        ({}, 3, 0, (3, 0, 3)),
        ({"maxUnavailable": "100%"}, 0, 0, (0, 0, 0)),
    ],
)
def test_a_budget_counts_by_what_owners_want_and_what_is_healthy(
    spec: Obj, ready: int, others: int, counted: tuple[int, int, int]
) -> None:
    told = status(plan(budget(**spec), pods(ready, others), SET))
    assert told["currentHealthy"] == ready
    assert (told["expectedPods"], told["desiredHealthy"], told["disruptionsAllowed"]) == counted
    allowed = counted[2]
    (condition,) = told["conditions"]
    assert (condition["status"], condition["reason"]) == (
        ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    )


def test_what_is_told_already_is_not_written() -> None:
    told = status(plan(budget(minAvailable=2), pods(3)))
    assert plan(budget(told, minAvailable=2), pods(3)) == []


def test_a_pod_that_was_let_go_counts_as_gone_for_two_minutes() -> None:
    noted = {"disruptedPods": {"p0": build.ago(30), "other": build.ago(1)}}
    actions = plan(budget(noted, minAvailable=2), pods(3))
    told = status(actions)
    assert (told["currentHealthy"], told["disruptionsAllowed"]) == (2, 0)
    assert told["disruptedPods"] == {"p0": build.ago(30)}
    assert actions[-1] == After(90.0)


def test_one_that_is_still_there_then_counts_again_and_is_told_of() -> None:
    actions = plan(budget({"disruptedPods": {"p0": build.ago(121)}}, minAvailable=2), pods(3))
    assert status(actions)["disruptionsAllowed"] == 1
    (event,) = [action for action in actions if isinstance(action, Event)]
    assert event.message == "Pod was expected by PDB default/web to be deleted but it wasn't"


def test_pods_of_a_deployment_count_by_the_deployment() -> None:
    above = build.deployment(replicas=6)
    below = objects.evolve(SET, ("metadata", "ownerReferences"), [objects.owner_reference(above)])
    told = status(plan(budget(maxUnavailable=1), pods(4), below, **{"deployments.apps": [above]}))
    assert (told["expectedPods"], told["desiredHealthy"]) == (6, 5)


def test_nobody_may_go_where_the_number_of_pods_is_not_known() -> None:
    actions = plan(budget(maxUnavailable=1), pods(2, owner={**SET, "kind": "DaemonSet"}))
    assert "daemonsets.apps does not implement the scale subresource" in actions[0].message
    told = status(actions)
    assert (told["disruptionsAllowed"], told["conditions"][0]["reason"]) == (0, "SyncFailed")


def test_an_owner_that_is_not_watched_is_asked_for_its_scale() -> None:
    shop = {"apiVersion": "example.com/v1", "kind": "Shop", "metadata": build.metadata("shop")}
    (ask,) = plan(budget(maxUnavailable=1), pods(2, owner=shop))
    assert isinstance(ask, Ask)
    assert ask.questions == [Look("/apis/example.com/v1/namespaces/default/shops/shop/scale")]
    told = status(list(ask.then([{"spec": {"replicas": 3}}])))
    assert (told["expectedPods"], told["desiredHealthy"]) == (3, 2)
    refused = list(ask.then([errors.NotFound("no such shop")]))
    assert status(refused)["conditions"][0]["message"] == "no such shop"


def test_pods_of_nobody_are_told_of_where_shares_count() -> None:
    actions = plan(budget(maxUnavailable=1), pods(2, owner=None))
    assert [action.reason for action in actions if isinstance(action, Event)] == ["UnmanagedPods"]
    assert [a.reason for a in plan(budget(minAvailable=1), []) if isinstance(a, Event)] == ["NoPods"]


def test_pods_and_sizes_wake_the_budgets_that_they_concern() -> None:
    snapshot = build.Snapshot(**{row.BUDGETS: [budget(), budget() | {"metadata": build.metadata("all")}]})
    of_pod, of_owner = ROW.inputs[1].keys, ROW.inputs[2].keys
    assert list(of_pod(snapshot, None, build.pod("a"))) == [build.key(), build.key("all")]
    stranger = objects.evolve(build.pod("a"), ("metadata", "labels"), {"app": "db"})
    assert list(of_pod(snapshot, None, stranger)) == []
    assert list(of_owner(snapshot, SET, build.replica_set(replicas=5))) == [build.key(), build.key("all")]
    assert list(of_owner(snapshot, SET, SET)) == []
