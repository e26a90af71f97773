"""What a Deployment does with its ReplicaSets: the new one, the two strategies, history and clean-up."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import Create, Delete, Event, Patch, Update
from pybernetes.control.controller import Key
from pybernetes.controllers.deployment import revision
from pybernetes.controllers.deployment.sync import CONTROLLER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, deployment

SETS = "replicasets.apps"
RECREATE = {"type": "Recreate"}


def plan(owner: Obj, *sets: Obj, pods: tuple[Obj, ...] = ()) -> list[Any]:
    snapshot = build.Snapshot(pods=pods, **{"deployments.apps": [owner], SETS: sets})
    return list(CONTROLLER.plan(snapshot, build.key(), NOW))


def only(actions: list[Any], kind: type, resource: str = SETS) -> list[Any]:
    return [a for a in actions if isinstance(a, kind) and getattr(a, "resource", resource) == resource]


def set_of(
    owner: Obj, number: int, size: int, available: int | None = None, *, image: str = "", notes: Obj | None = None
) -> Obj:
    """A ReplicaSet of ``owner``: with ``image`` an old one, else the new one; its status has caught up."""
    if image:
        owner = with_image(owner, image)
    made = revision.replica_set(owner, revision.template_hash(owner["spec"]["template"], None))
    made = revision.sized(owner, revision.annotated(owner, made, number), size)
    made["metadata"] |= {"uid": f"uid-{made['metadata']['name']}", "generation": 1}
    made["metadata"]["creationTimestamp"] = build.ago(1000 - number)
    made["metadata"]["annotations"] |= notes or {}
    ready = size if available is None else available
    counts = {"replicas": size, "readyReplicas": ready, "availableReplicas": ready, "observedGeneration": 1}
    return {**made, "status": counts}


def with_image(owner: Obj, image: str) -> Obj:
    template = owner["spec"]["template"]
    container = {**template["spec"]["containers"][0], "image": image}
    return objects.evolve(owner, ("spec", "template", "spec", "containers"), [container])


def sizes(actions: list[Any]) -> dict[str, int]:
    return {objects.name(a.obj): a.obj["spec"]["replicas"] for a in only(actions, Update)}


def events(actions: list[Any]) -> list[str]:
    return [a.event.message for a in actions if getattr(a, "event", None)]


# ── the new ReplicaSet ───────────────────────────────────────────────────────────────────────────────────


def test_a_new_deployment_makes_a_replica_set_named_after_its_template() -> None:
    owner = deployment()
    create = only(plan(owner), Create)[0]
    made, hash_ = create.obj, create.obj["metadata"]["labels"]["pod-template-hash"]
    assert made["metadata"]["name"] == f"web-{hash_}"
    assert made["metadata"]["ownerReferences"] == [objects.owner_reference(owner)]
    assert made["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": hash_}
    assert made["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": hash_}
    assert made["spec"]["replicas"] == 3
    assert made["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert create.event.reason == "ScalingReplicaSet"
    assert create.event.message == f"Scaled up replica set web-{hash_} from 0 to 3"


def test_the_deployment_bears_the_revision_of_its_new_replica_set() -> None:
    update = only(plan(deployment()), Update, "deployments.apps")[0]
    assert objects.annotations(update.obj) == {"deployment.kubernetes.io/revision": "1"}
    assert update.subresource == "status"


def test_annotations_go_down_to_the_replica_set_but_for_those_of_kubectl_and_the_deployment() -> None:
    owner = deployment()
    owner["metadata"]["annotations"] = {
        "kubernetes.io/change-cause": "why",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "deployment.kubernetes.io/revision": "7",
    }
    notes = objects.annotations(only(plan(owner), Create)[0].obj)
    assert notes["kubernetes.io/change-cause"] == "why"
    assert notes["deployment.kubernetes.io/revision"] == "1"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in notes


def test_what_the_server_fills_in_as_empty_makes_no_new_template() -> None:
    owner = deployment()
    known = set_of(owner, 1, 3)
    owner["spec"]["template"]["spec"]["securityContext"] = {}
    owner["spec"]["template"]["metadata"]["creationTimestamp"] = None
    assert not only(plan(owner, known), Create)


def test_a_name_that_another_template_took_is_avoided_and_counted() -> None:
    owner = deployment()
    stranger = build.replica_set(f"web-{revision.template_hash(owner['spec']['template'], None)}")
    stranger["metadata"]["labels"] = {"app": "other"}
    actions = plan(owner, stranger)
    made = only(actions, Create)[0].obj
    assert made["metadata"]["name"] == f"web-{revision.template_hash(owner['spec']['template'], 1)}"
    assert only(actions, Update, "deployments.apps")[0].obj["status"]["collisionCount"] == 1


def test_a_refused_replica_set_is_told_in_the_conditions() -> None:
    create = only(plan(deployment()), Create)[0]
    told = objects.condition(create.on_failure.obj, "Progressing")
    assert told is not None
    assert (told["status"], told["reason"]) == ("False", "ReplicaSetCreateError")
    assert told["message"].startswith('Failed to create new replica set "web-')
    assert create.failure_event.reason == "ReplicaSetCreateError"


def test_an_orphaned_replica_set_is_taken_in_before_anything_else() -> None:
    owner = deployment()
    orphan = set_of(owner, 1, 3)
    del orphan["metadata"]["ownerReferences"]
    actions = plan(owner, orphan)
    assert [type(a) for a in actions] == [Patch]
    assert actions[0].patch["metadata"]["ownerReferences"] == [objects.owner_reference(owner)]


def test_a_selector_that_selects_everything_only_earns_a_warning() -> None:
    event = plan(deployment(selector={}))[0]
    assert isinstance(event, Event)
    assert event.reason == "SelectingAll"


# ── rolling ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_template_starts_with_as_many_new_pods_as_surge_allows() -> None:
    owner = deployment(replicas=4)
    create = only(plan(owner, set_of(owner, 1, 4, image="web:0")), Create)[0]
    assert create.obj["spec"]["replicas"] == 1
    assert objects.annotations(create.obj)["deployment.kubernetes.io/revision"] == "2"


def test_the_old_set_shrinks_as_far_as_availability_allows() -> None:
    owner = deployment(replicas=4)
    old, new = set_of(owner, 1, 4, image="web:0"), set_of(owner, 2, 1, 0)
    actions = plan(owner, old, new)
    assert sizes(actions) == {objects.name(old): 3}
    assert events(actions) == [f"Scaled down replica set {objects.name(old)} from 4 to 3"]


def test_the_new_set_grows_into_what_the_old_one_left() -> None:
    owner = deployment(replicas=4)
    old, new = set_of(owner, 1, 3, image="web:0"), set_of(owner, 2, 1, 1)
    assert sizes(plan(owner, old, new)) == {objects.name(new): 2}


def test_a_set_that_has_yet_to_lose_pods_leaves_no_room_for_new_ones() -> None:
    owner = deployment(replicas=4)
    old, new = set_of(owner, 1, 3, image="web:0"), set_of(owner, 2, 1, 0)
    old["metadata"]["generation"] = 2
    assert sizes(plan(owner, old, new)) == {}
    old["status"] |= {"observedGeneration": 2, "replicas": 4}
    assert sizes(plan(owner, old, new)) == {}


def test_broken_old_pods_go_first() -> None:
    owner = deployment(replicas=4)
    eldest, old = set_of(owner, 1, 3, image="web:0"), set_of(owner, 2, 2, 0, image="web:00")
    new = set_of(owner, 3, 0)
    assert sizes(plan(owner, eldest, old, new)) == {objects.name(old): 0}


def test_pods_that_never_become_available_hold_the_rollout() -> None:
    owner = deployment(replicas=4)
    old, new = set_of(owner, 1, 3, image="web:0"), set_of(owner, 2, 2, 0)
    assert sizes(plan(owner, old, new)) == {}


@pytest.mark.parametrize(("surge", "unavailable", "expected"), [(0, 0, 3), ("0%", "10%", 3), (0, 2, 2)])
def test_without_surge_old_pods_make_room_first(surge: object, unavailable: object, expected: int) -> None:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    owner = deployment(replicas=4, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    old, new = set_of(owner, 1, 4, image="web:0"), set_of(owner, 2, 0)
    assert sizes(plan(owner, old, new)) == {objects.name(old): expected}


def test_an_undone_set_gets_a_new_number_and_remembers_the_former() -> None:
    owner = deployment()
    again = set_of(owner, 1, 0, notes={"deployment.kubernetes.io/revision-history": "1"})
    again["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "3"
    actions = plan(owner, again, set_of(owner, 4, 3, image="web:2"))
    notes = objects.annotations(only(actions, Update)[0].obj)
    assert notes["deployment.kubernetes.io/revision"] == "5"
    assert notes["deployment.kubernetes.io/revision-history"] == "1,3"


def test_the_eldest_revisions_beyond_the_limit_are_deleted_once_all_is_well() -> None:
    done = {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3, "readyReplicas": 3, "observedGeneration": 1}
    owner = deployment(revisionHistoryLimit=1, status=done)
    old = [set_of(owner, number, 0, image=f"web:{number}") for number in (11, 12, 13)]
    actions = plan(owner, *old, set_of(owner, 14, 3))
    assert [a.name for a in only(actions, Delete)] == [objects.name(each) for each in old[:2]]


# ── recreate ─────────────────────────────────────────────────────────────────────────────────────────────


def test_recreate_first_takes_all_old_pods_away() -> None:
    owner = deployment(strategy=RECREATE)
    old = set_of(owner, 1, 3, image="web:0")
    actions = plan(owner, old)
    assert sizes(actions) == {objects.name(old): 0}
    assert not only(actions, Create)


def test_recreate_waits_for_the_last_old_container() -> None:
    owner = deployment(strategy=RECREATE)
    old = set_of(owner, 1, 0, image="web:0")
    dying = build.pod("a", old, metadata__deletionTimestamp=build.ago(1))
    assert not only(plan(owner, old, pods=(dying,)), Create)
    finished = objects.evolve(dying, ("status", "phase"), "Failed")
    assert only(plan(owner, old, pods=(finished,)), Create)[0].obj["spec"]["replicas"] == 3


def test_the_end_of_a_pod_wakes_a_deployment_that_recreates() -> None:
    keys = CONTROLLER.inputs[2].keys
    for strategy, expected in ((RECREATE, [Key("default", "web")]), ({"type": "RollingUpdate"}, [])):
        owner = deployment(strategy=strategy)
        old = set_of(owner, 1, 0, image="web:0")
        snapshot = build.Snapshot(**{"deployments.apps": [owner], SETS: [old]})
        pod = build.pod("a", old)
        assert list(keys(snapshot, pod, None)) == expected
        assert list(keys(snapshot, pod, pod)) == []


# ── paused, resized, deleted ─────────────────────────────────────────────────────────────────────────────


def test_a_paused_deployment_is_scaled_but_not_rolled() -> None:
    owner = deployment(paused=True, replicas=5)
    old = set_of(deployment(), 1, 3, image="web:0")
    actions = plan(owner, old)
    assert sizes(actions) == {objects.name(old): 5}
    told = objects.condition(only(actions, Update, "deployments.apps")[0].obj, "Progressing")
    assert told is not None
    assert (told["status"], told["reason"], told["message"]) == ("Unknown", "DeploymentPaused", "Deployment is paused")


def test_a_resumed_deployment_says_so() -> None:
    paused = {"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused", "lastUpdateTime": build.ago(9)}
    owner = deployment(status={"replicas": 3, "updatedReplicas": 3, "conditions": [paused]})
    told = objects.condition(
        only(plan(owner, set_of(owner, 1, 3, 0)), Update, "deployments.apps")[0].obj, "Progressing"
    )
    assert told is not None
    assert told["reason"] == "DeploymentResumed"


def test_a_new_size_in_the_middle_of_a_rollout_is_shared_in_proportion() -> None:
    before = deployment(replicas=10, strategy=_rolling(3, 2))
    old, new = set_of(before, 1, 8, image="web:0"), set_of(before, 2, 5, 0)
    after = deployment(replicas=15, strategy=_rolling(3, 2))
    assert sizes(plan(after, old, new)) == {objects.name(old): 11, objects.name(new): 7}


def test_a_set_resized_by_hand_to_the_size_asked_for_later_does_not_stop_the_deployment() -> None:
    by_hand = set_of(deployment(replicas=3), 1, 5)
    actions = plan(deployment(replicas=5), by_hand)
    assert objects.annotations(only(actions, Update)[0].obj)["deployment.kubernetes.io/desired-replicas"] == "5"
    assert not events(actions)


def test_a_deployment_that_is_being_deleted_only_tells_its_status() -> None:
    owner = deployment(replicas=5)
    owner["metadata"]["deletionTimestamp"] = build.ago(1)
    actions = plan(owner, set_of(deployment(), 1, 3, image="web:0"))
    assert not only(actions, Update) and not only(actions, Create)
    assert only(actions, Update, "deployments.apps")


def _rolling(surge: int, unavailable: int) -> Obj:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
