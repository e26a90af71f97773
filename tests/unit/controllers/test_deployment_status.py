"""What a Deployment tells of its rollout, and when it gives up hope."""

from __future__ import annotations

from typing import Any

from pybernetes.control.actions import After, Update
from pybernetes.controllers.deployment.sync import CONTROLLER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, deployment
from .test_deployment import set_of

DONE = {"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, "observedGeneration": 1}


def plan(owner: Obj, *sets: Obj) -> list[Any]:
    snapshot = build.Snapshot(pods=(), **{"deployments.apps": [owner], "replicasets.apps": sets})
    return list(CONTROLLER.plan(snapshot, build.key(), NOW))


def status(owner: Obj, *sets: Obj) -> Obj:
    found = [a for a in plan(owner, *sets) if isinstance(a, Update) and a.resource == "deployments.apps"]
    told: Obj = found[0].obj["status"]
    return told


def progressing(told: Obj) -> tuple[str, str, str]:
    found = next(c for c in told["conditions"] if c["type"] == "Progressing")
    return found["status"], found["reason"], found["message"]


def since(seconds: float, reason: str = "ReplicaSetUpdated", status: str = "True") -> Obj:
    moment = build.ago(seconds)
    return {
        "type": "Progressing", "status": status, "reason": reason, "message": "earlier",
        "lastUpdateTime": moment, "lastTransitionTime": moment,
    }  # fmt: skip


def test_a_rollout_counts_the_pods_of_all_its_sets() -> None:
    owner = deployment(replicas=4)
    told = status(owner, set_of(owner, 1, 3, image="web:0"), set_of(owner, 2, 2, 0))
    counts = {key: told[key] for key in told if key.endswith("eplicas")}
    assert counts == {
        "replicas": 5, "updatedReplicas": 2, "readyReplicas": 3, "availableReplicas": 3, "unavailableReplicas": 2,
        "terminatingReplicas": 0,
    }  # fmt: skip
    available = next(c for c in told["conditions"] if c["type"] == "Available")
    assert (available["status"], available["reason"]) == ("True", "MinimumReplicasAvailable")


def test_too_few_available_pods_are_told() -> None:
    told = status(deployment(), set_of(deployment(), 1, 3, 0))
    available = next(c for c in told["conditions"] if c["type"] == "Available")
    assert (available["status"], available["reason"]) == ("False", "MinimumReplicasUnavailable")
    assert available["message"] == "Deployment does not have minimum availability."


def test_a_complete_rollout_has_successfully_progressed() -> None:
    new = set_of(deployment(), 1, 3)
    told = progressing(status(deployment(), new))
    text = f'ReplicaSet "{objects.name(new)}" has successfully progressed.'
    assert told == ("True", "NewReplicaSetAvailable", text)


def test_every_step_forward_starts_the_deadline_anew() -> None:
    owner = deployment(status={"replicas": 3, "updatedReplicas": 3, "conditions": [since(500)]})
    told = status(owner, set_of(owner, 1, 3, 1))
    condition = told["conditions"][-1]
    assert (condition["reason"], condition["lastUpdateTime"]) == ("ReplicaSetUpdated", build.ago(0))
    assert condition["lastTransitionTime"] == build.ago(500)


def test_a_rollout_that_stands_still_is_looked_at_again_when_its_deadline_is_over() -> None:
    stuck = {**DONE, "readyReplicas": 0, "availableReplicas": 0, "conditions": [since(500)]}
    owner = deployment(status=stuck)
    assert plan(owner, set_of(owner, 1, 3, 0))[-1] == After(101)


def test_beyond_its_deadline_it_has_timed_out() -> None:
    stuck = {**DONE, "readyReplicas": 0, "availableReplicas": 0, "conditions": [since(601)]}
    owner = deployment(status=stuck)
    new = set_of(owner, 1, 3, 0)
    text = f'ReplicaSet "{objects.name(new)}" has timed out progressing.'
    assert progressing(status(owner, new)) == ("False", "ProgressDeadlineExceeded", text)
    assert not [a for a in plan(owner, new) if isinstance(a, After)]


def test_a_complete_rollout_does_not_time_out_when_a_pod_fails_later() -> None:
    owner = deployment(status={**DONE, "conditions": [since(9999, "NewReplicaSetAvailable")]})
    assert progressing(status(owner, set_of(owner, 1, 3, 2)))[1] == "NewReplicaSetAvailable"


def test_without_a_deadline_there_is_no_condition_about_progress() -> None:
    owner = deployment(progressDeadlineSeconds=2**31 - 1)
    told = status(owner, set_of(owner, 1, 3))
    assert [c["type"] for c in told["conditions"]] == ["Available"]


def test_a_failure_of_a_replica_set_is_the_deployments() -> None:
    new = set_of(deployment(), 1, 3, 0)
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    new["status"]["conditions"] = [failure]
    told = next(c for c in status(deployment(), new)["conditions"] if c["type"] == "ReplicaFailure")
    assert (told["status"], told["reason"], told["message"]) == ("True", "FailedCreate", "quota")


def test_a_status_that_is_true_is_not_written() -> None:
    owner = deployment()
    new = set_of(owner, 1, 3)
    settled = {**owner, "status": status(owner, new)}
    settled["metadata"] = {**owner["metadata"], "annotations": {"deployment.kubernetes.io/revision": "1"}}
    assert plan(settled, new) == []
