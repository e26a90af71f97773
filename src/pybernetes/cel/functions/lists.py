"""Lists and sets: Kubernetes's list library and cel-go's sets extension."""

from __future__ import annotations

import functools
import itertools
from typing import Any, Final

from pybernetes.cel import operators
from pybernetes.cel.functions.function import Function, known_of, on
from pybernetes.cel.values import CelError, comparison, equal

List = list[Any]


def is_sorted(elements: List) -> bool:
    return all(comparison(before, after) <= 0 for before, after in itertools.pairwise(elements))


def total(elements: List) -> Any:
    """The sum; of nothing 0."""
    return functools.reduce(operators.add, elements) if elements else 0


def least(elements: List) -> Any:
    if not elements:
        raise CelError("min called on empty list")
    return functools.reduce(lambda best, one: one if comparison(one, best) < 0 else best, elements)


def greatest(elements: List) -> Any:
    if not elements:
        raise CelError("max called on empty list")
    return functools.reduce(lambda best, one: one if comparison(one, best) > 0 else best, elements)


def index_of(elements: List, wanted: Any) -> int:
    return next((index for index, element in enumerate(elements) if equal(element, wanted)), -1)


def last_index_of(elements: List, wanted: Any) -> int:
    return next((index for index in reversed(range(len(elements))) if equal(elements[index], wanted)), -1)


def _held(elements: List) -> Any:
    """A test for membership, quick where all elements are texts."""
    if all(type(element) is str for element in elements):
        texts = frozenset(elements)
        return lambda element: type(element) is str and element in texts
    return lambda element: operators.contained(element, elements)


def contains(elements: List, others: List) -> bool:
    return all(map(_held(elements), others))


def intersects(elements: List, others: List) -> bool:
    return any(map(_held(elements), others))


def equivalent(elements: List, others: List) -> bool:
    return contains(elements, others) and contains(others, elements)


def flatten(elements: List) -> List:
    out: List = []
    for element in elements:
        out += element if isinstance(element, list) else [element]
    return out


def distinct(elements: List) -> List:
    out: List = []
    for element in elements:
        if not operators.contained(element, out):
            out.append(element)
    return out


def sort(elements: List) -> List:
    return sorted(elements, key=functools.cmp_to_key(comparison))


def slice_of(elements: List, start: int, end: int) -> List:
    if not 0 <= start <= end <= len(elements):
        raise CelError(f"cannot slice({start}, {end}), list has size {len(elements)}")
    return elements[start:end]


TABLE: Final[tuple[Function, ...]] = (
    on("isSorted", "list(~T) -> bool", is_sorted),
    on("sum", "list(~T) -> ~T", total),
    on("min", "list(~T) -> ~T", least),
    on("max", "list(~T) -> ~T", greatest),
    on("indexOf", "list(~T), ~T -> int", index_of),
    on("lastIndexOf", "list(~T), ~T -> int", last_index_of),
    on("distinct", "list(~T) -> list(~T)", distinct),
    on("flatten", "list(dyn) -> list(dyn)", flatten),
    on("sort", "list(~T) -> list(~T)", sort),
    on("slice", "list(~T), int, int -> list(~T)", slice_of),
    on("reverse", "list(~T) -> list(~T)", lambda elements: elements[::-1]),
    known_of("sets.contains", "list, list -> bool", contains),
    known_of("sets.equivalent", "list, list -> bool", equivalent),
    known_of("sets.intersects", "list, list -> bool", intersects),
)
