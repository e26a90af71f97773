from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, Delete, Event, Get, Patch
from pybernetes.controllers.garbagecollector.owners import Owner
from pybernetes.controllers.garbagecollector.row import controller
from pybernetes.kinds import table
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW

ROW = controller(table.builtin())
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}
REPLICA_SET = {"apiVersion": "apps/v1", "kind": "ReplicaSet"}
POD = {"apiVersion": "v1", "kind": "Pod"}
RESOURCES = {"Deployment": "deployments.apps", "ReplicaSet": "replicasets.apps", "Pod": "pods", "Node": "nodes"}


def made(kind: Obj, name: str, *owners: Obj, finalizer: str = "", namespace: str = "default", **more: Any) -> Obj:
    """An object; with a ``finalizer`` it is being deleted."""
    metadata: Obj = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": "7", **more}
    if owners:
        metadata["ownerReferences"] = [objects.owner_reference(owner) for owner in owners]
    if finalizer:
        metadata |= {"deletionTimestamp": build.ago(1), "finalizers": [finalizer, "example.com/mine"]}
    return {**kind, "metadata": metadata}


def world(*found: Obj) -> build.Snapshot:
    lists: dict[str, list[Obj]] = {}
    for obj in found:
        lists.setdefault(RESOURCES[obj["kind"]], []).append(obj)
    return build.Snapshot(**lists)


def key(obj: Obj) -> Owner:
    return Owner(objects.namespace(obj), objects.name(obj), RESOURCES[obj["kind"]], objects.uid(obj))


def plan(owner: Obj, *found: Obj, answers: list[Any] | None = None) -> list[Any]:
    """The plan for ``owner`` in a world of ``found``, whose question, if any, is answered so."""
    actions = list(ROW.plan(world(*found), key(owner), NOW))
    if answers is None:
        return actions
    (ask,) = actions
    assert isinstance(ask, Ask)
    return list(ask.then(answers))


def deleted(actions: list[Any]) -> list[tuple[str, str]]:
    return [(action.name, action.propagation) for action in actions if isinstance(action, Delete)]


WEB = made(DEPLOYMENT, "web")
RS = made(REPLICA_SET, "web-1", WEB)
A, B = made(POD, "a", RS), made(POD, "b", RS)


def test_the_dependents_of_an_owner_that_lives_are_in_order() -> None:
    assert plan(RS, RS, A, B) == []


def test_an_owner_without_dependents_is_not_even_asked_for() -> None:
    assert plan(WEB) == []


def test_dependents_of_an_owner_that_is_gone_go_once_the_api_agrees() -> None:
    (ask,) = plan(RS, A, B)
    assert ask.questions == [Get("replicasets.apps", "default", "web-1")]
    actions = ask.then([None])
    assert deleted(actions) == [("a", "Background"), ("b", "Background")]
    assert (actions[0].uid, actions[0].resource_version) == ("uid-a", "7")


def test_an_owner_of_the_same_name_but_another_uid_is_gone() -> None:
    another = made(REPLICA_SET, "web-1", uid="another")
    assert deleted(plan(RS, another, A, answers=[another])) == [("a", "Background")]


def test_an_owner_that_no_cache_has_seen_yet_keeps_its_dependents() -> None:
    assert plan(RS, A, answers=[RS]) == []


def test_a_refusal_kills_nobody_and_is_asked_again() -> None:
    assert plan(RS, A, answers=[errors.ServiceUnavailable("away")]) == [After(5)]


def test_an_owner_that_lives_keeps_a_dependent_and_the_reference_to_the_other_goes() -> None:
    other = made(DEPLOYMENT, "other")
    shared = made(POD, "shared", RS, other)
    (patch,) = plan(RS, other, shared, answers=[None])
    assert isinstance(patch, Patch)
    assert patch.patch["metadata"]["ownerReferences"] == [objects.owner_reference(other)]
    assert patch.patch["metadata"]["resourceVersion"] == "7"


def test_owners_of_unknown_kinds_are_never_taken_for_gone() -> None:
    custom = made({"apiVersion": "example.com/v1", "kind": "Shop"}, "shop")
    assert plan(RS, made(POD, "a", RS, custom), answers=[None]) == [
        Patch(
            "pods", "default", "a",
            {"metadata": {"uid": "uid-a", "resourceVersion": "7",
                          "ownerReferences": [objects.owner_reference(custom)]}},
            ok_if_missing=True,
        )
    ]  # fmt: skip


def test_a_node_cannot_be_owned_by_something_in_a_namespace() -> None:
    node = made({"apiVersion": "v1", "kind": "Node"}, "n1", RS, namespace="")
    assert deleted(plan(RS, node)) == []


def test_an_owner_in_another_namespace_is_none_and_an_event_says_so() -> None:
    stray = made(POD, "stray", WEB, namespace="other")
    owner = Owner("other", "web", "deployments.apps", "uid-web")
    (ask,) = ROW.plan(world(WEB, stray), owner, NOW)
    event, delete = ask.then([None])
    assert isinstance(event, Event)
    assert (event.type, event.reason) == ("Warning", "OwnerRefInvalidNamespace")
    assert event.message == (
        'ownerRef [apps/v1/Deployment, namespace: other, name: web, uid: uid-web] does not exist in namespace "other"'
    )
    assert delete.name == "stray"


def test_in_the_foreground_blocking_dependents_go_first() -> None:
    dying = made(DEPLOYMENT, "web", finalizer="foregroundDeletion")
    assert deleted(plan(dying, dying, RS, A)) == [("web-1", "Foreground")]
    assert deleted(plan(dying, dying, RS)) == [("web-1", "Background")]


def test_an_owner_waits_for_dependents_that_are_going() -> None:
    dying = made(REPLICA_SET, "web-1", finalizer="foregroundDeletion")
    going = made(POD, "a", RS, deletionTimestamp=build.ago(1))
    assert plan(dying, dying, going) == []


@pytest.mark.parametrize("blocks", [None, False])
def test_an_owner_goes_when_nothing_blocks_it_any_more(blocks: bool | None) -> None:
    dying = made(REPLICA_SET, "web-1", finalizer="foregroundDeletion")
    free = made(POD, "a")
    if blocks is not None:
        free["metadata"]["ownerReferences"] = [{**objects.owner_reference(RS), "blockOwnerDeletion": blocks}]
    (patch,) = plan(dying, dying, free)
    assert patch.patch == {"metadata": {"resourceVersion": "7", "finalizers": ["example.com/mine"]}}


def test_owners_in_a_circle_do_not_wait_for_each_other_for_ever() -> None:
    one = made(REPLICA_SET, "one", finalizer="foregroundDeletion")
    two = made(REPLICA_SET, "two", one, finalizer="foregroundDeletion")
    one["metadata"]["ownerReferences"] = [objects.owner_reference(two)]
    (patch,) = plan(one, one, two)
    assert patch.name == "one"
    assert patch.patch["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] is False


def test_orphans_are_set_free_before_their_owner_goes() -> None:
    dying = made(REPLICA_SET, "web-1", finalizer="orphan")
    free_a, free_b, last = plan(dying, dying, A, B)
    assert [p.patch["metadata"]["ownerReferences"] for p in (free_a, free_b)] == [None, None]
    assert (last.name, last.patch["metadata"]["finalizers"]) == ("web-1", ["example.com/mine"])


def test_a_dependent_is_deleted_as_its_own_finalizers_ask() -> None:
    kept = made(REPLICA_SET, "kept", WEB, finalizers=["orphan"])
    assert deleted(plan(WEB, kept, answers=[None])) == [("kept", "Orphan")]


def keys(old: Obj | None, new: Obj | None, *found: Obj) -> list[Owner]:
    resource = RESOURCES[(new or old or {})["kind"]]
    (row,) = [row for row in ROW.inputs if row.resource == resource]
    return list(row.keys(world(*found), old, new))


def test_only_changes_of_owners_finalizers_and_deletion_wake_anybody() -> None:
    assert keys(A, objects.evolve(A, ("status", "phase"), "Running"), A) == []
    assert keys(None, A, A) == [key(RS)]
    assert keys(None, A, A, RS) == []
    assert keys(RS, None, A) == [key(RS)]
    assert keys(A, None, RS) == []
    dying = made(REPLICA_SET, "web-1", finalizer="foregroundDeletion")
    assert keys(RS, dying, dying) == [key(RS)]
    assert keys(A, None, dying) == [key(RS)]


def test_an_owner_that_waits_hears_that_a_dependent_was_taken_from_it() -> None:
    dying = made(REPLICA_SET, "web-1", finalizer="foregroundDeletion")
    assert keys(A, made(POD, "a"), dying) == [key(RS)]


def test_all_that_can_own_or_be_owned_is_watched_by_its_metadata() -> None:
    watched = {row.resource for row in ROW.inputs}
    assert {"pods", "nodes", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io"} <= watched
    assert not {"events", "events.events.k8s.io", "subjectaccessreviews.authorization.k8s.io"} & watched
    assert all(row.metadata_only for row in ROW.inputs)
