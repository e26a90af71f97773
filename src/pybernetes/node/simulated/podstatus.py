"""The status of a simulated pod: everything that a kubelet would tell, made up from the spec. Pure.

Rule: conditions of others (PodScheduled, DisruptionTarget) are kept as they are, readiness gates are opened.
Nothing in it is null, so that the server has nothing to drop, which would cost it more than the write.
Neighbours: ``stages.py`` says when which is due; ``node/podstatus.py`` is its counterpart for real pods.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

RUNTIME: Final = "simulated"
_OURS: Final = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")


def running(pod: Obj, host_ip: str, pod_ip: str, now: float) -> Obj:
    """Every container runs and is ready; init containers have completed, sidecars run."""
    at = times.render(now)
    out: Obj = {
        "phase": "Running",
        "conditions": _conditions(pod, at, dict.fromkeys(_OURS, "True") | dict.fromkeys(_gates(pod), "True")),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": at,
        "containerStatuses": [_container(pod, c, _runs(at)) for c in podspec.main_containers(pod)],
    }
    inits = podspec.init_containers(pod)
    if inits:
        out["initContainerStatuses"] = [
            _container(pod, c, _runs(at) if podspec.is_sidecar(c) else _ended(at, at)) for c in inits
        ]
    return out


def completed(pod: Obj, now: float) -> Obj:
    """Every container of a running pod has ended with 0."""
    at = times.render(now)
    values = {"PodReadyToStartContainers": "False", "Initialized": "True", "Ready": "False", "ContainersReady": "False"}
    conditions = _conditions(pod, at, values)
    for condition in conditions:
        if condition["type"] in _OURS[1:]:
            condition["reason"] = "PodCompleted"
    out: Obj = {"phase": "Succeeded", "conditions": conditions}
    started = objects.get(pod, "status", "startTime", default=at)
    out["containerStatuses"] = [
        _container(pod, c, _ended(started, at), ready=False) for c in podspec.main_containers(pod)
    ]
    inits = podspec.init_containers(pod)
    if inits:
        out["initContainerStatuses"] = [
            _container(pod, c, _ended(started, at), ready=not podspec.is_sidecar(c)) for c in inits
        ]
    return out


def was_marked(pod: Obj) -> bool:
    """Has the pod been marked as not ready from outside, though its containers are?"""
    return objects.condition_is(pod, "ContainersReady") and not objects.condition_is(pod, "Ready")


def ready_again(pod: Obj, now: float) -> Obj:
    """Conditions as they were before ``was_marked``."""
    return {"conditions": _conditions(pod, times.render(now), {"Ready": "True"})}


def _gates(pod: Obj) -> list[str]:
    return [gate["conditionType"] for gate in objects.get(pod, "spec", "readinessGates", default=[])]


def _conditions(pod: Obj, at: str, values: dict[str, str]) -> list[Obj]:
    found = objects.get(pod, "status", "conditions", default=[])
    kept = [c for c in found if c.get("type") not in values]
    if all(c.get("type") != "PodScheduled" for c in found):  # bound at its creation, without a scheduler
        values = values | {"PodScheduled": "True"}
    since = {(c.get("type"), c.get("status")): c.get("lastTransitionTime") for c in found}
    ours: list[Obj] = [
        {"type": kind, "status": value, "lastTransitionTime": since.get((kind, value)) or at}
        for kind, value in values.items()
    ]
    return ours + kept


def _container(pod: Obj, container: Obj, state: Obj, *, ready: bool = True) -> Obj:
    id = container_id(objects.uid(pod), container["name"])
    terminated = state.get("terminated")
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": image_id(container.get("image", "")),
        "containerID": id,
        "ready": ready,
        "started": terminated is None,
        "restartCount": 0,
        "lastState": {},
        "state": {"terminated": terminated | {"containerID": id}} if terminated else state,
    }


def _runs(at: str) -> Obj:
    return {"running": {"startedAt": at}}


def _ended(started: str, at: str) -> Obj:
    return {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": at}}


def container_id(pod_uid: str, name: str) -> str:
    """The same container has the same id each time it is told of."""
    return f"{RUNTIME}://{hashlib.sha256(f'{pod_uid}/{name}'.encode()).hexdigest()}"


@lru_cache(maxsize=1024)
def image_id(image: str) -> str:
    return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"
