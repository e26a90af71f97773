"""Numbers of a range that are handed out once: addresses and ports of Services.

Rule: a number that nobody asked for comes from the upper band at random, so that the lower one stays for those who ask
(KEP-3070, KEP-3668); only when the upper band is full does chance give way to the first free number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.lib.entropy import Entropy

_GUESSES: Final = 16


class Full(Exception):
    """Every number is taken."""


class Pool:
    """Numbers from ``first`` to ``last``, both included; ``band`` of them at the lower end are for those who ask."""

    def __init__(self, first: int, last: int, band: int, entropy: Entropy) -> None:
        self.first, self.last = first, last
        self._band = min(band, last - first)
        self._entropy = entropy
        self._taken: set[int] = set()

    def __contains__(self, number: int) -> bool:
        """Is it in the range?"""
        return self.first <= number <= self.last

    def take(self, number: int) -> bool:
        """Take a certain number; False where somebody has it."""
        if number in self._taken:
            return False
        self._taken.add(number)
        return True

    def take_any(self) -> int:
        """Raises Full."""
        low = self.first + self._band
        for _ in range(_GUESSES):
            number: int = int(self._entropy.uniform(low, self.last + 1))
            if number in self and self.take(number):
                return number
        for number in (*range(low, self.last + 1), *range(self.first, low)):
            if self.take(number):
                return number
        raise Full

    def give_back(self, numbers: Iterable[int]) -> None:
        self._taken.difference_update(numbers)
