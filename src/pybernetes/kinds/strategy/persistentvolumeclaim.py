"""PersistentVolumeClaims (validation.ValidatePersistentVolumeClaim and its update)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names, quantity
from pybernetes.meta.objects import Obj

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")
_MAY_CHANGE: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def default(obj: Obj) -> None:
    fill.absent(fill.child(obj, "spec"), "volumeMode", "Filesystem")
    _data_sources(obj["spec"])


def _data_sources(spec: Obj) -> None:
    """``dataSource`` and ``dataSourceRef`` say the same as long as the newer one names no namespace."""
    older, newer = spec.get("dataSource"), spec.get("dataSourceRef")
    if older and not newer:
        spec["dataSourceRef"] = dict(older)
    elif newer and not older and not newer.get("namespace"):
        spec["dataSource"] = dict(newer)


def prepare_create(obj: Obj) -> None:
    obj["status"] = {"phase": "Pending"}


@check.listed
def validate(obj: Obj) -> Errors:
    yield from validate_spec(obj["spec"], "spec")


def validate_spec(spec: Obj, path: str) -> Errors:
    """A PersistentVolumeClaimSpec."""
    yield from access_modes(spec.get("accessModes"), f"{path}.accessModes")
    yield from check.label_selector(spec.get("selector"), f"{path}.selector")
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    at = f"{path}.resources[storage]"
    if requested is None:
        yield errors.required(at)
    else:
        yield from positive_quantity(requested, at)
    if name := spec.get("storageClassName"):
        yield from check.complaints(f"{path}.storageClassName", name, names.dns1123_subdomain(name))
    yield from check.one_of(spec.get("volumeMode"), f"{path}.volumeMode", VOLUME_MODES, required=False)


def access_modes(modes: Sequence[str] | None, path: str) -> Errors:
    """At least one known mode; ReadWriteOncePod stands alone."""
    if not modes:
        yield errors.required(path, "at least 1 access mode is required")
    for mode, _ in check.each(modes, path):
        yield from check.one_of(mode, path, ACCESS_MODES)
    if modes and "ReadWriteOncePod" in modes and len(modes) > 1:
        yield errors.field_forbidden(path, "may not use ReadWriteOncePod with other access modes")


def positive_quantity(value: Any, path: str) -> Errors:
    bad = list(check.non_negative_quantity(value, path))
    yield from bad
    if not bad and quantity.parse(value) == 0:
        yield errors.invalid(path, quantity.canonical(value), "must be greater than zero")


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    """A claim stays as it is; its binder may name the volume, and a bound claim may grow."""
    fresh, former = new["spec"], old["spec"]
    bound = (old.get("status") or {}).get("phase") == "Bound"
    if _fixed(fresh, former, bound) != _fixed(former, former, bound):
        yield errors.field_forbidden("spec", _MAY_CHANGE)
    elif bound and quantity.parse(_storage(fresh)) < quantity.parse(_storage(former)):
        text = "field can not be less than status.capacity"
        yield errors.field_forbidden("spec.resources.requests.storage", text)
    yield from check.immutable(fresh.get("volumeMode"), former.get("volumeMode"), "spec.volumeMode")


def _storage(spec: Obj) -> Any:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage", 0)


def _fixed(spec: Obj, former: Obj, bound: bool) -> Obj:
    """The part of a spec that may not change any more."""
    out = {key: value for key, value in spec.items() if key != "volumeMode" and value not in (None, {}, [])}
    if not former.get("volumeName"):
        out.pop("volumeName", None)
    if former.get("storageClassName") is None:
        out.pop("storageClassName", None)
    if bound:
        out.pop("volumeAttributesClassName", None)
        out["resources"] = {**(out.get("resources") or {}), "requests": {}}
    return out


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    has_generation=False,
)
