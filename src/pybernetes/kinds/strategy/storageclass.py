"""StorageClasses and the CSI kinds (pkg/apis/storage: defaults, validation)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_RECLAIM: Final = ("Delete", "Retain")
_BINDING: Final = ("Immediate", "WaitForFirstConsumer")
_PARAMETERS_MAX, _PARAMETER_BYTES_MAX = 512, 256 * 1024


def default_class(obj: Obj) -> None:
    fill.all_absent(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


@check.listed
def validate_class(obj: Obj) -> Errors:
    yield from _driver(obj.get("provisioner") or "", "provisioner")
    yield from _parameters(obj.get("parameters") or {}, "parameters")
    yield from check.one_of(obj.get("reclaimPolicy"), "reclaimPolicy", _RECLAIM, required=False)
    yield from check.one_of(obj.get("volumeBindingMode"), "volumeBindingMode", _BINDING)


def _driver(name: str, path: str) -> Errors:
    return check.required_name(name.lower(), path, names.qualified_name)


def _parameters(values: dict[str, str], path: str) -> Errors:
    if len(values) > _PARAMETERS_MAX:
        yield errors.too_long(f"{path} #", _PARAMETERS_MAX)
    if "" in values:
        yield errors.invalid(path, "", "field must not be empty.")
    if sum(len(key) + len(value) for key, value in values.items()) > _PARAMETER_BYTES_MAX:
        yield errors.too_long(path, _PARAMETER_BYTES_MAX)


def _forbidden(new: Obj, old: Obj, *keys: str) -> Errors:
    for key in keys:
        if (new.get(key) or None) != (old.get(key) or None):
            yield errors.field_forbidden(key, f"updates to {key} are forbidden.")


@check.listed
def validate_class_update(new: Obj, old: Obj) -> Errors:
    yield from _forbidden(new, old, "parameters", "provisioner", "reclaimPolicy")
    yield from check.immutable(new.get("volumeBindingMode"), old.get("volumeBindingMode"), "volumeBindingMode")


CLASS: Final = Strategy(
    default=default_class,
    validate=validate_class,
    validate_update=validate_class_update,
    has_generation=False,
)


def default_driver(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.all_absent(
        spec, attachRequired=True, podInfoOnMount=False, storageCapacity=False, requiresRepublish=False,
        seLinuxMount=False, fsGroupPolicy="ReadWriteOnceWithFSType",
    )  # fmt: skip
    fill.zero(spec, "volumeLifecycleModes", ["Persistent"])


DRIVER: Final = Strategy(default=default_driver, has_generation=False, unconditional_update=False)
NODE: Final = Strategy(has_generation=False, unconditional_update=False)
"""CSINodes, CSIStorageCapacities and VolumeAttachments: written by drivers, read by controllers."""


@check.listed
def validate_attributes(obj: Obj) -> Errors:
    yield from _driver(obj.get("driverName") or "", "driverName")
    yield from _parameters(obj.get("parameters") or {}, "parameters")
    if not obj.get("parameters"):
        yield errors.required("parameters", "must contain at least one key/value pair")


@check.listed
def validate_attributes_update(new: Obj, old: Obj) -> Errors:
    yield from _forbidden(new, old, "driverName", "parameters")


ATTRIBUTES_CLASS: Final = Strategy(
    validate=validate_attributes,
    validate_update=validate_attributes_update,
    has_generation=False,
)
