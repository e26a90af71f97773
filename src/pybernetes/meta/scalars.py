"""Values that are neither objects nor lists, against their schemas: None, or what Go would call the value.

Neighbour: ``schema.py`` walks through objects and asks here at their ends.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pybernetes.meta import times

Judge: TypeAlias = Callable[[Any], str | None]
_BOUNDS: Final = {"int32": 1 << 31, "int64": 1 << 63}


def judge(node: Mapping[str, Any]) -> Judge:
    """The judge of a schema that is neither object nor list."""
    match node.get("type"), node.get("format"):
        case "string", "byte":
            return _bytes
        case "string", "date-time":
            return _time
        case "string", "int-or-string":
            return lambda v: (
                None if isinstance(v, str) or (isinstance(v, int) and not isinstance(v, bool)) else called(v)
            )
        case "string", _:
            return lambda v: None if isinstance(v, str) else called(v)
        case "boolean", _:
            return lambda v: None if isinstance(v, bool) else called(v)
        case "integer", kind:
            return _integer(_BOUNDS.get(str(kind), _BOUNDS["int64"]))
        case _:
            return lambda v: None if isinstance(v, int | float) and not isinstance(v, bool) else called(v)


def _integer(bound: int) -> Judge:
    def is_within(value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and -bound <= value < bound:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"number {value}"
        return called(value)

    return is_within


def _bytes(value: Any) -> str | None:
    if not isinstance(value, str):
        return called(value)
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return f"illegal base64 data at input byte {_bad_base64(value)}"
    return None


def _bad_base64(value: str) -> int:
    """Where Go's decoder gives up: the first wrong character, else the end of the last whole group."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for at, char in enumerate(value):
        if char == "=":
            padded = len(value) % 4 == 0 and value[at:] in ("=", "==")
            return len(value) if padded else at + (1 if at % 4 == 3 else 0)
        if char not in alphabet:
            return at
    return len(value) - len(value) % 4 if len(value) % 4 else len(value)


def _time(value: Any) -> str | None:
    if not isinstance(value, str):
        return called(value)
    try:
        times.parse(value)
    except ValueError:
        return f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
    return None


def called(value: Any) -> str:
    """The name of a JSON value's type."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


_ZEROS: Final[Mapping[Any, Any]] = {
    "object": {}, "array": [], "string": "", "boolean": False, "integer": 0, "number": 0,
}  # fmt: skip


def zero(node: Mapping[str, Any]) -> Any:
    """What Go's decoder makes of a null in a list of such values; None where null is a value itself."""
    if node.get("format") == "date-time":
        return None
    return 0 if node.get("format") == "int-or-string" else copy.copy(_ZEROS.get(node.get("type")))
