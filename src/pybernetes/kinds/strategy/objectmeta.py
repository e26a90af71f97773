"""ObjectMeta, judged alike for every kind (apimachinery/pkg/api/validation/objectmeta.go).

``validate`` judges a new or changed object's metadata by itself, ``validate_update`` what changed in it;
``server/registry`` calls both beside the kind's own strategy, and ``prepare_update`` before them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj, meta

_STANDARD_FINALIZERS: Final = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_IMMUTABLE: Final = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_CARRIED: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def prepare_update(new: Obj, old: Obj) -> None:
    """Carry over what a client may leave out of an update but not change."""
    fresh, former = new.setdefault("metadata", {}), meta(old)
    for key in _CARRIED:
        if fresh.get(key) is None and former.get(key) is not None:
            fresh[key] = former[key]


@check.listed
def validate(obj: Obj, namespaced: bool, complain: Callable[[str, bool], Sequence[str]]) -> Errors:
    """Errors under ``metadata``. ``complain`` is the kind's ``validate_name``: (name, is_prefix) → complaints."""
    m = meta(obj)
    if prefix := m.get("generateName"):
        yield from check.complaints("metadata.generateName", prefix, complain(prefix, True))
    if name := m.get("name"):
        yield from check.complaints("metadata.name", name, complain(name, False))
    else:
        yield errors.required("metadata.name", "name or generateName is required")
    yield from _namespace(m.get("namespace") or "", namespaced)
    yield from _maps_and_lists(m)


def _namespace(namespace: str, namespaced: bool) -> Errors:
    if not namespaced:
        if namespace:
            yield errors.field_forbidden("metadata.namespace", "not allowed on this type")
    else:
        yield from check.required_name(namespace, "metadata.namespace", names.dns1123_label)


def _maps_and_lists(m: Obj) -> Errors:
    yield from check.labels(m.get("labels"), "metadata.labels")
    yield from check.annotation_map(m.get("annotations"), "metadata.annotations")
    yield from _owners(m.get("ownerReferences") or [])
    yield from _finalizers(m.get("finalizers") or [])


@check.listed
def validate_labels_and_annotations(m: Obj, path: str) -> Errors:
    """The part of metadata that a pod template has."""
    yield from check.labels(m.get("labels"), f"{path}.labels")
    yield from check.annotation_map(m.get("annotations"), f"{path}.annotations")


def _owners(owners: Sequence[Obj]) -> Errors:
    path = "metadata.ownerReferences"
    controller = ""
    for owner, at in check.each(owners, path):
        yield from _owner(owner, at)
        if not owner.get("controller"):
            continue
        name = owner.get("name", "")
        if controller:
            yield errors.invalid(path, list(owners), 'Only one reference can have Controller set to true. Found "true"'
                                 f" in references for {controller} and {name}")  # fmt: skip
        controller = name


def _owner(owner: Obj, path: str) -> Errors:
    api_version = owner.get("apiVersion") or ""
    if not api_version.rpartition("/")[2]:
        yield errors.invalid(f"{path}.apiVersion", api_version, "version must not be empty")
    for key in ("kind", "name", "uid"):
        if not owner.get(key):
            yield errors.invalid(f"{path}.{key}", owner.get(key) or "", "must not be empty")
    if owner.get("kind") == "Event" and api_version == "v1":
        yield errors.invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")


def _finalizers(finalizers: Sequence[str]) -> Errors:
    path = "metadata.finalizers"
    for finalizer in finalizers:
        yield from finalizer_name(finalizer, path)
    if {"orphan", "foregroundDeletion"} <= set(finalizers):
        yield errors.invalid(path, list(finalizers), "finalizers orphan and foregroundDeletion cannot be both set")


def finalizer_name(finalizer: str, path: str) -> Errors:
    """A finalizer is a qualified name, and without a domain one of the standard ones."""
    bad = names.qualified_name(finalizer)
    yield from check.complaints(path, finalizer, bad)
    if not bad and "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
        yield errors.invalid(path, finalizer, "name is neither a standard finalizer name nor is it fully qualified")


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    """What an update may not change in metadata. Run after ``prepare_update``."""
    fresh, former = meta(new), meta(old)
    if former.get("deletionTimestamp"):
        yield from _no_new_finalizers(fresh.get("finalizers") or [], former.get("finalizers") or [])
    if (fresh.get("generation") or 0) < (former.get("generation") or 0):
        yield errors.invalid("metadata.generation", fresh.get("generation") or 0, "must not be decremented")
    for key in _IMMUTABLE:
        yield from check.immutable(fresh.get(key), former.get(key), f"metadata.{key}")


def _no_new_finalizers(new: Sequence[str], old: Sequence[str]) -> Errors:
    extra = sorted(set(new) - set(old))
    if extra:
        shown = "[]string{" + ", ".join(f'"{name}"' for name in extra) + "}"
        yield errors.field_forbidden(
            "metadata.finalizers",
            f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}",
        )
