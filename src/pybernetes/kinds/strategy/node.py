"""Nodes: taints are judged, addresses of pods are given once (validation.ValidateNode, ValidateNodeUpdate)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import resources, scheduling
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_FREE: Final = frozenset({"taints", "unschedulable", "podCIDR", "podCIDRs", "providerID", "externalID", "configSource"})


def default(obj: Obj) -> None:
    """A node that says what it has and not what of it may be used lets all be used."""
    status = obj.get("status") or {}
    if status.get("capacity") and status.get("allocatable") is None:
        status["allocatable"] = dict(status["capacity"])


@check.listed
def validate(obj: Obj) -> Errors:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    yield from _taints(spec.get("taints"), "spec.taints")
    for cidr, at in check.each(spec.get("podCIDRs"), "spec.podCIDRs"):
        yield from check.cidr(cidr, at)
    for key in ("capacity", "allocatable"):
        for name, value in (status.get(key) or {}).items():
            yield from resources.resource_name(name, f"status.{key}[{name}]")
            yield from resources.quantity_of(name, value, f"status.{key}[{name}]")


def _taints(taints: Sequence[Obj] | None, path: str) -> Errors:
    seen: set[tuple[object, object]] = set()
    for taint, at in check.each(taints, path):
        key, value, effect = taint.get("key") or "", taint.get("value") or "", taint.get("effect")
        yield from check.label_name(key, f"{at}.key")
        if bad := names.label_value(value):
            yield errors.invalid(f"{at}.value", value, ";".join(bad))
        yield from check.one_of(effect, f"{at}.effect", scheduling.TAINT_EFFECTS)
        if (key, effect) in seen:
            told = errors.duplicate(at, taint).message
            yield errors.FieldError("FieldValueDuplicate", at, f"{told}: taints must be unique by key and effect pair")
        seen.add((key, effect))


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    fresh, former = new.get("spec") or {}, old.get("spec") or {}
    if former.get("podCIDRs") and fresh.get("podCIDRs") != former["podCIDRs"]:
        text = 'node updates may not change podCIDR except from "" to valid'
        yield errors.field_forbidden("spec.podCIDRs", text)
    if former.get("providerID") and fresh.get("providerID") != former["providerID"]:
        text = 'node updates may not change providerID except from "" to valid'
        yield errors.field_forbidden("spec.providerID", text)
    if {k: v for k, v in fresh.items() if k not in _FREE} != {k: v for k, v in former.items() if k not in _FREE}:
        yield errors.field_forbidden("spec", "node updates may only change labels, taints, or capacity")


STRATEGY: Final = Strategy(
    default=default,
    validate=validate,
    validate_update=validate_update,
    has_generation=False,
    create_with_status=True,
)
"""A kubelet registers its node together with the status."""
