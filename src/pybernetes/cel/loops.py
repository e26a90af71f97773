"""Comprehensions: what ``all``, ``exists``, ``exists_one``, ``map``, ``filter`` and their kin become.

Rule 1: a round pays for the straight code of its condition and its step; loops within pay for themselves.
Rule 2: an error in a step becomes the accumulator's value: the next rounds may overrule it (``all`` is false if any
        element is), and whoever reads it in the end raises it.
Rule 3: ``accumulator + [element]`` appends to a list that nobody else has, so ``map`` is linear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pybernetes.cel import program, values
from pybernetes.cel.program import Meter, Scope, Step
from pybernetes.cel.tree import Call, ListOf, Literal, Loop, Name, Node, size
from pybernetes.cel.values import CelError, OverBudget


def build(node: Loop) -> Step:
    """The closure of a comprehension."""
    over, start, result = program.build(node.over), program.build(node.start), program.build(node.result)
    condition = None if isinstance(node.condition, Literal) else program.build(node.condition)
    step = _step(node.step, node.accumulator)
    per_round = size(node.condition) + size(node.step)
    accumulator, first, second = node.accumulator, node.variable, node.second

    def run(scope: Scope, meter: Meter) -> Any:
        elements = over(scope, meter)
        inner = dict(scope)
        inner[accumulator] = start(scope, meter)
        for key, value in _pairs(elements) if second else ((element, None) for element in _elements(elements)):
            if condition is not None and not _goes_on(condition, inner, meter):
                break
            meter.charge(per_round)
            inner[first] = key
            if second:
                inner[second] = value
            inner[accumulator] = _attempt(step, inner, meter)
        return result(inner, meter)

    return run


def _goes_on(condition: Step, scope: Scope, meter: Meter) -> bool:
    """An accumulator that is an error is not strictly false."""
    try:
        return condition(scope, meter) is not False
    except OverBudget:
        raise
    except CelError:
        return True


def _attempt(step: Step, scope: Scope, meter: Meter) -> Any:
    try:
        return step(scope, meter)
    except OverBudget:
        raise
    except CelError as error:
        return error


def _step(node: Node, accumulator: str) -> Step:
    match node:
        case Call("_+_", None, (Name(name), ListOf((element,), optional))) if name == accumulator and not optional:
            return _append(program.build(element), accumulator)
        case Call("_?_:_", None, (condition, then, otherwise)):
            chosen = program.build(condition), _step(then, accumulator), _step(otherwise, accumulator)
            return lambda scope, meter: (chosen[1] if _true(chosen[0](scope, meter)) else chosen[2])(scope, meter)
    return program.build(node)


def _true(value: Any) -> bool:
    if not isinstance(value, bool):
        raise values.no_overload()
    return value


def _append(element: Step, accumulator: str) -> Step:
    def append(scope: Scope, meter: Meter) -> list[Any]:
        so_far = scope[accumulator]
        if isinstance(so_far, CelError):
            raise so_far
        so_far.append(element(scope, meter))
        return so_far  # type: ignore[no-any-return]

    return append


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | Mapping):
        return iter(value)
    raise values.no_overload()


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return iter(value.items())
    if isinstance(value, list | tuple):
        return iter(enumerate(value))
    raise values.no_overload()
