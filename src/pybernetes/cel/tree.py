"""What the library's parser found, as a tree of small nodes: the checked (or only parsed) expression, out of protobuf.

The library hands over a ``cel.expr.CheckedExpr`` or ``ParsedExpr`` inside an ``Any``; its field numbers are those of
cel-spec's ``syntax.proto`` and ``checked.proto``. Macros are expanded already: ``all`` and ``map`` come as ``Loop``.
Neighbours: ``compiler.py`` makes the bytes, ``program.py`` makes functions of the nodes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pybernetes.meta.protobuf import wire

Fields: TypeAlias = dict[int, list[Any]]
"""Field number → values, in order."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Any
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    operand: Node
    field: str
    test: bool
    """``has(operand.field)``."""


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    target: Node | None
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    elements: tuple[Node, ...]
    optional: frozenset[int]


@dataclass(frozen=True, slots=True)
class Entry:
    key: Node
    value: Node
    optional: bool


@dataclass(frozen=True, slots=True)
class StructOf:
    """A map, or where ``type`` is said an object of that type."""

    type: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A comprehension: for each element of ``over``, ``accumulator`` becomes ``step`` as long as ``condition``."""

    variable: str
    second: str
    over: Node
    accumulator: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node: TypeAlias = Literal | Name | Select | Call | ListOf | StructOf | Loop
_ABSENT: Final = Literal(None)
_CHECKED_EXPR: Final = 4
_PARSED_EXPR: Final = 2


def read(data: bytes) -> Node:
    """The tree of a serialized expression."""
    outer = _fields(data)
    inner = _fields(outer[2][0])
    checked = bytes(outer[1][0]).endswith(b".CheckedExpr")
    return _node(inner[_CHECKED_EXPR if checked else _PARSED_EXPR][0])


def size(node: Node) -> int:
    """How many steps a node takes without those of the loops in it."""
    match node:
        case Select():
            return 1 + size(node.operand)
        case Call():
            return 1 + sum(map(size, node.args)) + (size(node.target) if node.target else 0)
        case ListOf():
            return 1 + sum(map(size, node.elements))
        case StructOf():
            return 1 + sum(size(entry.key) + size(entry.value) for entry in node.entries)
        case Loop():
            return 1 + size(node.over) + size(node.start) + size(node.result)
    return 1


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────


def _fields(data: bytes) -> Fields:
    out: Fields = {}
    for number, _, value in wire.read_fields(data):
        out.setdefault(number, []).append(value)
    return out


def _text(fields: Fields, number: int) -> str:
    return bytes(fields[number][0]).decode() if number in fields else ""


def _child(fields: Fields, number: int) -> Node:
    return _node(fields[number][0]) if number in fields else _ABSENT


def _node(data: bytes) -> Node:
    fields = _fields(data)
    for number, reader in _READERS.items():
        if number in fields:
            return reader(_fields(fields[number][0]))
    return _ABSENT


def _literal(fields: Fields) -> Node:
    for number, values in fields.items():
        value = values[-1]
        match number:
            case 2:
                return Literal(bool(value))
            case 3:
                return Literal(wire.signed(value, 64))
            case 4:
                return Literal(value, unsigned=True)
            case 5:
                return Literal(struct.unpack("<d", value)[0])
            case 6:
                return Literal(bytes(value).decode())
            case 7:
                return Literal(bytes(value))
    return _ABSENT


def _name(fields: Fields) -> Node:
    return Name(_text(fields, 1))


def _select(fields: Fields) -> Node:
    return Select(_child(fields, 1), _text(fields, 2), bool(fields.get(3, [0])[0]))


def _call(fields: Fields) -> Node:
    target = _node(fields[1][0]) if 1 in fields else None
    return Call(_text(fields, 2), target, tuple(_node(arg) for arg in fields.get(3, ())))


def _list(fields: Fields) -> Node:
    indices: set[int] = set()
    for packed in fields.get(2, ()):
        indices |= {packed} if isinstance(packed, int) else _packed(packed)
    return ListOf(tuple(_node(element) for element in fields.get(1, ())), frozenset(indices))


def _packed(data: bytes) -> set[int]:
    out, position = set(), 0
    while position < len(data):
        value, position = wire.read_varint(data, position)
        out.add(value)
    return out


def _struct(fields: Fields) -> Node:
    entries = [_fields(entry) for entry in fields.get(2, ())]
    return StructOf(_text(fields, 1), tuple(_entry(entry) for entry in entries))


def _entry(fields: Fields) -> Entry:
    key = Literal(_text(fields, 2)) if 2 in fields else _child(fields, 3)
    return Entry(key, _child(fields, 4), bool(fields.get(5, [0])[0]))


def _loop(fields: Fields) -> Node:
    start, condition, step, result = (_child(fields, number) for number in (4, 5, 6, 7))
    return Loop(
        _text(fields, 1), _text(fields, 8), _child(fields, 2), _text(fields, 3), start, condition, step, result
    )  # fmt: skip


_READERS: Final = {3: _literal, 4: _name, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _loop}
