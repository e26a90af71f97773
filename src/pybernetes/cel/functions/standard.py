"""CEL's own functions: sizes, conversions, types, optionals (cel-spec/doc/langdef.md, list of standard definitions)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pybernetes.cel import operators, values
from pybernetes.cel.functions import times
from pybernetes.cel.functions.function import Function, known, known_of, of
from pybernetes.cel.values import NONE, CelError, Optional, TypeName, UInt


def size(value: Any) -> int:
    if isinstance(value, str | bytes | list | tuple | Mapping):
        return len(value)
    raise values.no_overload()


def to_int(value: Any) -> int:
    if isinstance(value, datetime):
        return int((value - times.EPOCH) // timedelta(seconds=1))
    return _whole(value, int)


def to_uint(value: Any) -> int:
    return _whole(value, UInt)


def _whole(value: Any, like: type) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise values.no_overload()
    if isinstance(value, float) and not math.isfinite(value):
        raise CelError("integer overflow")
    try:
        return operators.within(int(value), like)
    except ValueError:
        raise CelError(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None


def to_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise values.no_overload()
    try:
        return float(value)
    except ValueError:
        raise CelError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None


def to_string(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return str(value)
        case float():
            return number(value)
        case int():
            return str(int(value))
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
        case timedelta():
            return times.duration_text(value)
        case datetime():
            return times.timestamp_text(value)
    raise values.no_overload()


def number(value: float) -> str:
    """A double as Go's ``%g`` with the fewest digits that say it."""
    if not math.isfinite(value):
        return {math.inf: "+Inf", -math.inf: "-Inf"}.get(value, "NaN")
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def to_bytes(value: Any) -> bytes:
    if isinstance(value, str | bytes):
        return value.encode() if isinstance(value, str) else value
    raise values.no_overload()


_TRUTH: Final = {word: truth for truth, words in (
    (True, "1 t T true TRUE True"), (False, "0 f F false FALSE False"),
) for word in words.split()}  # fmt: skip


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise values.no_overload()
    if value not in _TRUTH:
        raise CelError(f"type conversion error from '{value}' to 'bool'")
    return _TRUTH[value]


def to_timestamp(value: Any) -> datetime:
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.fromtimestamp(value, UTC)
    return value if isinstance(value, datetime) else times.parse_timestamp(value)


def to_duration(value: Any) -> timedelta:
    return value if isinstance(value, timedelta) else times.parse_duration(value)


def type_of(value: Any) -> TypeName:
    return TypeName(values.type_name(value))


def _value(found: Optional) -> Any:
    if not found.present:
        raise CelError("optional.none() dereference")
    return found.value


def _not_zero(value: Any) -> Optional:
    """``optional.ofNonZeroValue``: nothing where the value is its type's zero."""
    empty = value is None or value is False or value == 0 or (isinstance(value, str | list | dict) and not value)
    return NONE if empty else Optional(value, present=True)


TABLE: Final[tuple[Function, ...]] = (
    known("size", "dyn -> int", size),
    known_of("size", "dyn -> int", size),
    known_of("int", "dyn -> int", to_int),
    known_of("uint", "dyn -> uint", to_uint),
    known_of("double", "dyn -> double", to_double),
    known_of("string", "dyn -> string", to_string),
    known_of("bytes", "dyn -> bytes", to_bytes),
    known_of("bool", "dyn -> bool", to_bool),
    known_of("timestamp", "dyn -> timestamp", to_timestamp),
    known_of("duration", "dyn -> duration", to_duration),
    known_of("type", "dyn -> type", type_of),
    known_of("dyn", "dyn -> dyn", lambda value: value),
    known_of("optional.of", "dyn -> optional", lambda value: Optional(value, present=True)),
    known_of("optional.none", "-> optional", lambda: NONE),
    known_of("optional.ofNonZeroValue", "dyn -> optional", _not_zero),
    known("hasValue", "optional -> bool", lambda found: found.present),
    known("value", "optional -> dyn", _value),
    known_of("cel.@mapInsert", "map, dyn, dyn -> map", lambda so_far, key, value: {**so_far, key: value}),
    known_of("cel.@mapInsert", "map, map -> map", lambda so_far, more: {**so_far, **more}),
    of("jsonpatch.escapeKey", "string -> string", lambda key: key.replace("~", "~0").replace("/", "~1")),
)
