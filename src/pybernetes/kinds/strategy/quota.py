"""ResourceQuotas and LimitRanges: how much a namespace and its pods may ask for (pkg/apis/core/validation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import resources
from pybernetes.meta import errors, names, quantity
from pybernetes.meta.objects import Obj

# ── resource quotas ──────────────────────────────────────────────────────────────────────────────────────

_SCOPES: Final = (
    "BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating",
    "VolumeAttributesClass",
)  # fmt: skip
_OPPOSITES: Final = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))


def _quota_resource(name: str, path: str) -> Errors:
    """A thing that a quota can count: also ``count/<plural>.<group>`` and ``<class>.storageclass…``."""
    yield from check.complaints(path, name, names.qualified_name(name))
    known = resources.resource_name(name, path) if "/" not in name else iter(())
    yield from (error for error in known if "standard" in error.message)


@check.listed
def validate_quota(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    for name, value in (spec.get("hard") or {}).items():
        yield from _quota_resource(name, f"spec.hard[{name}]")
        yield from check.non_negative_quantity(value, f"spec.hard[{name}]")
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in _SCOPES:
            yield errors.invalid("spec.scopes", scopes, "unsupported scope")
    for pair in _OPPOSITES:
        if set(pair) <= set(scopes):
            yield errors.invalid("spec.scopes", scopes, "conflicting scopes")


@check.listed
def validate_quota_update(new: Obj, old: Obj) -> Errors:
    before, after = ((obj.get("spec") or {}).get("scopes") for obj in (old, new))
    if sorted(before or ()) != sorted(after or ()):
        yield errors.invalid("spec.scopes", after, check.IMMUTABLE)


QUOTA: Final = Strategy(validate=validate_quota, validate_update=validate_quota_update, has_generation=False)

# ── limit ranges ─────────────────────────────────────────────────────────────────────────────────────────

_BOUNDS: Final = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def default_limits(obj: Obj) -> None:
    """A bound that a container gets by default follows from the bounds it may not leave."""
    for item in (obj.get("spec") or {}).get("limits") or ():
        if item.get("type") != "Container":
            continue
        limits, requests = dict(item.get("default") or {}), dict(item.get("defaultRequest") or {})
        for name, value in (item.get("max") or {}).items():
            limits.setdefault(name, value)
        for name, value in limits.items():
            requests.setdefault(name, value)
        for name, value in (item.get("min") or {}).items():
            requests.setdefault(name, value)
        item["default"], item["defaultRequest"] = limits, requests


@check.listed
def validate_limits(obj: Obj) -> Errors:
    items = (obj.get("spec") or {}).get("limits") or []
    yield from check.unique((item.get("type"), f"{at}.type") for item, at in check.each(items, "spec.limits"))
    for item, at in check.each(items, "spec.limits"):
        yield from _limit(item, at)


def _limit(item: Obj, path: str) -> Errors:
    kind = item.get("type") or ""
    yield from check.complaints(f"{path}.type", kind, names.qualified_name(kind))
    found: dict[str, dict[str, Any]] = {bound: item.get(bound) or {} for bound in _BOUNDS}
    for bound, values in found.items():
        for name in values:
            yield from resources.resource_name(name, f"{path}.{bound}[{name}]")
        if kind == "Pod" and bound in ("default", "defaultRequest") and values:
            yield errors.field_forbidden(f"{path}.{bound}", "may not be specified when `type` is 'Pod'")
    if kind == "PersistentVolumeClaim" and "storage" not in {**found["min"], **found["max"]}:
        text = "either minimum or maximum storage value is required, but neither was provided"
        yield errors.required(f"{path}.limits", text)
    for name in dict.fromkeys(name for values in found.values() for name in values):
        yield from _ordered(name, {b: values[name] for b, values in found.items() if name in values}, path)


_ORDER: Final = (
    ("min", "min", "max", "min value {} is greater than max value {}"),
    ("defaultRequest", "min", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "defaultRequest", "max", "default request value {} is greater than max value {}"),
    ("defaultRequest", "defaultRequest", "default", "default request value {} is greater than default limit value {}"),
    ("default", "min", "default", "min value {} is greater than default value {}"),
    ("default", "default", "max", "default value {} is greater than max value {}"),
)
"""(bound to blame, lesser bound, greater bound, sentence): min ≤ default request ≤ default limit ≤ max."""


def _ordered(name: str, said: Mapping[str, Any], path: str) -> Errors:
    for blamed, low, high, sentence in _ORDER:
        if low in said and high in said and quantity.parse(said[low]) > quantity.parse(said[high]):
            text = sentence.format(quantity.canonical(said[low]), quantity.canonical(said[high]))
            yield errors.invalid(f"{path}.{blamed}[{name}]", quantity.canonical(said[blamed]), text)
    if "maxLimitRequestRatio" in said:
        yield from _ratio(said, f"{path}.maxLimitRequestRatio[{name}]")


def _ratio(said: Mapping[str, Any], path: str) -> Errors:
    ratio, shown = quantity.parse(said["maxLimitRequestRatio"]), quantity.canonical(said["maxLimitRequestRatio"])
    if ratio < 1:
        yield errors.invalid(path, shown, f"ratio {shown} is less than 1")
    least, most = (quantity.parse(said.get(bound, 0)) for bound in ("min", "max"))
    if least > 0 and most > 0 and ratio * least > most:
        yield errors.invalid(path, shown, f"ratio {shown} is greater than max/min = {float(most) / float(least):f}")


LIMITS: Final = Strategy(
    default=default_limits,
    validate=validate_limits,
    has_generation=False,
    allow_create_on_update=True,
)
