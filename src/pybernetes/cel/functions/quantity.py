"""Quantities: ``quantity("1.5Gi")`` and what Kubernetes lets rules do with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from pybernetes.cel.functions.function import Function, of, on
from pybernetes.cel.values import CelError, Opaque
from pybernetes.meta import quantity

_INT64: Final = 1 << 63


class Quantity(Opaque):
    __slots__ = ("number",)
    type_name = "kubernetes.Quantity"

    def __init__(self, number: quantity.Number) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)


def parse(text: str) -> Quantity:
    try:
        return Quantity(quantity.parse(text))
    except ValueError as error:
        raise CelError(str(error)) from None


def is_quantity(text: str) -> bool:
    return quantity.is_valid(text)


def _is_integer(value: Quantity) -> bool:
    return isinstance(value.number, int) and -_INT64 <= value.number < _INT64


def _integer(value: Quantity) -> int:
    if not _is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(value.number)


def _compare(one: Quantity, other: Quantity) -> int:
    return (one.number > other.number) - (one.number < other.number)


def _sum(one: Quantity, other: Any) -> Quantity:
    number = other.number if isinstance(other, Quantity) else other
    total = Decimal(one.number) + Decimal(number)
    return Quantity(int(total) if total == total.to_integral_value() else total)


def _difference(one: Quantity, other: Any) -> Quantity:
    return _sum(one, Quantity(-other.number) if isinstance(other, Quantity) else -other)


_Q: Final = "kubernetes.Quantity"
TABLE: Final[tuple[Function, ...]] = (
    of("quantity", f"string -> {_Q}", parse),
    of("isQuantity", "string -> bool", is_quantity),
    on("sign", f"{_Q} -> int", lambda value: (value.number > 0) - (value.number < 0)),
    on("isInteger", f"{_Q} -> bool", _is_integer),
    on("asInteger", f"{_Q} -> int", _integer),
    on("asApproximateFloat", f"{_Q} -> double", lambda value: float(value.number)),
    on("isGreaterThan", f"{_Q}, {_Q} -> bool", lambda one, other: one.number > other.number),
    on("isLessThan", f"{_Q}, {_Q} -> bool", lambda one, other: one.number < other.number),
    on("compareTo", f"{_Q}, {_Q} -> int", _compare),
    on("add", f"{_Q}, {_Q} -> {_Q}", _sum),
    on("add", f"{_Q}, int -> {_Q}", _sum),
    on("sub", f"{_Q}, {_Q} -> {_Q}", _difference),
    on("sub", f"{_Q}, int -> {_Q}", _difference),
)
