"""READY, STATUS and RESTARTS of pods, as ``kubectl get pods`` shows them."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.columns import pods
from pybernetes.meta import times

NOW = times.parse("2026-01-31T10:00:00Z")


def waiting(reason: str, restarts: int = 0, **more: Any) -> Any:
    return {"state": {"waiting": {"reason": reason}}, "restartCount": restarts, "ready": False, **more}


def running(*, ready: bool = True, restarts: int = 0, **more: Any) -> Any:
    return {"state": {"running": {}}, "ready": ready, "restartCount": restarts, **more}


def ended(reason: str = "", code: int = 0, **more: Any) -> Any:
    return {"state": {"terminated": {"reason": reason, "exitCode": code, **more}}, "ready": False, "restartCount": 0}


def pod(*states: Any, init: Any = (), phase: str = "Running", sidecars: int = 0, **status: Any) -> Any:
    """A pod with these container states; the last ``sidecars`` of the init containers keep running."""
    inits: Any = [{"name": f"i{at}"} for at in range(len(init))]
    for container in inits[len(inits) - sidecars :]:
        container["restartPolicy"] = "Always"
    containers = [{"name": f"c{at}"} for at in range(max(len(states), 1))]
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": containers, "initContainers": inits},
        "status": {
            "phase": phase,
            "containerStatuses": [{**s, "name": f"c{at}"} for at, s in enumerate(states)],
            "initContainerStatuses": [{**s, "name": f"i{at}"} for at, s in enumerate(init)],
            **status,
        },
    }


READY = [{"type": "Ready", "status": "True"}]
INITIALIZED = [{"type": "Initialized", "status": "True"}]
GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
STARTED = {"started": True}

CASES: dict[str, tuple[Any, str, str, int]] = {
    "unscheduled": (pod(phase="Pending"), "0/1", "Pending", 0),
    "gated": (pod(phase="Pending", conditions=GATED), "0/1", "SchedulingGated", 0),
    "creating": (pod(waiting("ContainerCreating"), phase="Pending"), "0/1", "ContainerCreating", 0),
    "running": (pod(running()), "1/1", "Running", 0),
    "one of two ready": (pod(running(), running(ready=False)), "1/2", "Running", 0),
    "crash looping": (pod(waiting("CrashLoopBackOff", 5)), "0/1", "CrashLoopBackOff", 5),
    "bad image": (pod(waiting("ImagePullBackOff"), phase="Pending"), "0/1", "ImagePullBackOff", 0),
    "the first container has the last word": (pod(ended("Error", 1), waiting("X")), "0/2", "Error", 0),
    "completed": (pod(ended("Completed"), phase="Succeeded"), "0/1", "Completed", 0),
    "failed": (pod(ended("Error", 1), phase="Failed"), "0/1", "Error", 0),
    "killed by a signal": (pod(ended("", 137, signal=9)), "0/1", "Signal:9", 0),
    "ended without a reason": (pod(ended("", 3)), "0/1", "ExitCode:3", 0),
    "evicted": (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted", 0),
    "one completed while another runs": (pod(ended("Completed"), running(), conditions=READY), "1/2", "Running", 0),
    "one completed while another is not ready": (pod(ended("Completed"), running()), "1/2", "NotReady", 0),
    "first init container": (pod(waiting("PodInitializing"), init=[running(ready=False)]), "0/1", "Init:0/1", 0),
    "second init container": (
        pod(waiting("PodInitializing"), init=[ended("Completed"), waiting("PodInitializing")]), "0/1", "Init:1/2", 0,
    ),
    "init container waits": (pod(init=[waiting("CrashLoopBackOff", 2)]), "0/1", "Init:CrashLoopBackOff", 2),
    "init container failed": (pod(init=[ended("Error", 1)]), "0/1", "Init:Error", 0),
    "init container exits": (pod(init=[ended("", 2)]), "0/1", "Init:ExitCode:2", 0),
    "init container killed": (pod(init=[ended("", 137, signal=9)]), "0/1", "Init:Signal:9", 0),
    "restarts of init containers are forgotten": (
        pod(running(restarts=1), init=[{**ended("Completed"), "restartCount": 7}], conditions=INITIALIZED),
        "1/1", "Running", 1,
    ),
    "a sidecar counts": (
        pod(running(), init=[running(**STARTED)], sidecars=1, conditions=INITIALIZED), "2/2", "Running", 0,
    ),
    "a sidecar's restarts count": (
        pod(running(), init=[running(restarts=3, **STARTED)], sidecars=1, conditions=INITIALIZED), "2/2", "Running", 3,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("obj", "ready", "status", "restarts"), CASES.values(), ids=CASES.keys())
def test_the_state_of_a_pod_is_summed_up(obj: Any, ready: str, status: str, restarts: int) -> None:
    found = pods.summary(obj)
    assert (found.ready, found.status, found.restarts) == (ready, status, restarts)


@pytest.mark.parametrize(
    ("obj", "status"),
    [
        (pod(running()), "Terminating"), (pod(running(), reason="NodeLost"), "Unknown"),
        (pod(ended("Completed"), phase="Succeeded"), "Completed"), (pod(ended("Error", 1), phase="Failed"), "Error"),
    ],
)  # fmt: skip
def test_a_pod_that_is_deleted_is_terminating_unless_it_has_ended(obj: Any, status: str) -> None:
    obj = {**obj, "metadata": {"name": "p", "deletionTimestamp": "2026-01-31T09:59:00Z"}}
    assert pods.summary(obj).status == status


def cells(obj: Any) -> dict[str, Any]:
    return {column.name: column.value(obj, NOW) for column in pods.PODS}


def test_the_last_restart_is_told_with_its_age() -> None:
    last: Any = {"lastState": {"terminated": {"finishedAt": "2026-01-31T09:57:00Z"}}}
    assert cells(pod(running(restarts=2, **last)))["Restarts"] == "2 (3m ago)"
    assert cells(pod(running(restarts=2)))["Restarts"] == "2"


def test_the_wide_columns_tell_where_a_pod_is() -> None:
    obj = pod(running(), podIPs=[{"ip": "10.244.0.2"}], conditions=[{"type": "g", "status": "True"}])
    obj["spec"].update(nodeName="n1", readinessGates=[{"conditionType": "g"}, {"conditionType": "h"}])
    obj["metadata"]["creationTimestamp"] = "2026-01-31T09:00:00Z"
    found = cells(obj)
    assert (found["IP"], found["Node"], found["Readiness Gates"], found["Age"]) == ("10.244.0.2", "n1", "1/2", "60m")
    bare = cells(pod())
    assert {bare[key] for key in ("IP", "Node", "Nominated Node", "Readiness Gates")} == {"<none>"}
    assert bare["Age"] == "<unknown>"
