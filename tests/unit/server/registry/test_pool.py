"""A pool hands out every number once."""

from __future__ import annotations

import pytest

from pybernetes.lib.entropy import SeededEntropy
from pybernetes.server.registry.pool import Full, Pool


def pool(first: int = 30000, last: int = 30009, band: int = 4) -> Pool:
    return Pool(first, last, band, SeededEntropy(3))


def test_a_number_that_nobody_asked_for_leaves_the_lower_band_free() -> None:
    numbers = pool()
    assert {numbers.take_any() for _ in range(6)} == {30004, 30005, 30006, 30007, 30008, 30009}


def test_the_lower_band_is_used_before_nothing_is_left() -> None:
    numbers = pool()
    assert {numbers.take_any() for _ in range(10)} == set(range(30000, 30010))
    with pytest.raises(Full):
        numbers.take_any()


def test_a_number_is_taken_once_until_it_is_given_back() -> None:
    numbers = pool()
    assert numbers.take(30001)
    assert not numbers.take(30001)
    numbers.give_back([30001, 30002])
    assert numbers.take(30001)


def test_the_range_includes_both_ends() -> None:
    numbers = pool()
    assert [n in numbers for n in (29999, 30000, 30009, 30010)] == [False, True, True, False]
