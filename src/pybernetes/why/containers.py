"""Why a container does not run, or runs and is not ready: its image, its end, its probes. Pure.

Neighbours: ``pods.py`` asks about each container of a pod that has a node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.why.facts import Facts

_IMAGE: Final = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_CODES: Final[Mapping[int, str]] = {
    126: "the command is there and cannot be executed",
    127: "the command was not found",
    134: "it aborted itself (SIGABRT)",
    137: "it was killed (SIGKILL)",
    139: "it touched memory that is not its own (SIGSEGV)",
    143: "it was told to end (SIGTERM)",
}
"""What shells and kernels mean by exit codes."""
_LOG_LINES: Final = 5


def complaints(facts: Facts, pod: Obj) -> list[str]:
    """What is wrong with each container that does not do what it shall; init containers first, for others wait."""
    found = [line for status in _statuses(pod, "initContainerStatuses") for line in _init(facts, pod, status)]
    if found:
        return found
    return [line for status in _statuses(pod, "containerStatuses") for line in _main(facts, pod, status)]


def _statuses(pod: Obj, field: str) -> list[Obj]:
    found: list[Obj] = objects.get(pod, "status", field, default=[])
    return found


def _init(facts: Facts, pod: Obj, status: Obj) -> Iterator[str]:
    state = status.get("state") or {}
    if "running" in state and not status.get("ready") and not _is_sidecar(pod, status["name"]):
        yield f"init container {status['name']} is still running; the others wait for its end"
    elif objects.get(state, "terminated", "exitCode"):
        yield from _ended(facts, pod, f"init container {status['name']}", status, state["terminated"])
    elif objects.get(state, "waiting", "reason") not in (None, "PodInitializing"):
        yield from _waiting(facts, pod, f"init container {status['name']}", status, state["waiting"])


def _is_sidecar(pod: Obj, name: str) -> bool:
    init = objects.get(pod, "spec", "initContainers", default=[])
    return any(each["name"] == name and each.get("restartPolicy") == "Always" for each in init)


def _main(facts: Facts, pod: Obj, status: Obj) -> Iterator[str]:
    state, what = status.get("state") or {}, f"container {status['name']}"
    if "waiting" in state:
        yield from _waiting(facts, pod, what, status, state["waiting"])
    elif "terminated" in state and state["terminated"].get("exitCode"):
        yield from _ended(facts, pod, what, status, state["terminated"])
    elif "running" in state and not status.get("ready"):
        yield _unready(facts, pod, what, status)


def _waiting(facts: Facts, pod: Obj, what: str, status: Obj, waiting: Obj) -> Iterator[str]:
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in _IMAGE:
        yield f"{what} has no image {status.get('image')}: {_pull(facts, pod) or message}"
    elif reason == "CrashLoopBackOff":
        ended = objects.get(status, "lastState", "terminated", default={})
        yield from _ended(facts, pod, f"{what} crashes again and again ({_times(status)}); it", status, ended)
    elif reason not in ("ContainerCreating", "PodInitializing"):
        yield f"{what} waits: {reason}{': ' + message if message else ''}"


def _pull(facts: Facts, pod: Obj) -> str:
    """What the last pull failed with; the status tells only that there is a pause now."""
    return next((text for text in facts.warnings(pod, "Failed") if not text.startswith("Error:")), "")


def _times(status: Obj) -> str:
    count = status.get("restartCount", 0)
    return f"{count} restart{'' if count == 1 else 's'}"


def _ended(facts: Facts, pod: Obj, what: str, status: Obj, ended: Obj) -> Iterator[str]:
    code, reason = ended.get("exitCode", 0), ended.get("reason", "")
    if reason == "OOMKilled":
        limit = _memory_limit(pod, status["name"])
        meaning = f"it used more memory than its limit{f' of {limit}' if limit else ''} (OOMKilled)"
    else:
        meaning = _CODES.get(code, "")
    told = ended.get("message", "").strip()
    yield f"{what} ended with exit code {code}{': ' + meaning if meaning else ''}{'; it said: ' + told if told else ''}"
    lines = facts.logs.get((objects.name(pod), status["name"]), ())
    if lines:
        yield "its last lines:"
        yield from (f"  | {line}" for line in lines[-_LOG_LINES:])


def _memory_limit(pod: Obj, name: str) -> str:
    containers = objects.get(pod, "spec", "containers", default=[])
    own: Obj = next((each for each in containers if each["name"] == name), {})
    return str(objects.get(own, "resources", "limits", "memory", default=""))


def _unready(facts: Facts, pod: Obj, what: str, status: Obj) -> str:
    probes = [text for text in facts.warnings(pod, "Unhealthy") if not text.startswith("Liveness")]
    if status.get("started") is False:
        return f"{what} has not started: its startup probe fails{': ' + probes[0] if probes else ''}"
    return (
        f"{what} runs and is not ready{': ' + probes[0] if probes else ': its readiness probe has not succeeded yet'}"
    )
