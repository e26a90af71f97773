"""Sums of resources: name → amount, exact, and each in the format in which its first part was written.

Sources: apiserver/pkg/quota/v1/resources.go; a sum keeps the format of what it began with (Quantity.Add), so a quota
of ``1Gi`` tells its use in ``Mi``.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from pybernetes.meta import quantity


class Amount(NamedTuple):
    number: quantity.Number
    format: quantity.Format = "DecimalSI"

    def __str__(self) -> str:
        return quantity.render(self.number, self.format)


Amounts: TypeAlias = Mapping[str, Amount]
ZERO: Final = Amount(0)
ONE: Final = Amount(1)
NOTHING: Final[Amounts] = {}


@functools.lru_cache(maxsize=8192)
def amount(value: object) -> Amount:
    """A quantity as an object has it. Raises ValueError."""
    return Amount(quantity.parse(value), quantity.format_of(value))


def parse(stated: Mapping[str, Any] | None) -> dict[str, Amount]:
    """A ResourceList."""
    return {name: amount(value) for name, value in (stated or {}).items()}


def rendered(amounts: Amounts) -> dict[str, str]:
    """As an object has it."""
    return {name: str(value) for name, value in amounts.items()}


def told(amounts: Amounts) -> str:
    """``limits.cpu=2,pods=1``: as messages tell it (resourcequota.prettyPrint)."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))


def add(left: Amounts, right: Amounts) -> dict[str, Amount]:
    total = dict(left)
    for name, more in right.items():
        total[name] = _sum(total[name], more) if name in total else more
    return total


def _sum(left: Amount, right: Amount) -> Amount:
    return Amount(left.number + right.number, left.format if left.number else right.format)


def subtract(left: Amounts, right: Amounts) -> dict[str, Amount]:
    return add(left, {name: Amount(-less.number, less.format) for name, less in right.items()})


def growth(new: Amounts, old: Amounts) -> dict[str, Amount]:
    """By how much ``new`` is more than ``old``, where it is more (SubtractWithNonNegativeResult, RemoveZeros)."""
    return {name: value for name, value in subtract(new, old).items() if value.number > 0}


def greatest(left: Amounts, right: Amounts) -> dict[str, Amount]:
    """The greater amount of each."""
    most = dict(left)
    for name, other in right.items():
        if name not in most or other.number > most[name].number:
            most[name] = other
    return most


def mask(amounts: Amounts, names: Collection[str]) -> dict[str, Amount]:
    """Only the ``names`` among them."""
    return {name: value for name, value in amounts.items() if name in names}


def exceeded(amounts: Amounts, bounds: Amounts) -> list[str]:
    """Names of which there is more than the bound."""
    return [name for name, value in amounts.items() if name in bounds and value.number > bounds[name].number]
