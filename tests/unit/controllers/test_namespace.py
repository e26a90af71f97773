from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, DeleteCollection, Update
from pybernetes.control.controller import Key
from pybernetes.controllers import namespace as controller
from pybernetes.kinds import table
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW

KINDS = table.builtin()
ROW = controller.controller(KINDS)
SHOP = Key("", "shop")


def dying(**more: Any) -> Obj:
    made: Obj = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "uid": "u", "deletionTimestamp": build.ago(10)},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Terminating"},
    }
    for path, value in more.items():
        made = objects.evolve(made, path.split("__"), value)
    return made


def plan(namespace: Obj | None) -> list[Any]:
    return list(ROW.plan(build.Snapshot(namespaces=[namespace] if namespace else []), SHOP, NOW))


def listed(*items: Obj) -> Obj:
    return {"items": list(items)}


def answered(actions: list[Any], **answers: Any) -> list[Any]:
    """What the plan goes on with when the API answers so, and with empty lists for the rest."""
    while len(actions) == 1 and isinstance(actions[0], Ask):
        asked = actions[0]
        actions = list(asked.then([answers.get(question.resource, listed()) for question in asked.questions]))
    return actions


def told(actions: list[Any]) -> dict[str, tuple[str, str, str]]:
    (update,) = [action for action in actions if isinstance(action, Update)]
    assert (update.resource, update.subresource) == ("namespaces", "status")
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in update.obj["status"]["conditions"]}


@pytest.mark.parametrize(
    "namespace",
    [
        None,
        {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}},
        dying(spec__finalizers=["example.com/mine"]),
    ],
)
def test_a_namespace_that_is_gone_or_lives_or_was_let_go_asks_for_nothing(namespace: Obj | None) -> None:
    assert plan(namespace) == []


def test_its_phase_is_told_first() -> None:
    (update,) = plan(dying(status__phase="Active"))
    assert (update.subresource, update.obj["status"]["phase"]) == ("status", "Terminating")


def test_pods_go_before_everything_else() -> None:
    (first,) = plan(dying())
    assert first.questions == [DeleteCollection("pods", "shop")]
    (second,) = first.then([listed()])
    asked = [question.resource for question in second.questions]
    assert {"configmaps", "deployments.apps", "serviceaccounts", "events"} <= set(asked)
    assert "pods" not in asked
    assert "events.events.k8s.io" not in asked
    assert len(asked) == len(set(asked))
    assert all(KINDS.by_resource(resource).namespaced for resource in asked)


def test_an_empty_namespace_is_let_go_and_other_finalizers_stay() -> None:
    (update,) = answered(plan(dying(spec__finalizers=["kubernetes", "example.com/mine"])))
    assert update.subresource == "finalize"
    assert update.obj["spec"]["finalizers"] == ["example.com/mine"]


def test_what_stays_is_told_with_the_finalizers_that_keep_it() -> None:
    kept = {"metadata": {"finalizers": ["example.com/guard"]}}
    actions = answered(plan(dying()), configmaps=listed(kept, {}), **{"deployments.apps": listed(kept)})
    conditions = told(actions)
    assert conditions["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 1 resource instances",
    )
    assert conditions["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: example.com/guard in 2 resource instances",
    )
    assert conditions["NamespaceDeletionContentFailure"][:2] == ("False", "ContentDeleted")
    assert len(conditions) == 5
    assert [a for a in actions if isinstance(a, After)] == [After(5)]


def test_a_refusal_is_told_and_keeps_the_namespace() -> None:
    actions = answered(plan(dying()), secrets=errors.Forbidden("no secrets for you"))
    assert told(actions)["NamespaceDeletionContentFailure"] == (
        "True",
        "ContentDeletionFailed",
        "Failed to delete all resource types, 1 remaining: no secrets for you",
    )


def test_conditions_that_are_true_already_are_not_written_again() -> None:
    first = answered(plan(dying()), pods=listed({}))
    written = next(action.obj for action in first if isinstance(action, Update))
    assert answered(plan(written), pods=listed({})) == [After(5)]


def test_the_end_of_the_last_object_of_a_kind_wakes_a_dying_namespace() -> None:
    keys = controller.emptied("configmaps")
    gone, left = ({"metadata": {"name": name, "namespace": "shop"}} for name in "ab")
    assert list(keys(build.Snapshot(namespaces=[dying()]), gone, None)) == [SHOP]
    assert list(keys(build.Snapshot(namespaces=[dying()], configmaps=[left]), gone, None)) == []
    living = objects.without(dying(), ("metadata", "deletionTimestamp"))
    assert list(keys(build.Snapshot(namespaces=[living]), gone, None)) == []
    assert list(keys(build.Snapshot(namespaces=[dying()]), None, gone)) == []
