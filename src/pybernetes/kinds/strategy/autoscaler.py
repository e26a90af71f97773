"""HorizontalPodAutoscalers in v2's form, which is the stored one (pkg/apis/autoscaling: defaults, validation)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_CPU_PERCENT: Final = 80
_SOURCES: Final = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_SELECT: Final = ("Disabled", "Max", "Min")
_POLICIES: Final = ("Percent", "Pods")
_STABILIZATION_MAX, _PERIOD_MAX = 3600, 1800


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.absent(spec, "minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _CPU_PERCENT}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if (behavior := spec.get("behavior")) is not None:
        _behavior(behavior)


def _behavior(behavior: Obj) -> None:
    up, down = fill.child(behavior, "scaleUp"), fill.child(behavior, "scaleDown")
    by_percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
    fill.all_absent(up, stabilizationWindowSeconds=0, selectPolicy="Max")
    fill.zero(up, "policies", [{"type": "Pods", "value": 4, "periodSeconds": 15}, dict(by_percent)])
    fill.absent(down, "selectPolicy", "Max")
    fill.zero(down, "policies", [dict(by_percent)])


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield errors.invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield errors.invalid("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        yield errors.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    for metric, at in check.each(spec.get("metrics"), "spec.metrics"):
        yield from _metric(metric, at)
    for key in ("scaleUp", "scaleDown"):
        yield from _rules((spec.get("behavior") or {}).get(key), f"spec.behavior.{key}")


def _reference(ref: Obj, path: str) -> Errors:
    for key in ("kind", "name"):
        yield from check.required_name(ref.get(key) or "", f"{path}.{key}", names.path_segment)


def _metric(metric: Obj, path: str) -> Errors:
    kind = metric.get("type") or ""
    if kind not in _SOURCES:
        yield from check.one_of(kind, f"{path}.type", tuple(_SOURCES))
        return
    source = metric.get(_SOURCES[kind])
    if source is None:
        text = f"must populate information for the given metric source (only {_SOURCES[kind]} for {kind} metrics)"
        yield errors.required(f"{path}.{_SOURCES[kind]}", text)
        return
    if kind in ("Resource", "ContainerResource"):
        if not source.get("name"):
            yield errors.required(f"{path}.{_SOURCES[kind]}.name", "must specify a resource name")
        yield from _resource_target(source.get("target") or {}, f"{path}.{_SOURCES[kind]}.target")


def _resource_target(target: Obj, path: str) -> Errors:
    percent, value = target.get("averageUtilization"), target.get("averageValue")
    if percent is None and value is None:
        text = "must set either a target raw value or a target utilization"
        yield errors.required(f"{path}.averageUtilization", text)
    elif percent is not None and value is not None:
        text = "may not set both a target raw value and a target utilization"
        yield errors.field_forbidden(f"{path}.averageValue", text)
    elif percent is not None and percent < 1:
        yield errors.invalid(f"{path}.averageUtilization", percent, "must be greater than 0")


def _rules(rules: Obj | None, path: str) -> Errors:
    if rules is None:
        return
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        yield errors.invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _STABILIZATION_MAX:
        text = f"must be less than or equal to {_STABILIZATION_MAX}"
        yield errors.invalid(f"{path}.stabilizationWindowSeconds", window, text)
    yield from check.one_of(rules.get("selectPolicy"), f"{path}.selectPolicy", _SELECT)
    if not rules.get("policies"):
        yield errors.required(f"{path}.policies", "must specify at least one Policy")
    for policy, at in check.each(rules.get("policies"), f"{path}.policies"):
        yield from _policy(policy, at)


def _policy(policy: Obj, path: str) -> Errors:
    yield from check.one_of(policy.get("type"), f"{path}.type", _POLICIES)
    for key in ("value", "periodSeconds"):
        if (policy.get(key) or 0) <= 0:
            yield errors.invalid(f"{path}.{key}", policy.get(key) or 0, "must be greater than zero")
    if (policy.get("periodSeconds") or 0) > _PERIOD_MAX:
        text = f"must be less than or equal to {_PERIOD_MAX}"
        yield errors.invalid(f"{path}.periodSeconds", policy["periodSeconds"], text)


STRATEGY: Final = Strategy(default=default, validate=validate, has_generation=False)
