from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.node.podactions import Observed
from pybernetes.node.podnotes import Failure, Notes
from pybernetes.node.podstatus import status
from pybernetes.node.restart import Backoff

from .build import NOW, deleted, exited, main, noted, pod, running, sandbox, seen


def told(obj: Obj, observed: Observed, notes: Notes | None = None, now: float = NOW) -> Obj:
    return status(obj, observed, notes or noted(), now, ["192.0.2.1"])


def conditions(answer: Obj) -> dict[str, tuple[Any, ...]]:
    return {c["type"]: (c["status"], c.get("reason"), c.get("message")) for c in answer["conditions"]}


def waiting(answer: Obj) -> tuple[str, str | None]:
    state = answer["containerStatuses"][0]["state"]["waiting"]
    return state["reason"], state.get("message")


def test_a_pod_without_a_sandbox_is_pending_and_creating() -> None:
    answer = told(pod(), Observed())
    assert answer["phase"] == "Pending"
    assert waiting(answer) == ("ContainerCreating", None)
    assert "podIP" not in answer
    assert conditions(answer) == {
        "PodReadyToStartContainers": ("False", None, None),
        "Initialized": ("True", None, None),
        "Ready": ("False", "ContainersNotReady", "containers with unready status: [c]"),
        "ContainersReady": ("False", "ContainersNotReady", "containers with unready status: [c]"),
        "PodScheduled": ("True", None, None),
    }


def test_a_running_pod_is_ready_and_tells_its_addresses() -> None:
    answer = told(pod(), seen(running(image="docker.io/library/i:1", image_id="sha256:1")))
    assert answer["phase"] == "Running"
    assert (answer["podIP"], answer["podIPs"]) == ("10.0.0.9", [{"ip": "10.0.0.9"}])
    assert (answer["hostIP"], answer["hostIPs"]) == ("192.0.2.1", [{"ip": "192.0.2.1"}])
    assert answer["startTime"] == "2023-11-14T22:11:40Z"
    assert {c: s[0] for c, s in conditions(answer).items()} == dict.fromkeys(conditions(answer), "True")
    assert answer["containerStatuses"] == [
        {
            "name": "c",
            "state": {"running": {"startedAt": "2023-11-14T22:12:20Z"}},
            "lastState": {},
            "ready": True,
            "restartCount": 0,
            "image": "docker.io/library/i:1",
            "imageID": "sha256:1",
            "containerID": "containerd://c0",
            "started": True,
        }
    ]


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]}
    answer = told(pod(status=before), seen(running()))
    times = {c["type"]: c["lastTransitionTime"] for c in answer["conditions"]}
    assert times["Ready"] == "2020-01-01T00:00:00Z"
    assert times["Initialized"] == "2023-11-14T22:13:20Z"


def test_a_crash_loop_waits_in_the_words_of_the_kubelet() -> None:
    notes = noted(backoffs={"c": Backoff(160, NOW - 2)})
    answer = told(pod(), seen(exited(attempt=5, code=1)), notes)
    assert answer["phase"] == "Running"
    assert waiting(answer) == (
        "CrashLoopBackOff",
        "back-off 2m40s restarting failed container=c pod=p_ns(u)",
    )
    entry = answer["containerStatuses"][0]
    assert entry["restartCount"] == 5
    assert entry["lastState"]["terminated"]["exitCode"] == 1
    assert entry["ready"] is entry["started"] is False


def test_between_an_end_and_its_restart_the_container_shows_as_terminated() -> None:
    answer = told(pod(), seen(exited(attempt=1, code=2), exited(attempt=0, code=3)))
    entry = answer["containerStatuses"][0]
    assert entry["state"]["terminated"] == {
        "exitCode": 2,
        "reason": "Error",
        "startedAt": "2023-11-14T22:12:20Z",
        "finishedAt": "2023-11-14T22:13:19Z",
        "containerID": "containerd://c1",
    }
    assert entry["lastState"]["terminated"]["exitCode"] == 3


def test_out_of_memory_shows_as_such() -> None:
    answer = told(pod(), seen(running(attempt=1), exited(code=137, reason="OOMKilled")))
    assert answer["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_a_failed_pull_shows_first_as_an_error_and_then_as_a_back_off() -> None:
    notes = noted(images={"c": Failure("ErrImagePull", "rpc error: code = NotFound desc = no", NOW - 1, NOW + 9)})
    assert waiting(told(pod(), seen(), notes)) == ("ErrImagePull", "rpc error: code = NotFound desc = no")
    assert waiting(told(pod(), seen(), notes, NOW + 1)) == (
        "ImagePullBackOff",
        'Back-off pulling image "i:1": ErrImagePull: rpc error: code = NotFound desc = no',
    )


def test_a_start_that_failed_tells_why() -> None:
    why = "couldn't find key x in ConfigMap ns/m"
    notes = noted(starts={"c": Failure("CreateContainerConfigError", why, NOW, NOW + 10)})
    assert waiting(told(pod(), seen(), notes)) == ("CreateContainerConfigError", why)


def test_phases_of_pods_that_end() -> None:
    down = (sandbox(ready=False),)
    assert told(pod(policy="Never"), seen(exited(), sandboxes=down))["phase"] == "Succeeded"
    assert told(pod(policy="Never"), seen(exited(code=1), sandboxes=down))["phase"] == "Failed"
    assert told(pod(policy="OnFailure"), seen(exited(), sandboxes=down))["phase"] == "Succeeded"
    assert told(pod(policy="OnFailure"), seen(exited(code=1)))["phase"] == "Running"
    half = pod(main("a"), main("b"), policy="Never")
    assert told(half, seen(exited("a", code=1), running("b")))["phase"] == "Running"


def test_a_completed_pod_says_so_in_its_conditions() -> None:
    found = conditions(told(pod(policy="Never"), seen(exited())))
    assert found["Initialized"] == ("True", "PodCompleted", None)
    assert found["Ready"] == found["ContainersReady"] == ("False", "PodCompleted", None)


def test_init_containers_hold_the_pod_back() -> None:
    obj = pod(inits=(main("i1"), main("i2")))
    answer = told(obj, seen(running("i1")))
    assert answer["phase"] == "Pending"
    assert waiting(answer) == ("PodInitializing", None)
    assert conditions(answer)["Initialized"] == (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [i1 i2]",
    )
    assert [s["ready"] for s in told(obj, seen(exited("i1"), running("i2")))["initContainerStatuses"]] == [True, False]


def test_a_failed_init_container_fails_a_pod_that_never_restarts() -> None:
    answer = told(pod(inits=(main("i"),), policy="Never"), seen(exited("i", code=4), sandboxes=(sandbox(ready=False),)))
    assert answer["phase"] == "Failed"
    assert answer["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 4
    assert waiting(answer) == ("PodInitializing", None)
    assert conditions(answer)["Initialized"][0] == "False"


def test_a_deleted_pod_ends_succeeded_or_failed() -> None:
    down = (sandbox(ready=False),)
    assert told(deleted(pod()), seen(exited(), sandboxes=down))["phase"] == "Succeeded"
    assert told(deleted(pod()), seen(exited(code=143), sandboxes=down))["phase"] == "Failed"
    assert told(deleted(pod()), seen(running()))["phase"] == "Running"


def test_a_deleted_pod_whose_container_never_came_to_be_says_that_it_is_lost() -> None:
    answer = told(deleted(pod()), Observed())
    assert answer["containerStatuses"][0]["state"]["terminated"]["reason"] == "ContainerStatusUnknown"


def test_a_pod_past_its_deadline_has_failed() -> None:
    answer = told(pod(activeDeadlineSeconds=10), seen(exited(code=137)))
    assert (answer["phase"], answer["reason"]) == ("Failed", "DeadlineExceeded")
    assert answer["message"] == "Pod was active on the node longer than the specified deadline"


def test_a_host_network_pod_has_the_addresses_of_its_node() -> None:
    assert told(pod(hostNetwork=True), seen(running(), sandboxes=(sandbox(ips=()),)))["podIP"] == "192.0.2.1"


def test_a_readiness_gate_keeps_a_pod_from_being_ready() -> None:
    obj = pod(readinessGates=[{"conditionType": "x/y"}])
    found = conditions(told(obj, seen(running())))
    assert found["ContainersReady"][0] == "True"
    assert found["Ready"] == (
        "False",
        "ReadinessGatesNotReady",
        'corresponding condition of pod readiness gate "x/y" does not exist.',
    )
