from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Create, Delete, Event, Patch, Update
from pybernetes.controllers import history
from pybernetes.controllers.statefulset.sync import CONTROLLER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, ago

CLAIMS = "persistentvolumeclaims"
PARALLEL: Any = {"podManagementPolicy": "Parallel"}


def stateful_set(replicas: int = 3, *, status: Obj | None = None, claims: bool = False, **spec: Any) -> Obj:
    template = {"metadata": {"name": "data", "labels": {"a": "b"}}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": build.metadata("web", generation=1),
        "spec": {
            "replicas": replicas,
            "serviceName": "h",
            "podManagementPolicy": "OrderedReady",
            "selector": {"matchLabels": {"app": "web"}},
            "template": build.template(),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "volumeClaimTemplates": [template] if claims else [],
            "revisionHistoryLimit": 10,
            **spec,
        },
        "status": status or {},
    }


def rolling(**more: Any) -> Any:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, **more}}}


def revision(owner: Obj, number: int = 1, image: str = "web:1") -> Obj:
    template = objects.evolve(build.template(), ("spec", "containers"), [{"name": "main", "image": image}])
    changed = objects.evolve(owner, ("spec", "template"), template)
    made = history.of(build.Snapshot(), changed, "controller.kubernetes.io/hash").current
    metadata = {**made["metadata"], "uid": f"uid-r{number}", "creationTimestamp": ago(60)}
    return {**made, "metadata": metadata, "revision": number}


def pod(owner: Obj, ordinal: int, *, of: Obj | None = None, ready: float | None = 9, **more: Any) -> Obj:
    made = build.pod(f"web-{ordinal}", owner, ready=ready, **more)
    marks = {
        "app": "web",
        history.HASH: objects.name(of or revision(owner)),
        "statefulset.kubernetes.io/pod-name": f"web-{ordinal}",
    }
    return objects.evolve(made, ("metadata", "labels"), marks)


def claim(ordinal: int, *owners: Obj, **more: Any) -> Obj:
    references = [objects.owner_reference({"apiVersion": "v1", "kind": "Pod", **owner}) for owner in owners]
    return {"metadata": build.metadata(f"data-web-{ordinal}", ownerReferences=references, **more)}


def plan(owner: Obj, *pods: Obj, revisions: list[Obj] | None = None, claims: list[Obj] | None = None) -> list[Any]:
    known = [revision(owner)] if revisions is None else revisions
    lists = {"statefulsets.apps": [owner], history.REVISIONS: known, CLAIMS: claims or []}
    return list(CONTROLLER.plan(build.Snapshot(pods=pods, **lists), build.key(), NOW))


def only(plan: list[Any], kind: Any) -> list[Any]:
    return [action for action in plan if isinstance(action, kind)]


def created(plan: list[Any], resource: str = "pods") -> list[str]:
    return [objects.name(action.obj) for action in only(plan, Create) if action.resource == resource]


def deleted(plan: list[Any]) -> list[str]:
    return [action.name for action in only(plan, Delete)]


def status_of(plan: list[Any]) -> Obj:
    found: Obj = next(action.obj["status"] for action in only(plan, Update) if action.subresource == "status")
    return found


# ── the row ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pod_has_a_name_a_place_and_a_host_name() -> None:
    actions = plan(stateful_set())
    (create,) = only(actions, Create)
    made = create.obj
    assert made["metadata"]["name"] == "web-0"
    assert made["metadata"]["labels"] == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-0",
        "apps.kubernetes.io/pod-index": "0",
        history.HASH: objects.name(revision(stateful_set())),
    }
    assert (made["spec"]["hostname"], made["spec"]["subdomain"]) == ("web-0", "h")
    assert create.event.message == "create Pod web-0 in StatefulSet web successful"


@pytest.mark.parametrize(
    ("spec", "states", "names"),
    [
        ({}, [], ["web-0"]),
        ({}, [9], ["web-1"]),
        ({}, [None], []),
        ({"minReadySeconds": 30}, [9], []),
        (PARALLEL, [], ["web-0", "web-1", "web-2"]),
        (PARALLEL, [None], ["web-1", "web-2"]),
        ({"ordinals": {"start": 5}}, [], ["web-5"]),
    ],
)
def test_an_ordered_set_goes_on_when_the_last_pod_is_available(
    spec: Obj, states: list[float | None], names: list[str]
) -> None:
    owner = stateful_set(**spec)
    assert created(plan(owner, *(pod(owner, i, ready=ready) for i, ready in enumerate(states)))) == names


def test_availability_that_comes_with_time_is_waited_for() -> None:
    owner = stateful_set(minReadySeconds=30)
    assert After(21) in plan(owner, pod(owner, 0))


def test_the_highest_ordinal_goes_first_and_alone() -> None:
    owner = stateful_set(replicas=1)
    found = [pod(owner, ordinal) for ordinal in range(3)]
    assert deleted(plan(owner, *found)) == ["web-2"]
    found[2] = pod(owner, 2, metadata__deletionTimestamp=ago(1))
    assert deleted(plan(owner, *found)) == []
    found[2] = pod(owner, 2, ready=None)
    assert deleted(plan(owner, *found)) == ["web-2"]
    found[1] = pod(owner, 1, ready=None)
    assert deleted(plan(owner, *found)) == []
    parallel = stateful_set(replicas=1, **PARALLEL)
    assert deleted(plan(parallel, *found)) == ["web-2", "web-1"]


def test_a_pod_that_ended_is_deleted_and_made_again_when_it_is_gone() -> None:
    owner = stateful_set()
    actions = plan(owner, pod(owner, 0, phase="Failed"))
    assert deleted(actions) == ["web-0"]
    assert created(actions) == []
    (event,) = only(actions, Event)
    assert (event.reason, event.message) == (
        "RecreatingFailedPod",
        "StatefulSet default/web is recreating failed Pod web-0",
    )


def test_a_pod_on_its_way_out_is_waited_for() -> None:
    owner = stateful_set()
    assert created(plan(owner, pod(owner, 0, metadata__deletionTimestamp=ago(1)))) == []


def test_only_pods_of_its_names_are_taken_in_and_get_what_they_lack() -> None:
    owner = stateful_set(replicas=1)
    orphan = build.pod("web-0", ready=9)
    actions = plan(owner, orphan, build.pod("other-0", ready=9), build.pod("web-x", ready=9))
    assert [patch.name for patch in only(actions, Patch)] == ["web-0", "web-0"]
    assert only(actions, Patch)[1].patch["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "web-0"


def test_a_set_that_is_deleted_only_tells_its_status() -> None:
    owner = stateful_set()
    owner["metadata"]["deletionTimestamp"] = ago(1)
    assert {type(action) for action in plan(owner, revisions=[])} == {Update}


# ── claims ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pod_gets_its_claims_before_it_is_made() -> None:
    actions = plan(stateful_set(claims=True))
    made, pod = (create.obj for create in only(actions, Create))
    assert made["metadata"]["name"] == "data-web-0"
    assert made["metadata"]["labels"] == {"a": "b", "app": "web"}
    assert "ownerReferences" not in made["metadata"]
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]
    assert only(actions, Create)[0].event.message == "create Claim data-web-0 Pod web-0 in StatefulSet web success"


def test_a_claim_that_is_there_is_taken_and_a_pending_pod_gets_one_that_is_lost() -> None:
    owner = stateful_set(claims=True)
    assert created(plan(owner, claims=[claim(0)]), CLAIMS) == []
    assert created(plan(owner, pod(owner, 0, ready=None, phase="Pending")), CLAIMS) == ["data-web-0"]


@pytest.mark.parametrize(
    ("deleted", "scaled", "kept", "condemned"),
    [
        ("Retain", "Retain", [], []),
        ("Delete", "Retain", ["uid-web"], ["uid-web"]),
        ("Retain", "Delete", [], ["uid-web-1"]),
        ("Delete", "Delete", ["uid-web"], ["uid-web-1"]),
    ],
)
def test_the_policy_decides_who_owns_a_claim(deleted: str, scaled: str, kept: list[str], condemned: list[str]) -> None:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    owner = stateful_set(replicas=1, claims=True, persistentVolumeClaimRetentionPolicy=policy)
    actions = plan(owner, pod(owner, 0), pod(owner, 1), claims=[claim(0), claim(1)])
    patches = {patch.name: patch.patch["metadata"]["ownerReferences"] for patch in only(actions, Patch)}
    assert [ref["uid"] for ref in patches.get("data-web-0", [])] == kept
    assert [ref["uid"] for ref in patches.get("data-web-1", [])] == condemned
    assert isinstance(actions[-1], Delete)


def test_a_claim_is_given_back_when_the_policy_changes() -> None:
    owner = stateful_set(replicas=1, claims=True)
    held = claim(0, owner)
    (patch,) = only(plan(owner, pod(owner, 0), claims=[held]), Patch)
    assert patch.patch["metadata"]["ownerReferences"] == [{"$patch": "delete", "uid": "uid-web"}]


def test_a_pod_waits_for_the_claims_of_its_predecessor_to_be_gone() -> None:
    owner = stateful_set(claims=True)
    going = claim(0, metadata := build.pod("web-0"))
    assert metadata["kind"] == "Pod"
    assert created(plan(owner, claims=[going])) == []
    assert created(plan(owner, claims=[claim(0, deletionTimestamp=ago(1))])) == []
    snapshot = build.Snapshot(**{"statefulsets.apps": [owner]})
    assert list(CONTROLLER.inputs[2].keys(snapshot, going, None)) == [build.key()]


# ── rolling ──────────────────────────────────────────────────────────────────────────────────────────────


def row(owner: Obj, old: Obj, *ready: float | None) -> list[Obj]:
    return [pod(owner, ordinal, of=old, ready=since) for ordinal, since in enumerate(ready)]


def test_old_pods_go_from_the_highest_down_to_the_partition() -> None:
    owner = stateful_set(**rolling(partition=1))
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    found = row(owner, old, 9, 9, 9)
    assert deleted(plan(owner, *found, revisions=[old, new])) == ["web-2"]
    found[2] = pod(owner, 2, of=new)
    assert deleted(plan(owner, *found, revisions=[old, new])) == ["web-1"]
    found[1] = pod(owner, 1, of=new)
    assert deleted(plan(owner, *found, revisions=[old, new])) == []


def test_below_the_partition_a_lost_pod_comes_back_as_it_was() -> None:
    old_name = objects.name(revision(stateful_set(), 1, "web:0"))
    owner = stateful_set(status={"currentRevision": old_name}, **rolling(partition=1))
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    (create,) = only(plan(owner, revisions=[old, new]), Create)
    assert create.obj["spec"]["containers"][0]["image"] == "web:0"
    assert create.obj["metadata"]["labels"][history.HASH] == old_name


def test_a_broken_new_pod_stops_an_ordered_rollout() -> None:
    owner = stateful_set(replicas=2)
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    found = [pod(owner, 0, of=old), pod(owner, 1, of=new, ready=None)]
    assert deleted(plan(owner, *found, revisions=[old, new])) == []


def test_several_may_go_at_once() -> None:
    owner = stateful_set(replicas=4, **PARALLEL, **rolling(maxUnavailable="50%"))
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    assert deleted(plan(owner, *row(owner, old, 9, 9, 9, 9), revisions=[old, new])) == ["web-3", "web-2"]
    assert deleted(plan(owner, *row(owner, old, 9, None, 9, 9), revisions=[old, new])) == ["web-3", "web-1"]


def test_on_delete_waits_for_the_user() -> None:
    owner = stateful_set(replicas=1, updateStrategy={"type": "OnDelete"})
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    assert deleted(plan(owner, *row(owner, old, 9), revisions=[old, new])) == []


def test_the_status_tells_of_two_revisions_until_the_rollout_is_complete() -> None:
    owner = stateful_set(replicas=2)
    old, new = revision(owner, 1, "web:0"), revision(owner, 2)
    owner["status"] = {"currentRevision": objects.name(old)}
    told = status_of(plan(owner, pod(owner, 0, of=old), pod(owner, 1, of=new), revisions=[old, new]))
    assert told == {
        "observedGeneration": 1, "replicas": 2, "readyReplicas": 2, "availableReplicas": 2, "currentReplicas": 1,
        "updatedReplicas": 1, "currentRevision": objects.name(old), "updateRevision": objects.name(new),
        "collisionCount": 0,
    }  # fmt: skip
    done = status_of(plan(owner, pod(owner, 0, of=new), pod(owner, 1, of=new), revisions=[old, new]))
    assert done["currentRevision"] == objects.name(new)
    assert done["currentReplicas"] == done["updatedReplicas"] == 2


def test_a_name_that_another_revision_has_is_avoided_and_counted() -> None:
    owner = stateful_set()
    taken = revision(owner)
    stranger = {**taken, "metadata": {**taken["metadata"], "ownerReferences": [], "labels": {}}}
    actions = plan(owner, revisions=[stranger])
    made = next(action.obj for action in only(actions, Create) if action.resource == history.REVISIONS)
    assert objects.name(made) != objects.name(taken)
    assert status_of(actions)["collisionCount"] == 1
