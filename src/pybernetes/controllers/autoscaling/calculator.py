"""How many replicas a metric asks for (pkg/controller/podautoscaler/replica_calculator.go). Pure arithmetic.

Rule 1: as many as would bring the metric to its target, unless it is within the tolerance already.
Rule 2: pods that do not work yet, or of which nothing is known, only ever dampen a change: a missing pod is taken to
        use all that it may before scaling in, and nothing before scaling out, as is one that is not ready. Where that
        turns the direction round, nothing changes.
Amounts are in thousandths, as upstream counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from pybernetes.controllers import pods as of_pods
from pybernetes.meta import objects, quantity, times
from pybernetes.meta.objects import Obj

INITIALIZATION_SECONDS: Final = 300.0
READINESS_DELAY_SECONDS: Final = 30.0


class MetricError(Exception):
    """A metric of which no number of replicas follows; the text says why."""


class Tolerance(NamedTuple):
    """By how much a metric may be off its target before anything is done."""

    up: float = 0.1
    down: float = 0.1

    def holds(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Goal(NamedTuple):
    """``current`` replicas, and the ``target`` of a metric: percent for a utilization, else thousandths."""

    current: int
    target: int
    tolerance: Tolerance = Tolerance()


class Measured(NamedTuple):
    """What one pod uses, in thousandths; taken at ``at`` over ``window`` seconds."""

    value: int
    at: float
    window: float


class Groups(NamedTuple):
    """Pods that count, and names of those that do not yet, of which nothing is known, and which do not matter."""

    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


class Proposal(NamedTuple):
    """``replicas`` as the metric asks for; what the metric is, for the status."""

    replicas: int
    utilization: int | None
    average: int


def grouped(found: Iterable[Obj], measured: Mapping[str, Measured], resource: str, now: float) -> Groups:
    """Who of the target's pods counts (groupPods). Only of CPU is it known that starting takes more of it."""
    ready, unready, missing, ignored = 0, set[str](), set[str](), set[str]()
    for pod in found:
        name, phase = objects.name(pod), of_pods.phase(pod)
        if objects.is_deleting(pod) or phase == "Failed":
            ignored.add(name)
        elif phase == "Pending":
            unready.add(name)
        elif name not in measured:
            missing.add(name)
        elif resource == "cpu" and _is_starting(pod, measured[name], now):
            unready.add(name)
        else:
            ready += 1
    return Groups(ready, frozenset(unready), frozenset(missing), frozenset(ignored))


def _is_starting(pod: Obj, metric: Measured, now: float) -> bool:
    condition, started = objects.condition(pod, "Ready"), objects.get(pod, "status", "startTime")
    if condition is None or not started:
        return True
    begun, is_ready = times.parse(started), condition.get("status") == "True"
    changed = times.parse(condition.get("lastTransitionTime") or started)
    if begun + INITIALIZATION_SECONDS > now:
        return not is_ready or metric.at < changed + metric.window
    return not is_ready and begun + READINESS_DELAY_SECONDS > changed


def by_utilization(
    goal: Goal, measured: Mapping[str, Measured], groups: Groups, requests: Mapping[str, int]
) -> Proposal:
    """The target is a share of what pods request. Raises MetricError."""
    values = _counted(measured, groups)
    _, utilization, average = _utilization(values, requests, goal.target)
    fallback = {name: requests.get(name, 0) * max(100, goal.target) // 100 for name in groups.missing}

    def ratio(values: Mapping[str, int]) -> float:
        return _utilization(values, requests, goal.target)[0]

    return Proposal(_proposed(goal, values, groups, fallback, ratio), utilization, average)


def by_average(goal: Goal, measured: Mapping[str, Measured], groups: Groups) -> Proposal:
    """The target is an amount per pod. Raises MetricError."""
    values = _counted(measured, groups)

    def ratio(values: Mapping[str, int]) -> float:
        return sum(values.values()) // len(values) / goal.target

    replicas = _proposed(goal, values, groups, dict.fromkeys(groups.missing, goal.target), ratio)
    return Proposal(replicas, None, sum(values.values()) // len(values))


def by_value(goal: Goal, ready: int, value: int) -> Proposal:
    """One number for all pods together (an object's, an external one). From zero the ratio itself counts."""
    ratio = value / goal.target
    if goal.current == 0:
        return Proposal(math.ceil(ratio), None, value)
    return Proposal(goal.current if goal.tolerance.holds(ratio) else math.ceil(ratio * ready), None, value)


def by_value_per_pod(goal: Goal, told: int, value: int) -> Proposal:
    """One number that is shared by the pods; ``told`` is how many there are by the target's status."""
    ratio = value / (goal.target * told) if told else math.inf
    replicas = goal.current if goal.tolerance.holds(ratio) else math.ceil(value / goal.target)
    return Proposal(replicas, None, math.ceil(value / told) if told else 0)


def requests(found: Iterable[Obj], resource: str, container: str = "") -> dict[str, int]:
    """Pod → what its containers request together, in thousandths. Raises MetricError where one requests nothing."""
    return {objects.name(pod): sum(_requests(pod, resource, container)) for pod in found}


def _requests(pod: Obj, resource: str, container: str) -> Iterable[int]:
    restartable = [
        c for c in objects.get(pod, "spec", "initContainers", default=[]) if c.get("restartPolicy") == "Always"
    ]
    for each in [*objects.get(pod, "spec", "containers", default=[]), *restartable]:
        if container and each["name"] != container:
            continue
        amount = objects.get(each, "resources", "requests", resource)
        if amount is None:
            raise MetricError(f"missing request for {resource} in container {each['name']} of Pod {objects.name(pod)}")
        yield quantity.milli(quantity.parse(amount))


def ready_count(found: Iterable[Obj]) -> int:
    return sum(of_pods.phase(pod) == "Running" and of_pods.is_ready(pod) for pod in found)


def _counted(measured: Mapping[str, Measured], groups: Groups) -> dict[str, int]:
    """The values of pods that count. Raises MetricError."""
    left_out = groups.ignored | groups.unready
    values = {name: metric.value for name, metric in measured.items() if name not in left_out}
    if not values:
        raise MetricError("did not receive metrics for targeted pods (pods might be unready)")
    return values


def _utilization(values: Mapping[str, int], requests: Mapping[str, int], target: int) -> tuple[float, int, int]:
    """(ratio to the target, percent of the requests, thousandths per pod)."""
    known = {name: value for name, value in values.items() if name in requests}
    requested = sum(requests[name] for name in known)
    if not requested:
        raise MetricError("no metrics returned matched known pods")
    used = sum(known.values())
    percent = used * 100 // requested
    return percent / target, percent, used // len(known)


def _proposed(
    goal: Goal, values: Mapping[str, int], groups: Groups, fallback: Mapping[str, int],
    ratio_of: Callable[[Mapping[str, int]], float],
) -> int:  # fmt: skip
    """Rule 2: look again with what pods that are missing or not ready would change."""
    current, ratio = goal.current, ratio_of(values)
    counts_unready = bool(groups.unready) and ratio > 1.0
    if not counts_unready and not groups.missing:
        return current if goal.tolerance.holds(ratio) else math.ceil(ratio * groups.ready)
    assumed = dict(values)
    if ratio < 1.0:
        assumed |= fallback
    elif ratio > 1.0:
        assumed |= dict.fromkeys(groups.missing, 0)
    if counts_unready:
        assumed |= dict.fromkeys(groups.unready, 0)
    new = ratio_of(assumed)
    if goal.tolerance.holds(new) or (ratio < 1.0 < new) or (new < 1.0 < ratio):
        return current
    replicas = math.ceil(new * len(assumed))
    turned = (new < 1.0 and replicas > current) or (new > 1.0 and replicas < current)
    return current if turned else replicas
