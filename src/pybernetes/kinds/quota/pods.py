"""Pods: what they ask for and may use while they live, and how many there are (core.podEvaluator).

Rule 1: ``pods`` and all compute end with the pod's life; ``count/pods`` counts what is stored.
Rule 2: where a quota counts cpu or memory, every container has to say how much it wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pybernetes.kinds.quota import amounts, evaluator, podtotals
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.kinds.strategy import qos
from pybernetes.kinds.strategy.podspec import defaults, resources
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

COUNT: Final = "count/pods"
PODS: Final = "pods"
_FINISHED: Final = ("Succeeded", "Failed")
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_NAMES: Final = frozenset(
    (COUNT, PODS, *_COMPUTE, *(f"{side}.{name}" for side in ("requests", "limits") for name in _COMPUTE))
)
_REQUIRED: Final = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))
_HUGE_PAGES: Final = "hugepages-"
_REQUESTS: Final = "requests."


def usage(pod: Obj, now: float) -> Amounts:
    """What a pod counts for."""
    if not is_counted(pod, now):
        return {COUNT: amounts.ONE}
    spec = pod["spec"]
    asked, most = podtotals.total(spec, "requests"), podtotals.total(spec, "limits")
    return {COUNT: amounts.ONE, PODS: amounts.ONE, **_compute(asked, most)}


def is_counted(pod: Obj, now: float) -> bool:
    """Does the pod still use anything? Not when it has ended, or should have been gone by now."""
    if objects.get(pod, "status", "phase") in _FINISHED:
        return False
    ends = ends_at(pod)
    return ends is None or now <= ends


def ends_at(pod: Obj) -> float | None:
    """When a pod that is being deleted stops to count, even if its node never says that it is gone."""
    meta = objects.meta(pod)
    grace = meta.get("deletionGracePeriodSeconds")
    if not meta.get("deletionTimestamp") or grace is None:
        return None
    return times.parse(meta["deletionTimestamp"]) + float(grace)


def _compute(asked: Amounts, most: Amounts) -> dict[str, Amount]:
    """``requests.cpu``, ``limits.cpu`` and their likes; a plain ``cpu`` is the request's older name."""
    found: dict[str, Amount] = {}
    for name, value in asked.items():
        if name in _COMPUTE or name.startswith(_HUGE_PAGES):
            found[name] = found[_REQUESTS + name] = value
        elif resources.is_extended(name):
            found[_REQUESTS + name] = value
    found |= {f"limits.{name}": value for name, value in most.items() if name in _COMPUTE}
    return found


def covers(name: str) -> bool:
    if name in _NAMES:
        return True
    rest = name.removeprefix(_REQUESTS)
    if rest.startswith(_HUGE_PAGES):
        return True
    return rest != name and resources.is_extended(rest)


# ── what must be said ────────────────────────────────────────────────────────────────────────────────────


def lacking(names: Iterable[str], pod: Obj) -> str:
    """``must specify limits.cpu for: a,b; requests.cpu for: a``."""
    required = _REQUIRED.intersection(names)
    if not required:
        return ""
    missing: dict[str, set[str]] = {}
    for name, container in _unstated(pod["spec"], required):
        missing.setdefault(name, set()).add(container)
    told = [f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing)]
    return "must specify " + "; ".join(told) if told else ""


def _unstated(spec: Obj, required: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, container) of what is not said, neither by the container nor for the pod as a whole."""
    whole = _stated(spec)
    for container in defaults.containers(spec, "containers", "initContainers"):
        stated: Mapping[str, Amount] = {**whole, **_stated(container)}
        yield from ((name, container["name"]) for name in required if name not in stated)


def _stated(holder: Obj) -> Mapping[str, Amount]:
    return _compute(podtotals.stated(holder, "requests"), podtotals.stated(holder, "limits"))


# ── scopes ───────────────────────────────────────────────────────────────────────────────────────────────


def in_scope(term: Obj, pod: Obj) -> bool:
    """podMatchesScopeFunc."""
    scope, spec = term.get("scopeName"), pod["spec"]
    if scope in ("Terminating", "NotTerminating"):
        ends = spec.get("activeDeadlineSeconds") is not None
        return ends is (scope == "Terminating")
    if scope in ("BestEffort", "NotBestEffort"):
        asks_nothing = qos.qos_class(spec) == "BestEffort"
        return asks_nothing is (scope == "BestEffort")
    if scope == "PriorityClass":
        name = spec.get("priorityClassName")
        return evaluator.selects(term, (name,) if name else ())
    return scope == "CrossNamespacePodAffinity" and _reaches_out(spec.get("affinity") or {})


def _reaches_out(affinity: Obj) -> bool:
    """Does a term of affinity look into other namespaces?"""
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind) or {}
        preferred = found.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        required = found.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for term in (*required, *(weighted.get("podAffinityTerm") or {} for weighted in preferred)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False


EVALUATOR: Final = Evaluator(
    group="", plural="pods", usage=usage, covers=covers, in_scope=in_scope, lacking=lacking,
    doors=(("create", ""), ("update", "resize")),
)  # fmt: skip
