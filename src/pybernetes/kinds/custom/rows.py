"""From an accepted definition to its rows: one per served version, each with its own schema.

Rule 1: objects of all versions lie under the same keys, in the storage version's ``apiVersion``; a row converts where
        the stored form may be another than its own, or where its defaults are to be filled in on reading.
Rule 2: conversion by strategy None changes ``apiVersion`` and nothing else.
Neighbours: ``judge.py`` and ``rules.py`` judge; ``kinds/kind.py`` says what a row is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pybernetes.kinds.custom import columns, published, structural
from pybernetes.kinds.custom.judge import ABSENT, judge
from pybernetes.kinds.custom.rules import Ruled
from pybernetes.kinds.custom.structural import Schema
from pybernetes.kinds.kind import Convert, Kind, ScalePaths, Strategy, Subresource
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Report, Schemas
from pybernetes.meta.versions import order

_READ_WRITE: Final = ("get", "patch", "update")
_OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@dataclass(frozen=True, slots=True)
class Version:
    """One served version of a definition: its row, and what reads bodies and documents of it."""

    row: Kind
    shape: Shape
    definitions: dict[str, Obj]


class Shape:
    """How a body of a custom resource is read: metadata by its type, the rest by the structural schema.

    It stands in for a definition in ``meta/schema.Schemas``.
    """

    def __init__(self, schema: Schema, schemas: Schemas) -> None:
        self.schema, self._schemas = schema, schemas

    def inspect(self, obj: Any) -> Report:
        report = Report()
        report.unknown = structural.pruned(obj, self.schema)[1]
        meta = obj.get("metadata")
        if isinstance(meta, dict):
            found = self._schemas.inspect(_OBJECT_META, meta)
            report.unknown += [f"metadata.{path}" for path in found.unknown]
            report.decode += found.decode
            report.nulls = found.nulls
        elif meta is not None:
            report.decode.append("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
        return report

    def pruned(self, obj: Any) -> Any:
        found = structural.pruned(obj, self.schema)[0]
        meta = obj.get("metadata")
        if isinstance(meta, dict):
            found = {**found, "metadata": self._schemas.drop_unknown(_OBJECT_META, meta)}
        return found


def versions(crd: Obj, schemas: Schemas) -> list[Version]:
    """The versions of an established definition, best version first."""
    served = [version for version in crd["spec"]["versions"] if version.get("served")]
    return [_version(crd, version, schemas) for version in sorted(served, key=lambda version: order(version["name"]))]


def _version(crd: Obj, version: Obj, schemas: Schemas) -> Version:
    spec, names = crd["spec"], _names(crd)
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    subresources = version.get("subresources") or {}
    kind = names["kind"]
    row = Kind(
        group=spec["group"], version=version["name"], kind=kind, plural=names["plural"],
        singular=names.get("singular") or kind.lower(), namespaced=spec["scope"] == "Namespaced",
        definition=published.name_of(spec["group"], version["name"], kind), list_kind=names["listKind"],
        short_names=tuple(names.get("shortNames") or ()), categories=tuple(names.get("categories") or ()),
        subresources=_subresources(kind, subresources), strategy=_strategy(schema, "status" in subresources),
        columns=columns.columns(version.get("additionalPrinterColumns")),
        fields=columns.fields(version.get("selectableFields")), convert=_convert(crd, version, schema),
        custom=True, scale=_scale(subresources.get("scale")),
    )  # fmt: skip
    defined = published.definitions(spec["group"], version["name"], names, schema)
    return Version(row, Shape(schema, schemas), defined)


def _names(crd: Obj) -> Obj:
    accepted = crd["status"]["acceptedNames"]
    return {**accepted, "listKind": accepted.get("listKind") or f"{accepted['kind']}List"}


def _subresources(kind: str, told: Obj) -> dict[str, Subresource]:
    found = {}
    if "status" in told:
        found["status"] = Subresource(kind, _READ_WRITE)
    if "scale" in told:
        found["scale"] = Subresource("Scale", _READ_WRITE, "autoscaling", "v1")
    return found


def _scale(told: Obj | None) -> ScalePaths | None:
    if told is None:
        return None

    def path(key: str) -> tuple[str, ...]:
        return tuple((told.get(key) or "").removeprefix(".").split(".")) if told.get(key) else ()

    return ScalePaths(path("specReplicasPath"), path("statusReplicasPath"), path("labelSelectorPath"))


def _strategy(schema: Schema, has_status: bool) -> Strategy:
    ruled, defaulting = Ruled(schema), structural.has_defaults(schema)

    def fill(obj: Obj) -> None:
        obj.update(structural.defaulted(obj, schema))

    def whole(obj: Obj) -> Sequence[FieldError]:
        return judge(obj, schema) or ruled.judge(obj)

    def change(new: Obj, old: Obj) -> Sequence[FieldError]:
        return judge(new, schema, old) or ruled.judge(new, old)

    return Strategy(
        default=fill if defaulting else _nothing, validate=whole, validate_update=change, validate_status_update=change,
        judges_changes=True, generation=_counts(has_status), keep_status=has_status,
    )  # fmt: skip


def _nothing(obj: Obj) -> None:
    return None


def _counts(has_status: bool) -> Any:
    """Every change counts but those of metadata, and of status where it has a door of its own."""
    ignored = ("metadata", "status", "apiVersion") if has_status else ("metadata", "apiVersion")

    def differs(new: Obj, old: Obj) -> bool:
        return {k: v for k, v in new.items() if k not in ignored} != {k: v for k, v in old.items() if k not in ignored}

    return differs


def _convert(crd: Obj, version: Obj, schema: Schema) -> Convert | None:
    group, spec = crd["spec"]["group"], crd["spec"]
    stored = next(one["name"] for one in spec["versions"] if one.get("storage"))
    lying = {stored, *(crd["status"].get("storedVersions") or ())}
    fills = structural.has_defaults(schema)
    if lying == {version["name"]} and not fills:
        return None
    into, out = f"{group}/{stored}", f"{group}/{version['name']}"

    def from_stored(obj: Obj) -> Obj:
        found = obj if obj.get("apiVersion") == out else {**obj, "apiVersion": out}
        return structural.defaulted(found, schema) if fills else found

    return lambda obj: obj if obj.get("apiVersion") == into else {**obj, "apiVersion": into}, from_stored


__all__ = ["ABSENT", "Shape", "Version", "versions"]
