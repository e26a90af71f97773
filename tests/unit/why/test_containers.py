from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.why import containers
from pybernetes.why.facts import Facts


def pod(state: Obj, **more: Any) -> Obj:
    status = {"name": "c", "image": "web:2", "ready": False, "state": state, **more}
    spec = {"containers": [{"name": "c", "resources": {"limits": {"memory": "64Mi"}}}]}
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "1"},
        "spec": spec,
        "status": {"containerStatuses": [status]},
    }


def crashed(code: int, reason: str = "Error") -> Obj:
    ended = {"lastState": {"terminated": {"exitCode": code, "reason": reason}}, "restartCount": 3}
    return pod({"waiting": {"reason": "CrashLoopBackOff"}}, **ended)


def event(reason: str, message: str) -> Obj:
    return {"metadata": {"namespace": "n"}, "involvedObject": {"uid": "1"}, "type": "Warning", "reason": reason,
            "message": message}  # fmt: skip


UNHEALTHY = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
CASES = [
    (
        pod({"waiting": {"reason": "ErrImagePull", "message": "not found"}}), [],
        ["container c has no image web:2: not found"],
    ),
    (
        pod({"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "web:2"'}}),
        [event("Failed", "Failed to pull image: no such host"), event("Failed", "Error: ImagePullBackOff")],
        ["container c has no image web:2: Failed to pull image: no such host"],
    ),
    (pod({"waiting": {"reason": "ContainerCreating"}}), [], []),
    (
        pod({"waiting": {"reason": "CreateContainerConfigError", "message": 'configmap "x" not found'}}), [],
        ['container c waits: CreateContainerConfigError: configmap "x" not found'],
    ),
    (
        crashed(127), [],
        ["container c crashes again and again (3 restarts); it ended with exit code 127: the command was not found"],
    ),
    (
        crashed(137, "OOMKilled"), [],
        ["container c crashes again and again (3 restarts); it ended with exit code 137: "
         "it used more memory than its limit of 64Mi (OOMKilled)"],
    ),
    (
        pod({"running": {}}, started=True), [UNHEALTHY],
        ["container c runs and is not ready: Readiness probe failed: HTTP probe failed with statuscode: 503"],
    ),
    (pod({"running": {}}, started=False), [], ["container c has not started: its startup probe fails"]),
    (pod({"running": {}}, ready=True), [UNHEALTHY], []),
]  # fmt: skip


@pytest.mark.parametrize(("obj", "events", "told"), CASES)
def test_what_is_wrong_with_a_container(obj: Obj, events: list[Obj], told: list[str]) -> None:
    assert containers.complaints(Facts({"events": events}), obj) == told


def test_the_last_lines_of_a_crashed_container_are_shown() -> None:
    logs = {("p", "c"): [f"line {number}" for number in range(9)]}
    told = containers.complaints(Facts({}, logs), crashed(1))
    assert told[1:] == ["its last lines:", *(f"  | line {number}" for number in range(4, 9))]


def test_an_init_container_that_fails_is_told_before_those_that_wait_for_it() -> None:
    obj = pod({"waiting": {"reason": "PodInitializing"}})
    obj["status"]["initContainerStatuses"] = [{"name": "i", "state": {"running": {}}, "ready": False}]
    assert containers.complaints(Facts({}), obj) == ["init container i is still running; the others wait for its end"]
