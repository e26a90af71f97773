"""CEL's values as Python's: what their types are called, when they are equal, and which is the lesser.

Rule 1: JSON stays as it is: None, bool, int, float, str, list and dict. ``UInt`` is the unsigned integer, ``timedelta``
        and ``datetime`` are duration and timestamp, ``Optional`` and ``TypeName`` CEL's own; what a Kubernetes library
        brings (quantities, addresses) is an ``Opaque``.
Rule 2: a failed evaluation is a ``CelError``; ``a || b`` and ``all`` may still forget it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final


class CelError(Exception):
    """What went wrong while compiling or evaluating, in cel-go's words."""


class CompileError(CelError):
    """The text is no expression, or none of the type that is wanted; it names line and column."""


class OverBudget(CelError):
    """The evaluation took more steps than it may; no operator forgets this one."""

    def __init__(self) -> None:
        super().__init__("operation cancelled: actual cost limit exceeded")


class UInt(int):
    """An unsigned integer of 64 bits."""

    __slots__ = ()


class TypeName(str):
    """A type as a value: what ``type(x)`` answers."""

    __slots__ = ()


class Opaque:
    """A value of a library of Kubernetes; equal by identity unless its class says otherwise."""

    __slots__ = ()
    type_name = "dyn"


class Optional(Opaque):
    """``optional.of(x)`` and ``optional.none()``."""

    __slots__ = ("present", "value")
    type_name = "optional_type"

    def __init__(self, value: Any = None, *, present: bool = False) -> None:
        self.value, self.present = value, present

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Optional) or self.present is not other.present:
            return False
        return not self.present or equal(self.value, other.value)

    def __hash__(self) -> int:
        return hash(self.present)


NONE: Final = Optional()
_NAMES: Final[dict[type, str]] = {
    type(None): "null_type", bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes",
    list: "list", tuple: "list", dict: "map", timedelta: "google.protobuf.Duration", TypeName: "type",
    datetime: "google.protobuf.Timestamp",
}  # fmt: skip
_NUMBERS: Final = frozenset({int, UInt, float})
_ORDERED: Final = (str, bytes, timedelta, datetime, bool)


def type_name(value: Any) -> str:
    """The CEL name of a value's type."""
    found = _NAMES.get(type(value))
    if found is not None:
        return found
    if isinstance(value, Opaque):
        return value.type_name
    return "map" if isinstance(value, Mapping) else "dyn"


def is_number(value: Any) -> bool:
    return type(value) in _NUMBERS


def equal(left: Any, right: Any) -> bool:
    """CEL's ``==``: numbers across their types, everything else only within its type; never an error."""
    if type(left) in _NUMBERS and type(right) in _NUMBERS:
        return bool(left == right)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(key in right and equal(value, right[key]) for key, value in left.items())
    return type(left) is type(right) and bool(left == right)


def comparison(left: Any, right: Any) -> int:
    """-1, 0 or 1. Raises CelError where the two have no order."""
    numbers = type(left) in _NUMBERS and type(right) in _NUMBERS
    if numbers or (type(left) is type(right) and isinstance(left, _ORDERED)):
        return int(left > right) - int(left < right)
    raise no_overload()


def no_overload() -> CelError:
    return CelError("no such overload")


def found(mapping: Any, key: Any) -> bool:
    """Is ``key`` a key of the map? Numbers are found across their types; ``True`` is no 1."""
    if type(key) is float:
        key = int(key) if key.is_integer() else key
    if isinstance(key, bool) or type(key) in _NUMBERS:
        return any(equal(key, own) for own in mapping)
    return key in mapping
