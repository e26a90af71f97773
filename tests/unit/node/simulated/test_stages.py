"""What happens to a simulated pod in which state, and what its status tells then."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.simulated import nodestatus, podstatus, stages

NOW = 1_700_000_000.0
AT = "2023-11-14T22:13:20Z"
JOB = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "j1", "controller": True}
DELETED = {"deletionTimestamp": AT, "deletionGracePeriodSeconds": 30}


def pod(phase: str = "Pending", *, owner: Obj | None = None, meta: Obj | None = None, **spec: Any) -> Obj:
    metadata = {"name": "p", "namespace": "ns", "uid": "u"} | (meta or {})
    if owner:
        metadata["ownerReferences"] = [owner]
    return {
        "metadata": metadata,
        "spec": {"nodeName": "sim-1", "containers": [{"name": "c", "image": "web:1"}], **spec},
        "status": {"phase": phase, "qosClass": "BestEffort"},
    }


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (pod(), "run"),
        (pod("Running"), None),
        (pod("Running", owner=JOB), "complete"),
        (pod("Running", owner={**JOB, "kind": "ReplicaSet"}), None),
        (pod("Succeeded", owner=JOB), None),
        (pod(meta=DELETED), "delete"),
        (pod("Running", meta=DELETED), "delete"),
        (pod("Failed", meta=DELETED), "delete"),
        (pod("Running", meta={**DELETED, "finalizers": ["x/y"]}), "delete"),
        (pod("Running", meta={**DELETED, "deletionGracePeriodSeconds": 0, "finalizers": ["x/y"]}), None),
    ],
)
def test_each_state_has_its_step_and_comes_to_rest(state: Obj, step: str | None) -> None:
    assert stages.next_step(state) == step


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ([], 0),
        (["sleep", "600"], 600),
        (["sh", "-c", "echo start; sleep 1.5; sleep 2m"], 121.5),
        (["sleep", "infinity"], float("inf")),
        (["asleep", "3"], 0),
    ],
)
def test_the_program_of_a_job_takes_as_long_as_its_command_sleeps(command: list[str], seconds: float) -> None:
    running = pod("Running", owner=JOB, containers=[{"name": "c", "command": command[:2], "args": command[2:]}])
    running["status"]["startTime"] = AT
    assert stages.wait_seconds(running, NOW) == seconds
    assert stages.wait_seconds(running, NOW + seconds) == 0 or seconds == float("inf")
    assert stages.wait_seconds({**running, "metadata": {"name": "p"}}, NOW) == 0


def test_a_running_pod_tells_what_a_kubelet_would() -> None:
    status = podstatus.running(pod(), "100.64.1.1", "100.64.1.2", NOW)
    assert (status["phase"], status["hostIP"], status["podIP"]) == ("Running", "100.64.1.1", "100.64.1.2")
    assert (status["podIPs"], status["startTime"]) == ([{"ip": "100.64.1.2"}], AT)
    kinds = {c["type"]: c["status"] for c in status["conditions"]}
    expected = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    assert kinds == dict.fromkeys(expected, "True")
    (container,) = status["containerStatuses"]
    assert container["state"] == {"running": {"startedAt": AT}}
    assert (container["ready"], container["started"], container["restartCount"]) == (True, True, 0)
    assert container["containerID"].startswith("simulated://")
    assert container["imageID"].startswith("sha256:")


def test_init_containers_have_completed_and_sidecars_run() -> None:
    inits = [{"name": "once", "image": "i"}, {"name": "beside", "image": "i", "restartPolicy": "Always"}]
    once, beside = podstatus.running(pod(initContainers=inits), "h", "p", NOW)["initContainerStatuses"]
    assert once["state"]["terminated"]["reason"] == "Completed"
    assert (once["state"]["terminated"]["exitCode"], once["ready"]) == (0, True)
    assert "running" in beside["state"]


def test_conditions_of_others_stay_and_readiness_gates_open() -> None:
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2023-01-01T00:00:00Z"}
    state = pod(readinessGates=[{"conditionType": "example.com/ready"}])
    state["status"]["conditions"] = [scheduled, {"type": "DisruptionTarget", "status": "True"}]
    told = {"status": podstatus.running(state, "h", "p", NOW)}
    assert objects.condition(told, "PodScheduled") is scheduled
    assert objects.condition_is(told, "DisruptionTarget")
    assert objects.condition_is(told, "example.com/ready")


def test_a_completed_pod_was_ready_and_is_not_any_more() -> None:
    state = pod("Running", owner=JOB)
    state["status"] = podstatus.running(state, "h", "p", NOW)
    told = podstatus.completed(state, NOW + 5)
    assert told["phase"] == "Succeeded"
    ready = objects.condition({"status": told}, "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"], ready["lastTransitionTime"]) == (
        "False", "PodCompleted", "2023-11-14T22:13:25Z",
    )  # fmt: skip
    ended = told["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["startedAt"]) == (0, "Completed", AT)
    assert ended["containerID"] == told["containerStatuses"][0]["containerID"]


def test_a_node_tells_that_it_is_healthy_and_simulated() -> None:
    node = nodestatus.node("sim-1", "100.64.1.1", "100.64.1.0/24", "8d7a1f6e-0000-4000-8000-000000000000", NOW)
    assert nodestatus.is_healthy(node)
    assert nodestatus.is_simulated(node)
    assert node["status"]["allocatable"]["pods"] == "110"
    assert node["spec"]["podCIDRs"] == ["100.64.1.0/24"]


def test_a_node_that_was_taken_for_lost_is_healthy_again_and_keeps_the_conditions_of_others() -> None:
    node = nodestatus.node("sim-1", "100.64.1.1", "100.64.1.0/24", "8d7a1f6e-0000-4000-8000-000000000000", NOW)
    lost = [{**c, "status": "Unknown"} if c["type"] == "Ready" else c for c in node["status"]["conditions"]]
    lost.append({"type": "NetworkUnavailable", "status": "False"})
    found = objects.evolve(node, ("status", "conditions"), lost)
    assert not nodestatus.is_healthy(found)
    again = objects.evolve(node, ("status", "conditions"), nodestatus.conditions(found, NOW + 60))
    assert nodestatus.is_healthy(again)
    assert objects.condition_is(again, "NetworkUnavailable", "False")
    since = {c["type"]: c.get("lastTransitionTime") for c in again["status"]["conditions"]}
    assert (since["Ready"], since["DiskPressure"]) == ("2023-11-14T22:14:20Z", AT)
