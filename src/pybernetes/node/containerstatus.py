"""What the API is told of one container: its state, the one before, and why it waits. Pure.

Neighbours: ``podstatus.py`` puts these together; ``podends.py`` answers by the same questions.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.node import podends, podspec, resize, restart
from pybernetes.node.podactions import Observed
from pybernetes.node.podnotes import ERR_IMAGE_PULL, ERR_IMAGE_PULL_SECONDS, Failure, Health, Notes
from pybernetes.node.runtime.port import Container


def status(pod: Obj, spec: Obj, observed: Observed, notes: Notes, now: float, *, over: bool) -> Obj:
    """One entry of ``containerStatuses``. ``over`` tells that nothing will be started any more."""
    history = [c for c in observed.containers if c.name == spec["name"]]
    current = history[0] if history else None
    sandbox = observed.sandbox()
    field = podspec.field_of(pod, spec["name"])
    is_init = field == "initContainers"
    if is_init and current is not None and sandbox is not None and current.sandbox_id != sandbox.id:
        current = None  # it will have to run again in the new sandbox
    lost = over and current is None and _had_its_turn(pod, spec, observed)
    state = {"terminated": _LOST} if lost else _state(pod, spec, current, notes, now, over=over)
    shown = current if current is not None and "waiting" not in state else None
    earlier = next((c for c in history if c is not shown and c.state == "exited"), None)
    known = current or (history[0] if history else None)
    started, ready = _health(state, current, notes)
    if is_init and not podspec.is_sidecar(spec):
        ready = state.get("terminated", {}).get("exitCode") == 0
    out: Obj = {
        "name": spec["name"],
        "state": state,
        "lastState": {"terminated": _terminated(earlier)} if earlier else {},
        "ready": ready and field != "ephemeralContainers",
        "restartCount": known.attempt if known else _reported_restarts(pod, spec["name"]),
        "image": known.image if known else spec.get("image", ""),
        "imageID": known.image_id if known else "",
        "started": started,
    }
    if known:
        out["containerID"] = container_id(known)
    if current is not None and current.state == "running":
        out |= _resources(resize.applied(pod, spec, current, notes))
    return out


def _health(state: Obj, current: Container | None, notes: Notes) -> tuple[bool, bool]:
    """Whether it has started and is ready."""
    if "running" not in state or current is None:
        return False, False
    health = notes.health.get(current.id, Health())
    return health.started, health.started and health.ready


def _had_its_turn(pod: Obj, spec: Obj, observed: Observed) -> bool:
    """Whether all init containers besides this one are through: what is not there then has ended unseen."""
    others = (c for c in podspec.init_containers(pod) if c["name"] != spec["name"])
    found = [(podspec.is_sidecar(c), observed.latest(c["name"])) for c in others]
    return all(c is not None and (sidecar or (c.state, c.exit_code) == ("exited", 0)) for sidecar, c in found)


def _resources(has: Obj) -> Obj:
    """What it has; ``allocatedResources`` is what was set aside for it."""
    requests = (has.get("limits") or {}) | (has.get("requests") or {})
    return {"resources": has, "allocatedResources": requests} if requests else {}


def container_id(container: Container) -> str:
    return f"containerd://{container.id}"


def _reported_restarts(pod: Obj, name: str) -> int:
    return int((podspec.reported_status(pod, name) or {}).get("restartCount", 0))


def _state(pod: Obj, spec: Obj, current: Container | None, notes: Notes, now: float, *, over: bool) -> Obj:
    if current is not None and current.state == "running" and (over or notes.hooks.get(current.id) != "running"):
        return {"running": {"startedAt": times.render(current.started_at)}}
    if current is not None and current.state == "exited":
        again = not over and podends.restart_wanted(pod, spec, current, notes)
        waiting = _waiting_to_restart(pod, spec, current, notes, now) if again else None
        return waiting or {"terminated": _terminated(current)}
    failure = None if over else _failure(spec, notes, now)
    if failure is not None:
        return {"waiting": failure}
    return {"waiting": {"reason": "PodInitializing" if podspec.init_containers(pod) else "ContainerCreating"}}


_LOST: Final[Obj] = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}


def _waiting_to_restart(pod: Obj, spec: Obj, current: Container, notes: Notes, now: float) -> Obj | None:
    failure = _failure(spec, notes, now)
    if failure is not None:
        return {"waiting": failure}
    backoff = notes.backoffs.get(spec["name"])
    if backoff is None or restart.remaining(backoff, current.finished_at, now) <= 0:
        return None
    message = restart.message(backoff, spec["name"], podspec.reference(pod))
    return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}


def _failure(spec: Obj, notes: Notes, now: float) -> Obj | None:
    """Why the next attempt is not there: its image or its start failed."""
    image = notes.images.get(spec["name"])
    failure = image if isinstance(image, Failure) else notes.starts.get(spec["name"])
    if failure is None:
        return None
    if failure.reason == ERR_IMAGE_PULL and now >= failure.at + ERR_IMAGE_PULL_SECONDS:
        message = f'Back-off pulling image "{spec.get("image", "")}": {ERR_IMAGE_PULL}: {failure.message}'
        return {"reason": "ImagePullBackOff", "message": message}
    return {"reason": failure.reason, "message": failure.message}


def _terminated(container: Container) -> Obj:
    reason = container.reason or ("Completed" if container.exit_code == 0 else "Error")
    out: Obj = {
        "exitCode": container.exit_code,
        "reason": reason,
        "startedAt": times.render(container.started_at),
        "finishedAt": times.render(container.finished_at),
        "containerID": container_id(container),
    }
    if container.message:
        out["message"] = container.message
    return out
