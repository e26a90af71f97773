"""Namespaces: they carry their own name as a label, and a finalizer that the namespace controller takes away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, objectmeta
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj, is_deleting

NAME_LABEL: Final = "kubernetes.io/metadata.name"
FINALIZER: Final = "kubernetes"


def default(obj: Obj) -> None:
    """SetDefaults_Namespace; a generated name is labelled by ``prepare_create``."""
    meta = fill.child(obj, "metadata")
    if meta.get("name"):
        fill.child(meta, "labels")[NAME_LABEL] = meta["name"]


def prepare_create(obj: Obj) -> None:
    default(obj)
    obj["status"] = {"phase": "Active"}
    finalizers = fill.child(obj, "spec").setdefault("finalizers", [])
    if FINALIZER not in finalizers:
        finalizers.append(FINALIZER)


def prepare_update(new: Obj, old: Obj) -> None:
    """Only ``finalize`` may touch ``spec.finalizers``."""
    fill.child(new, "spec").pop("finalizers", None)
    if before := (old.get("spec") or {}).get("finalizers"):
        new["spec"]["finalizers"] = before


def validate_name(name: str, is_prefix: bool) -> Sequence[str]:
    return names.dns1123_label(name, is_prefix=is_prefix)


@check.listed
def validate(obj: Obj) -> Errors:
    for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
        yield from objectmeta.finalizer_name(finalizer, "spec.finalizers")


@check.listed
def validate_status_update(new: Obj, old: Obj) -> Errors:
    phase = (new.get("status") or {}).get("phase")
    if is_deleting(new):
        if phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
            yield errors.invalid("status.Phase", phase, text)
    elif phase != "Active":
        yield errors.invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate_name=validate_name,
    validate=validate,
    validate_status_update=validate_status_update,
    has_generation=False,
)
