"""Deployments."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, workload
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_STRATEGIES: Final = ("Recreate", "RollingUpdate")


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    defaults.template(fill.child(spec, "template"))
    fill.all_absent(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = fill.child(spec, "strategy")
    fill.zero(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill.all_absent(fill.child(strategy, "rollingUpdate"), maxUnavailable="25%", maxSurge="25%")


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from workload.counts(spec)
    yield from workload.selector(spec, "deployment")
    yield from workload.template(spec, "ReplicaSet")
    yield from _strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from _deadline(spec, "spec.progressDeadlineSeconds")


def _strategy(strategy: Obj, path: str) -> Errors:
    yield from check.one_of(strategy.get("type"), f"{path}.type", _STRATEGIES)
    if strategy.get("type") == "Recreate":
        yield from workload.forbidden_rolling_update(strategy, path)
    elif strategy.get("type") == "RollingUpdate":
        yield from _rolling(strategy["rollingUpdate"], f"{path}.rollingUpdate")


def _rolling(rolling: Obj, path: str) -> Errors:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    yield from workload.amount(unavailable, f"{path}.maxUnavailable")
    yield from check.positive_int_or_percent(surge, f"{path}.maxSurge")
    if workload.is_zero(unavailable) and workload.is_zero(surge):
        yield errors.invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")


def _deadline(spec: Obj, path: str) -> Errors:
    seconds = spec.get("progressDeadlineSeconds")
    yield from check.non_negative(seconds, path)
    if seconds is not None and seconds <= (spec.get("minReadySeconds") or 0):
        yield errors.invalid(path, seconds, "must be greater than minReadySeconds")


STRATEGY: Final = Strategy(
    default=default,
    validate=validate,
    validate_update=workload.selector_stays,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
    generation=workload.changed(("spec",), ("metadata", "annotations")),
)
"""The generation grows with annotations too: they are copied into the Deployment's ReplicaSets."""
