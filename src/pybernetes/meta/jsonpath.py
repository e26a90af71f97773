"""JSONPath as printer columns and selectable fields write it: a path becomes a function from a value to all it finds.

Understood are fields, quoted fields, indices, slices, ``*``, ``..`` and filters that compare one path with a literal
(``.status.conditions[?(@.type=="Ready")].status``); that is what definitions out in the world use.
Source: client-go/util/jsonpath. Raises ValueError for what is no path.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

Step: TypeAlias = Callable[[Any], Iterable[Any]]
Find: TypeAlias = Callable[[Any], list[Any]]

_TOKEN: Final = re.compile(
    r"""\.\.(?P<below>[^.\[\]]+) | \.?\*(?P<all>) | \.(?P<field>(?:\\.|[^.\[\]\\])+) | \[(?P<index>-?\d+)\]
      | \[(?P<slice>-?\d*:-?\d*)\] | \[\*\](?P<each>) | \[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]
      | \[\?\((?P<filter>.*?)\)\]""",
    re.VERBOSE,
)
_FILTER: Final = re.compile(r"\s*@(?P<path>[^=!<>\s]*)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<literal>.+?))?\s*")
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda one, other: bool(one == other), "!=": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other), "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other), ">=": lambda one, other: bool(one >= other),
}  # fmt: skip


@functools.lru_cache(maxsize=1024)
def compiled(path: str) -> Find:
    """What ``.a.b[0]`` finds in a value, in order; nothing where a step leads nowhere. Braces may stand around it.

    Raises ValueError.
    """
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps = tuple(_steps(text, path))

    def find(value: Any) -> list[Any]:
        found: list[Any] = [value]
        for step in steps:
            found = [inner for one in found for inner in step(one)]
        return found

    return find


def _steps(text: str, path: str) -> Iterator[Step]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"unrecognized character in path {path!r} at {position}")
        yield _step(token)
        position = token.end()


def _step(token: re.Match[str]) -> Step:
    kind, value = token.lastgroup, token[token.lastgroup or 0]
    match kind:
        case "field":
            return _field(re.sub(r"\\(.)", r"\1", value))
        case "quoted":
            return _field(re.sub(r"\\(.)", r"\1", value[1:-1]))
        case "index":
            return _index(int(value))
        case "slice":
            low, _, high = value.partition(":")
            return _slice(int(low) if low else None, int(high) if high else None)
        case "below":
            return _below(value)
        case "filter":
            return _filter(value)
    return _each


def _field(name: str) -> Step:
    return lambda value: (value[name],) if isinstance(value, dict) and name in value else ()


def _index(at: int) -> Step:
    return lambda value: (value[at],) if isinstance(value, list) and -len(value) <= at < len(value) else ()


def _slice(low: int | None, high: int | None) -> Step:
    return lambda value: value[low:high] if isinstance(value, list) else ()


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return tuple(value.values())
    return value if isinstance(value, list) else ()


def _below(name: str) -> Step:
    def find(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]
        for inner in _each(value):
            yield from find(inner)

    return find


def _filter(text: str) -> Step:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise ValueError(f"unrecognized filter {text!r}")
    path = compiled(found["path"])
    if not found["operator"]:
        return lambda value: [inner for inner in _each(value) if path(inner)]
    compare, literal = _COMPARE[found["operator"]], _literal(found["literal"])

    def holds(inner: Any) -> bool:
        try:
            return any(compare(one, literal) for one in path(inner))
        except TypeError:
            return False

    return lambda value: [inner for inner in _each(value) if holds(inner)]


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        raise ValueError(f"unrecognized literal {text!r}") from None
