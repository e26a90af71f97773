"""A metric of an autoscaler: where its numbers are told, what they propose, and how they are shown in the status.

Rule: a metric that cannot be had, or of which nothing follows, is a ``Failed``; its texts are upstream's.
Neighbours: ``sources.py`` reads the answers, ``calculator.py`` reckons, ``row.py`` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pybernetes.control.actions import Answer, Look
from pybernetes.controllers.autoscaling import calculator, sources
from pybernetes.controllers.autoscaling.calculator import Goal, MetricError, Proposal, Tolerance
from pybernetes.kinds.table import KindTable
from pybernetes.meta import quantity
from pybernetes.meta.objects import Obj


class Case(NamedTuple):
    """An autoscaler's target at one moment: its pods, ``selector`` as text, how many it wants and says it has."""

    namespace: str
    selector: str
    pods: Sequence[Obj]
    current: int
    told: int
    tolerance: Tolerance
    now: float
    kinds: KindTable


class Result(NamedTuple):
    """``name`` is what a rescaling is explained by."""

    replicas: int
    name: str
    status: Obj


class Failed(NamedTuple):
    """``reason`` for the condition and its event, which tell ``message``; ``summary`` is for all metrics together."""

    reason: str
    message: str
    summary: str


class _Sort(NamedTuple):
    """A sort of metric. ``field`` holds its source in the spec; ``summary`` opens the text of its failures."""

    field: str
    question: Callable[[Case, Obj], Look]
    result: Callable[[Case, Obj, Answer], Result]
    summary: Callable[[Obj], str]


def question(case: Case, metric: Obj) -> Look:
    """Where the metric's numbers are told."""
    sort = _SORTS[metric["type"]]
    return sort.question(case, metric[sort.field])


def result(case: Case, metric: Obj, answer: Answer) -> Result | Failed:
    """What the metric proposes."""
    sort = _SORTS[metric["type"]]
    source = metric[sort.field]
    try:
        return sort.result(case, source, answer)
    except MetricError as error:
        reason = f"FailedGet{metric['type']}Metric"
        return Failed(reason, str(error), f"failed to get {sort.summary(source)} metric value: {error}")


# ── what pods use ────────────────────────────────────────────────────────────────────────────────────────


def _usage(case: Case, source: Obj, answer: Answer) -> Result:
    resource, container, target = source["name"], source.get("container", ""), source["target"]
    percent = target.get("averageUtilization")
    what = "usage" if percent is None else "utilization"
    try:
        measured = sources.used(answer, resource, container)
        groups = calculator.grouped(_some(case), measured, resource, case.now)
        if percent is None:
            proposal = calculator.by_average(_goal(case, _milli(target["averageValue"])), measured, groups)
        else:
            asked = calculator.requests(case.pods, resource, container)
            proposal = calculator.by_utilization(_goal(case, percent), measured, groups, asked)
    except MetricError as error:
        raise MetricError(f"failed to get {resource} {what}: {error}") from error
    field, name = (
        ("containerResource", f"{resource} container resource") if container else ("resource", f"{resource} resource")
    )
    told = {"name": resource} | ({"container": container} if container else {})
    return Result(
        proposal.replicas, name if percent is None else f"{name} utilization (percentage of request)",
        _status(field, told, {"averageUtilization": proposal.utilization, "averageValue": _text(proposal.average)}),
    )  # fmt: skip


def _some(case: Case) -> Sequence[Obj]:
    if not case.pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    return case.pods


def _pods(case: Case, source: Obj, answer: Answer) -> Result:
    name, target = source["metric"]["name"], source["target"]
    measured = sources.of_pods(answer, name, case.now)
    groups = calculator.grouped(_some(case), measured, "", case.now)
    proposal = calculator.by_average(_goal(case, _milli(target["averageValue"])), measured, groups)
    told = _status("pods", {"metric": source["metric"]}, {"averageValue": _text(proposal.average)})
    return Result(proposal.replicas, f"pods metric {name}", told)


# ── one number ───────────────────────────────────────────────────────────────────────────────────────────


def _object(case: Case, source: Obj, answer: Answer) -> Result:
    metric, described = source["metric"], source["describedObject"]
    proposal, shown = _of_value(case, source["target"], sources.of_object(answer, metric["name"]))
    told = _status("object", {"describedObject": described, "metric": metric}, shown)
    return Result(proposal.replicas, f"{described['kind']} metric {metric['name']}", told)


def _external(case: Case, source: Obj, answer: Answer) -> Result:
    metric = source["metric"]
    text = sources.selector_text(metric.get("selector"))
    value = sources.external(answer, f"{case.namespace}/{metric['name']}/{text}")
    proposal, shown = _of_value(case, source["target"], value)
    return Result(
        proposal.replicas, f"external metric {metric['name']}({text})", _status("external", {"metric": metric}, shown)
    )


def _of_value(case: Case, target: Obj, value: int) -> tuple[Proposal, Obj]:
    """The proposal, and the current value as the status shows it."""
    if target.get("averageValue") is not None:
        proposal = calculator.by_value_per_pod(_goal(case, _milli(target["averageValue"])), case.told, value)
        return proposal, {"averageValue": _text(proposal.average)}
    ready = calculator.ready_count(case.pods)
    proposal = calculator.by_value(_goal(case, _milli(target["value"])), ready, value)
    return proposal, {"value": _text(value)}


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────


def _ask_usage(case: Case, source: Obj) -> Look:
    return sources.usage_of(case.namespace, case.selector)


def _ask_pods(case: Case, source: Obj) -> Look:
    return sources.metric_of_pods(case.namespace, case.selector, source["metric"])


def _ask_object(case: Case, source: Obj) -> Look:
    return sources.metric_of_object(case.kinds, case.namespace, source["describedObject"], source["metric"])


def _ask_external(case: Case, source: Obj) -> Look:
    return sources.external_metric(case.namespace, source["metric"])


_SORTS: Final[Mapping[str, _Sort]] = {
    "Resource": _Sort("resource", _ask_usage, _usage, lambda source: f"{source['name']} resource"),
    "ContainerResource": _Sort("containerResource", _ask_usage, _usage, lambda source: f"{source['name']} container"),
    "Pods": _Sort("pods", _ask_pods, _pods, lambda source: "pods"),
    "Object": _Sort("object", _ask_object, _object, lambda source: "object"),
    "External": _Sort("external", _ask_external, _external, lambda source: f"{source['metric']['name']} external"),
}


def _goal(case: Case, target: int) -> Goal:
    return Goal(case.current, target, case.tolerance)


def _milli(text: Any) -> int:
    return max(1, quantity.milli(quantity.parse(text)))


def _text(milli: int) -> str:
    return quantity.canonical(f"{milli}m")


def _status(field: str, told: Obj, current: Mapping[str, Any]) -> Obj:
    """A MetricStatus."""
    shown = {key: value for key, value in current.items() if value is not None}
    kind = field[0].upper() + field[1:]
    return {"type": kind, field: {**told, "current": shown}}
