"""Arrays over node slots that grow: amounts by resource, and interned values by label key. Pure.

Rule: a slot is a node's place in every array. A row that nobody has written yet does not exist; reading it gives
zeros, or no value. ``move`` lets the snapshot keep the used slots together, so that arrays have no holes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
K = TypeVar("K", bound=Hashable)
A = TypeVar("A", bound=np.generic)


class Amounts:
    """int64 by (name, slot)."""

    def __init__(self) -> None:
        self.rows: dict[str, Ints] = {}
        self._slots = 0

    def resize(self, slots: int) -> None:
        self._slots = slots
        self.rows = {name: grown(row, slots) for name, row in self.rows.items()}

    def get(self, name: str, count: int) -> Ints | None:
        """The first ``count`` slots of a row; None where all of it is zero for want of a writer."""
        row = self.rows.get(name)
        return None if row is None else row[:count]

    def add(self, slot: int, amounts: Mapping[str, int], times: int = 1) -> None:
        for name, amount in amounts.items():
            self._row(name)[slot] += amount * times

    def put(self, slot: int, amounts: Mapping[str, int]) -> None:
        """The slot's amounts become these and no others."""
        self.clear(slot)
        self.add(slot, amounts)

    def clear(self, slot: int) -> None:
        for row in self.rows.values():
            row[slot] = 0

    def move(self, source: int, target: int) -> None:
        for row in self.rows.values():
            row[target] = row[source]

    def _row(self, name: str) -> Ints:
        row = self.rows.get(name)
        if row is None:
            row = self.rows[name] = np.zeros(self._slots, dtype=np.int64)
        return row


class Interned(Generic[K]):
    """One value of K per slot, kept as the number of the value: 0 is ``none``. What is asked of a value is asked once
    per distinct value and not once per node."""

    def __init__(self, none: K, slots: int = 0) -> None:
        self.values: list[K] = [none]
        self._numbers: dict[K, int] = {none: 0}
        self._ids = np.zeros(slots, dtype=np.int32)

    def resize(self, slots: int) -> None:
        self._ids = grown(self._ids, slots)

    def put(self, slot: int, value: K) -> None:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        self._ids[slot] = number

    def clear(self, slot: int) -> None:
        self._ids[slot] = 0

    def move(self, source: int, target: int) -> None:
        self._ids[target] = self._ids[source]

    def number(self, value: K) -> int | None:
        """The number of a value, if any slot ever had it."""
        return self._numbers.get(value)

    def ids(self, count: int) -> NDArray[np.int32]:
        return self._ids[:count]

    def spread(self, by_value: NDArray[A], count: int) -> NDArray[A]:
        """An answer per distinct value as an answer per slot."""
        return by_value[self._ids[:count]]


class Labels:
    """Label values by (key, slot)."""

    def __init__(self) -> None:
        self._columns: dict[str, Interned[str | None]] = {}
        self._slots = 0

    def resize(self, slots: int) -> None:
        self._slots = slots
        for column in self._columns.values():
            column.resize(slots)

    def get(self, key: str) -> Interned[str | None] | None:
        return self._columns.get(key)

    def put(self, slot: int, labels: Mapping[str, str]) -> None:
        self.clear(slot)
        for key, value in labels.items():
            column = self._columns.get(key)
            if column is None:
                column = self._columns[key] = Interned(None, self._slots)
            column.put(slot, value)

    def clear(self, slot: int) -> None:
        for column in self._columns.values():
            column.clear(slot)

    def move(self, source: int, target: int) -> None:
        for column in self._columns.values():
            column.move(source, target)


def grown(array: NDArray[A], slots: int) -> NDArray[A]:
    """A longer array with the same start and zeros after it."""
    longer: NDArray[Any] = np.zeros(slots, dtype=array.dtype)
    longer[: len(array)] = array
    return longer
