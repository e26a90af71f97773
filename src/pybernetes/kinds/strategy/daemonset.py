"""DaemonSets and ControllerRevisions."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, workload
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

GENERATION: Final = "deprecated.daemonset.template.generation"
"""The annotation that counts templates; its number is a label of the pods."""
_STRATEGIES: Final = ("OnDelete", "RollingUpdate")


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    defaults.template(fill.child(spec, "template"))
    fill.absent(spec, "revisionHistoryLimit", 10)
    strategy = fill.child(spec, "updateStrategy")
    fill.zero(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill.all_absent(fill.child(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from workload.counts(spec)
    yield from workload.selector(spec, "daemonset")
    yield from workload.template(spec, "DaemonSet")
    strategy = spec.get("updateStrategy") or {}
    yield from check.one_of(strategy.get("type"), "spec.updateStrategy.type", _STRATEGIES)
    if strategy.get("type") == "RollingUpdate":
        yield from _rolling(strategy["rollingUpdate"], "spec.updateStrategy.rollingUpdate")


def _rolling(rolling: Obj, path: str) -> Errors:
    unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    yield from workload.amount(unavailable, f"{path}.maxUnavailable")
    yield from workload.amount(surge, f"{path}.maxSurge")
    if workload.is_zero(unavailable) and workload.is_zero(surge):
        yield errors.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not workload.is_zero(unavailable) and not workload.is_zero(surge):
        yield errors.invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def count_template(obj: Obj) -> None:
    """The first template is of generation 1."""
    _note(obj, 1)


def recount_template(new: Obj, old: Obj) -> None:
    """Each further template is of the next generation, whatever the user says (daemonset.strategy)."""
    before = (old["metadata"].get("annotations") or {}).get(GENERATION, "")
    number = int(before) if before.isdecimal() else 0
    _note(new, number + (new["spec"].get("template") != old["spec"].get("template")))


def _note(obj: Obj, generation: int) -> None:
    noted = {**(obj["metadata"].get("annotations") or {}), GENERATION: str(generation)}
    obj["metadata"] = {**obj["metadata"], "annotations": noted}


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=count_template,
    prepare_update=recount_template,
    validate=validate,
    validate_update=workload.selector_stays,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
)


@check.listed
def validate_revision(obj: Obj) -> Errors:
    if obj.get("data") is None:
        yield errors.required("data", "data is mandatory")
    yield from check.non_negative(obj.get("revision"), "revision")


@check.listed
def validate_revision_update(new: Obj, old: Obj) -> Errors:
    yield from check.immutable(new.get("data"), old.get("data"), "data")


REVISION: Final = Strategy(validate=validate_revision, validate_update=validate_revision_update, has_generation=False)
