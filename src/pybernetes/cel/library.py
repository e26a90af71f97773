"""All functions in one table, found by name; and the choice among the rows of one name by what the arguments are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pybernetes.cel import values
from pybernetes.cel.functions import authz, formats, lists, net, quantity, standard, strings, times
from pybernetes.cel.functions.function import Function

TABLE: Final[tuple[Function, ...]] = (
    *standard.TABLE, *times.TABLE, *strings.TABLE, *lists.TABLE, *net.TABLE, *quantity.TABLE, *formats.TABLE,
    *authz.TABLE,
)  # fmt: skip
_KINDS: Final = {
    "google.protobuf.Duration": "duration", "google.protobuf.Timestamp": "timestamp", "optional_type": "optional",
    "null_type": "null",
}  # fmt: skip


@functools.cache
def _by_name() -> Mapping[tuple[str, bool], tuple[Function, ...]]:
    out: dict[tuple[str, bool], tuple[Function, ...]] = {}
    for row in TABLE:
        out[row.name, row.member] = (*out.get((row.name, row.member), ()), row)
    return out


def rows(name: str, member: bool) -> Sequence[Function]:
    """The rows of a name; none: there is no such function."""
    return _by_name().get((name, member), ())


def dispatcher(candidates: Sequence[Function]) -> Callable[..., Any]:
    """A function that calls the row whose parameters fit its arguments. It raises CelError where none does."""
    by_count: dict[int, list[tuple[tuple[str, ...], Callable[..., Any]]]] = {}
    for row in sorted(candidates, key=lambda row: any(map(_is_any, row.kinds))):
        by_count.setdefault(len(row.kinds), []).append((row.kinds, row.call))

    def call(*args: Any) -> Any:
        kinds = [kind(arg) for arg in args]
        for wanted, function in by_count.get(len(args), ()):
            if all(map(_fits, wanted, kinds)):
                return function(*args)
        raise values.no_overload()

    return call


def kind(value: Any) -> str:
    """What a value is, in the words of signatures."""
    name = values.type_name(value)
    return _KINDS.get(name, name)


def _is_any(wanted: str) -> bool:
    return wanted == "dyn" or wanted.startswith("~")


def _fits(wanted: str, kind: str) -> bool:
    return wanted == kind or _is_any(wanted)
