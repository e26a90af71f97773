"""PriorityClasses, disruption budgets, Leases and RuntimeClasses: small kinds that steer pods and their keepers."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

# ── priority classes ─────────────────────────────────────────────────────────────────────────────────────

SYSTEM_PREFIX: Final = "system-"
USER_PRIORITY_MAX: Final = 1_000_000_000
SYSTEM_CLASSES: Final = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
_PREEMPTION: Final = ("Never", "PreemptLowerPriority")


def default_priority(obj: Obj) -> None:
    fill.absent(obj, "preemptionPolicy", "PreemptLowerPriority")


@check.listed
def validate_priority(obj: Obj) -> Errors:
    name, value = (obj.get("metadata") or {}).get("name", ""), obj.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != value:
            text = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
            yield errors.field_forbidden("metadata.name", text)
    elif value > USER_PRIORITY_MAX:
        text = f"maximum allowed value of a user defined priority is {USER_PRIORITY_MAX}"
        yield errors.field_forbidden("value", text)
    yield from check.one_of(obj.get("preemptionPolicy"), "preemptionPolicy", _PREEMPTION, required=False)


@check.listed
def validate_priority_update(new: Obj, old: Obj) -> Errors:
    if (new.get("value") or 0) != (old.get("value") or 0):
        yield errors.field_forbidden("value", "may not be changed in an update.")
    yield from check.immutable(new.get("preemptionPolicy"), old.get("preemptionPolicy"), "preemptionPolicy")


PRIORITY: Final = Strategy(
    default=default_priority,
    validate=validate_priority,
    validate_update=validate_priority_update,
    generation=lambda new, old: False,
)

# ── disruption budgets ───────────────────────────────────────────────────────────────────────────────────

_EVICTION_POLICIES: Final = ("AlwaysAllow", "IfHealthyBudget")


@check.listed
def validate_budget(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        yield errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for key, value in (("minAvailable", least), ("maxUnavailable", most)):
        yield from check.positive_int_or_percent(value, f"spec.{key}")
        yield from check.not_over_100_percent(value, f"spec.{key}")
    yield from check.label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    yield from check.one_of(policy, "spec.unhealthyPodEvictionPolicy", _EVICTION_POLICIES, required=False)


BUDGET: Final = Strategy(validate=validate_budget, unconditional_update=False)

# ── leases and runtime classes ───────────────────────────────────────────────────────────────────────────


@check.listed
def validate_lease(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        yield errors.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    if transitions is not None and transitions < 0:
        yield errors.invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0")


LEASE: Final = Strategy(
    validate=validate_lease, has_generation=False, allow_create_on_update=True, unconditional_update=False
)


@check.listed
def validate_runtime(obj: Obj) -> Errors:
    handler = obj.get("handler") or ""
    yield from check.complaints("handler", handler, names.dns1123_label(handler))


@check.listed
def validate_runtime_update(new: Obj, old: Obj) -> Errors:
    yield from check.immutable(new.get("handler"), old.get("handler"), "handler")


RUNTIME: Final = Strategy(
    validate=validate_runtime,
    validate_update=validate_runtime_update,
    has_generation=False,
    unconditional_update=False,
)
