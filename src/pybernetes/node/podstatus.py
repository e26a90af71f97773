"""What the API is told of a pod: phase, conditions and container statuses from spec, runtime and notes. Pure.

Rule: the answer is the whole of what a node owns in ``status``; conditions of others are not in it.
Neighbours: ``containerstatus.py`` (one container), ``podworker.py`` (sends what differs), ``podends.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import containerstatus, podends, podspec, qos, resize
from pybernetes.node.podactions import Observed
from pybernetes.node.podnotes import Notes

_Verdict: TypeAlias = tuple[bool, str, str]
"""Whether a condition holds, its reason and its message."""


def status(pod: Obj, observed: Observed, notes: Notes, now: float, host_ips: Sequence[str]) -> Obj:
    """The status of a pod as it is seen at ``now``."""
    deleted = notes.gone or objects.is_deleting(pod)
    cut = podends.cut_short(pod, notes, now)
    late = cut is not None
    done = not observed.live() and (deleted or late or podends.is_finished(pod, observed, notes))
    over = deleted or late or done
    inits, mains, ephemerals = (
        [containerstatus.status(pod, spec, observed, notes, now, over=done or (over and _ended(spec, observed)))
         for spec in specs]
        for specs in (podspec.init_containers(pod), podspec.main_containers(pod), podspec.ephemeral_containers(pod))
    )  # fmt: skip
    again = any(_runs_again(pod, spec, observed, notes) for spec in podspec.main_containers(pod))
    phase = "Failed" if late else _phase(pod, inits, mains, ended=deleted and done, again=again)
    out: Obj = {
        "phase": phase,
        "conditions": _conditions(
            pod,
            phase,
            inits,
            mains,
            standing=_standing(pod, observed),
            others=[*resize.conditions(pod, observed, notes), *_disrupted(cut)],
            now=now,
        ),
        "hostIP": host_ips[0],
        "hostIPs": [{"ip": ip} for ip in host_ips],
        "startTime": times.render(podends.started_at(pod, notes)),
        "containerStatuses": mains,
        "qosClass": objects.get(pod, "status", "qosClass") or qos.class_of(pod),
    }
    if inits:
        out["initContainerStatuses"] = inits
    if ephemerals:
        out["ephemeralContainerStatuses"] = ephemerals
    if cut is not None:
        out |= {"reason": cut[0], "message": cut[1]}
    if generation := objects.meta(pod).get("generation"):
        out["observedGeneration"] = generation
    ips = pod_ips(pod, observed, host_ips)
    if ips:
        out |= {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    return out


def _disrupted(cut: tuple[str, str] | None) -> Iterator[tuple[str, str, str]]:
    """The condition of a pod that its node has thrown out."""
    if cut is not None and cut[0] == podends.EVICTED and not cut[1].startswith(podends.REJECTED):
        yield "DisruptionTarget", "TerminationByKubelet", cut[1]


def pod_ips(pod: Obj, observed: Observed, host_ips: Sequence[str]) -> list[str]:
    """The pod's addresses; the last ones known where its sandbox is down."""
    sandbox = observed.sandbox()
    if podspec.host_network(pod):
        return list(host_ips) if sandbox else []
    if sandbox is not None and sandbox.ips:
        return list(sandbox.ips)
    return [entry["ip"] for entry in objects.get(pod, "status", "podIPs", default=[])]


def _runs_again(pod: Obj, spec: Obj, observed: Observed, notes: Notes) -> bool:
    container = observed.latest(spec["name"])
    if container is None or container.state != "exited":
        return False
    return podends.restart_wanted(pod, spec, container, notes)


def _ended(spec: Obj, observed: Observed) -> bool:
    container = observed.latest(spec["name"])
    return container is not None and container.state == "exited"


# ── phase ────────────────────────────────────────────────────────────────────────────────────────────────


def _phase(pod: Obj, inits: Sequence[Obj], mains: Sequence[Obj], *, ended: bool, again: bool) -> str:
    """``ended`` tells that the pod was deleted and nothing of it runs: its phase is final then. ``again`` tells that a
    container that has ended will run again."""
    reported = objects.get(pod, "status", "phase")
    if reported in ("Succeeded", "Failed"):
        return str(reported)
    codes = [_exit_code(s) for s in mains]
    if ended:
        return "Succeeded" if all(c == 0 for c in codes) else "Failed"
    policy = objects.get(pod, "spec", "restartPolicy", default="Always")
    if policy == "Never" and any(_exit_code(s) not in (None, 0) for s in _run_once(pod, inits)):
        return "Failed"
    if any(not s["ready"] for s in inits) and not any(_has_run(s) for s in mains):
        return "Pending"
    if any(not _has_run(s) for s in mains):
        return "Pending"
    if policy == "Always" or again or any("running" in s["state"] for s in mains):
        return "Running"
    if all(c == 0 for c in codes):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _run_once(pod: Obj, inits: Sequence[Obj]) -> list[Obj]:
    return [s for s, spec in zip(inits, podspec.init_containers(pod), strict=True) if not podspec.is_sidecar(spec)]


def _has_run(status: Obj) -> bool:
    return "waiting" not in status["state"] or bool(status["lastState"])


def _exit_code(status: Obj) -> int | None:
    for state in (status["state"], status["lastState"] if "waiting" in status["state"] else {}):
        if "terminated" in state:
            return int(state["terminated"]["exitCode"])
    return None


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────


def _conditions(
    pod: Obj, phase: str, inits: Sequence[Obj], mains: Sequence[Obj], *,
    standing: bool, others: Iterable[tuple[str, str, str]], now: float,
) -> list[Obj]:  # fmt: skip
    containers = _containers_ready(phase, mains)
    found = [
        ("PodReadyToStartContainers", (standing, "", "")),
        ("Initialized", _initialized(phase, inits, mains)),
        ("Ready", _gates(pod) if containers[0] else containers),
        ("ContainersReady", containers),
        ("PodScheduled", (True, "", "")),
    ]
    found += [(kind, (True, reason, message)) for kind, reason, message in others]
    return [_condition(pod, kind, verdict, now) for kind, verdict in found]


def _standing(pod: Obj, observed: Observed) -> bool:
    sandbox = observed.sandbox()
    return sandbox is not None and (bool(sandbox.ips) or podspec.host_network(pod))


def _initialized(phase: str, inits: Sequence[Obj], mains: Sequence[Obj]) -> _Verdict:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    incomplete = [s["name"] for s in inits if not s["ready"]]
    if not incomplete or any(_has_run(s) for s in mains):
        return True, "", ""
    return False, "ContainersNotInitialized", f"containers with incomplete status: {_go_list(incomplete)}"


def _containers_ready(phase: str, mains: Sequence[Obj]) -> _Verdict:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    unready = [s["name"] for s in mains if not s["ready"]]
    if not unready:
        return True, "", ""
    return False, "ContainersNotReady", f"containers with unready status: {_go_list(unready)}"


def _gates(pod: Obj) -> _Verdict:
    """Readiness gates: conditions that others set and that have to be true as well."""
    lacking = []
    for gate in objects.get(pod, "spec", "readinessGates", default=[]):
        kind = gate["conditionType"]
        condition = objects.condition(pod, kind)
        if condition is None:
            lacking.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif condition.get("status") != "True":
            lacking.append(f'the status of pod readiness gate "{kind}" is not "True", but {condition.get("status")}')
    return (False, "ReadinessGatesNotReady", ", ".join(lacking)) if lacking else (True, "", "")


def _condition(pod: Obj, kind: str, verdict: _Verdict, now: float) -> Obj:
    """The condition; its time of transition is kept while its status stays."""
    holds, reason, message = verdict
    value = "True" if holds else "False"
    before = objects.condition(pod, kind)
    same = before is not None and before.get("status") == value
    since = before.get("lastTransitionTime") if before is not None and same else times.render(now)
    out: dict[str, Any] = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": since}
    return out | {k: v for k, v in (("reason", reason), ("message", message)) if v}


def _go_list(names: Sequence[str]) -> str:
    return "[" + " ".join(names) + "]"
