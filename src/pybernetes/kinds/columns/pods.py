"""Pods. STATUS is a summary of phase, reason and the states of containers (printers.go, printPod)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


@dataclass(slots=True)
class _Tally:
    """What is counted while the containers' statuses are read."""

    ready: int = 0
    restarts: int = 0
    last_end: str = ""
    """RFC 3339 in UTC: the latest end of an earlier run; texts of one form compare as times."""

    def add(self, status: Obj) -> None:
        self.restarts += status.get("restartCount") or 0
        self.last_end = max(self.last_end, objects.get(status, "lastState", "terminated", "finishedAt", default=""))


@dataclass(frozen=True, slots=True)
class Summary:
    """The three cells that are told by the containers' states."""

    ready: str
    status: str
    restarts: int
    last_end: str


def summary(pod: Obj) -> Summary:
    """READY, STATUS and RESTARTS of a pod."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {c.get("name") for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    tally, lasting = _Tally(), _Tally()
    initial = _initializing(spec, status, sidecars, tally, lasting)
    reason = initial or _reason(status)
    if not initial or objects.condition_is(pod, "Initialized"):
        lasting.ready, tally = tally.ready, lasting
        reason = _running(status, reason, tally)
    total = len(spec.get("containers") or ()) + len(sidecars)
    return Summary(f"{tally.ready}/{total}", _ending(pod, status, reason), tally.restarts, tally.last_end)


def _reason(status: Obj) -> str:
    conditions = status.get("conditions") or ()
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions):
        return "SchedulingGated"
    return status.get("reason") or status.get("phase") or ""


def _initializing(spec: Obj, status: Obj, sidecars: set[str | None], tally: _Tally, lasting: _Tally) -> str:
    """``Init:…`` while init containers have not all done their part, else an empty text."""
    for index, container in enumerate(status.get("initContainerStatuses") or ()):
        is_sidecar = container.get("name") in sidecars
        tally.add(container)
        if is_sidecar:
            lasting.add(container)
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting")
        if ended is not None and not ended.get("exitCode"):
            continue
        if is_sidecar and container.get("started"):
            tally.ready += bool(container.get("ready"))
            continue
        if ended is not None:
            return "Init:" + _end(ended)
        if waiting and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(spec.get('initContainers') or ())}"
    return ""


def _end(ended: Obj) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode') or 0}"


def _running(status: Obj, reason: str, tally: _Tally) -> str:
    """What the containers proper say; the first of them has the last word."""
    has_running = False
    for container in reversed(status.get("containerStatuses") or ()):
        tally.add(container)
        state = container.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _end(ended)
        elif container.get("ready") and state.get("running") is not None:
            has_running = True
            tally.ready += 1
    if reason == "Completed" and has_running:
        return "Running" if _is_ready(status) else "NotReady"
    return reason


def _is_ready(status: Obj) -> bool:
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ())


def _ending(pod: Obj, status: Obj, reason: str) -> str:
    if not objects.is_deleting(pod):
        return reason
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return reason if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _restarts(pod: Obj, now: float) -> str:
    found = summary(pod)
    if found.restarts and found.last_end:
        return f"{found.restarts} ({cell.since(found.last_end, now)} ago)"
    return str(found.restarts)


def _readiness_gates(pod: Obj) -> str:
    gates: Sequence[Obj] = objects.get(pod, "spec", "readinessGates", default=[])
    if not gates:
        return cell.NONE
    met = sum(objects.condition_is(pod, gate.get("conditionType", "")) for gate in gates)
    return f"{met}/{len(gates)}"


def _address(pod: Obj) -> str:
    addresses = objects.get(pod, "status", "podIPs", default=[])
    first = addresses[0].get("ip") if addresses else objects.get(pod, "status", "podIP")
    return first or cell.NONE


PODS: Final = (
    cell.NAME,
    cell.computed("Ready", lambda pod: summary(pod).ready),
    cell.computed("Status", lambda pod: summary(pod).status),
    Column("Restarts", _restarts),
    cell.AGE,
    cell.computed("IP", _address, priority=1),
    cell.text("Node", "spec", "nodeName", default=cell.NONE, priority=1),
    cell.text("Nominated Node", "status", "nominatedNodeName", default=cell.NONE, priority=1),
    cell.computed("Readiness Gates", _readiness_gates, priority=1),
)


def _template_containers(obj: Obj) -> tuple[str, str]:
    return cell.containers(objects.get(obj, "template", "spec"))


POD_TEMPLATES: Final = (
    cell.NAME,
    cell.computed("Containers", lambda obj: _template_containers(obj)[0]),
    cell.computed("Images", lambda obj: _template_containers(obj)[1]),
    cell.computed("Pod Labels", lambda obj: cell.labels(objects.get(obj, "template", "metadata", "labels"))),
)
