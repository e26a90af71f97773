"""Printer columns and selectable fields of a custom resource: JSONPaths in its definition.

Rule: a column that finds nothing shows nothing; a date shows how long ago it was; several values are told with commas.
Source: apiextensions-apiserver/pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column
from pybernetes.meta import jsonpath
from pybernetes.meta.objects import Obj

_TYPES: Final = ("string", "integer", "number", "boolean", "date")
_DESCRIPTION: Final = "Custom resource definition column (in JSONPath format): "


def columns(told: Sequence[Obj] | None) -> tuple[Column, ...]:
    """The columns of a version; none are NAME and AGE."""
    return (cell.NAME, *map(_column, told)) if told else ()


def _column(told: Obj) -> Column:
    path = told["jsonPath"]
    return Column(
        told["name"], _cell(path, told.get("type", "")), told["type"] if told.get("type") in _TYPES else "string",
        told.get("format", ""), told.get("description") or _DESCRIPTION + path, told.get("priority") or 0,
    )  # fmt: skip


def _cell(path: str, type_: str) -> Callable[[Obj, float], Any]:
    find = jsonpath.compiled(path)

    def value(obj: Obj, now: float) -> Any:
        found = [one for one in find(obj) if one is not None]
        if not found:
            return None
        if type_ == "date":
            return _age(found[0], now)
        if type_ == "string":
            return ",".join(map(_text, found))
        return found[0]

    return value


def _age(moment: Any, now: float) -> str:
    try:
        return cell.since(moment, now)
    except (ValueError, TypeError):
        return "<invalid>"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def fields(told: Sequence[Obj] | None) -> Mapping[str, Callable[[Obj], str]]:
    """Selectable fields by the names that selectors write: ``spec.color``."""
    return {field["jsonPath"].removeprefix("."): _field(field["jsonPath"]) for field in told or ()}


def _field(path: str) -> Callable[[Obj], str]:
    find = jsonpath.compiled(path)

    def value(obj: Obj) -> str:
        found = find(obj)
        return _text(found[0]) if found and found[0] is not None else ""

    return value
