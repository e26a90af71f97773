"""Tables and metadata-only objects: what kubectl prints, and what controllers of any kind watch.

Sources: apiserver/pkg/endpoints/handlers/response.go (asTable, asPartialObjectMetadata).
Neighbours: ``kinds/columns/`` has the columns, ``encode.py`` and ``frames.py`` ask for shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column, Kind
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.negotiate import Answer

NONE: Final = "None"
METADATA: Final = "Metadata"
OBJECT: Final = "Object"
_INCLUDED: Final = (NONE, METADATA, OBJECT)
_FALLBACK: Final = (cell.NAME, cell.AGE)


def columns(kind: Kind) -> Sequence[Column]:
    return kind.columns or _FALLBACK


@dataclass(frozen=True, slots=True)
class View:
    """How an object is looked at: in which shape, with how much of it in a Table's rows, when (Unix seconds)."""

    answer: Answer
    include: str
    now: float

    @property
    def version(self) -> str:
        return f"{negotiate.META_GROUP}/{self.answer.version}"


def shaped(kind: Kind, obj: Obj, view: View) -> Obj:
    """One object in the shape that is wanted, if one is."""
    if view.answer.shape == negotiate.TABLE:
        version = obj.get("metadata", {}).get("resourceVersion", "")
        return table(kind, [obj], {"resourceVersion": version}, view)
    return partial(obj, view) if view.answer.shape == negotiate.PARTIAL else obj


def shaped_list(kind: Kind, objects: Sequence[Obj], metadata: Obj, view: View) -> Obj:
    """A list in the shape that is wanted; ``view`` names one."""
    if view.answer.shape == negotiate.TABLE:
        return table(kind, objects, metadata, view)
    return {
        "kind": negotiate.PARTIAL_LIST,
        "apiVersion": view.version,
        "metadata": metadata,
        "items": [partial(obj, view) for obj in objects],
    }


def table(kind: Kind, objects: Sequence[Obj], metadata: Obj, view: View) -> Obj:
    """A meta.k8s.io Table. Raises BadRequest for an unknown ``include``."""
    if view.include not in _INCLUDED:
        raise errors.BadRequest(f'unrecognized includeObject value: "{view.include}"')
    shown = columns(kind)
    return {
        "kind": negotiate.TABLE,
        "apiVersion": view.version,
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in shown],
        "rows": [_row(obj, shown, view) for obj in objects],
    }


def _row(obj: Obj, shown: Sequence[Column], view: View) -> Obj:
    row: Obj = {"cells": [column.value(obj, view.now) for column in shown]}
    if view.include == METADATA:
        row["object"] = partial(obj, view)
    elif view.include == OBJECT:
        row["object"] = obj
    return row


def partial(obj: Obj, view: View) -> Obj:
    return {"kind": negotiate.PARTIAL, "apiVersion": view.version, "metadata": obj.get("metadata", {})}


def _definition(column: Column) -> Obj:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }
