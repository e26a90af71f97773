"""Sets of fields, kept in the very form in which they travel: FieldsV1.

``{"f:spec": {"f:replicas": {}, "f:template": {".": {}, "f:spec": {}}}}`` has the members ``.spec.replicas``,
``.spec.template`` and ``.spec.template.spec``. Keys: ``f:<name>`` a field or map key, ``k:<JSON object>`` the list
element with these keys, ``v:<JSON>`` the element of a set.

Rule 1: a node is a member of its set if it is empty or has ``"."``; the root is no node: as a whole, ``{}`` is empty.
Rule 2: sets are shared and never changed; every operation answers a new set that shares what it can, or an argument.
Neighbours: ``meta/fieldtypes.py`` makes sets of objects, ``meta/apply.py`` says who owns them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import orjson

Fields: TypeAlias = dict[str, Any]
SELF: Final = "."
LEAF: Final[Fields] = {}
"""The one node of all members without children. Never changed."""


def is_member(node: Fields) -> bool:
    """Is the field of this node in the set itself, or only some field below it?"""
    return not node or SELF in node


def with_self(children: Fields) -> Fields:
    """The node of a member with these children."""
    if not children:
        return LEAF
    return children if SELF in children else {SELF: LEAF, **children}


def union(one: Fields, other: Fields) -> Fields:
    """Members of either."""
    if not one or not other:
        return one or other
    out = dict(one)
    for key, node in other.items():
        out[key] = _joined(out[key], node) if key in out else node
    return out


def _joined(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return with_self(one or other)
    return one if one is other else union(one, other)


def difference(one: Fields, other: Fields) -> Fields:
    """Members of ``one`` that are not members of ``other``; a member's children are members of their own."""
    if not one or not other:
        return one
    out = {}
    for key, node in one.items():
        taken = other.get(key)
        left = node if taken is None else _reduced(node, taken)
        if left is not None:
            out[key] = left
    return out


def _reduced(node: Fields, taken: Fields) -> Fields | None:
    if not node:
        return None if is_member(taken) else node
    children = {key: child for key, child in node.items() if key != SELF}
    left = difference(children, taken)
    if SELF in node and not is_member(taken):
        return with_self(left)
    return left or None


def intersection(one: Fields, other: Fields) -> Fields:
    """Members of both."""
    out = {}
    for key, node in one.items():
        if key in other and key != SELF and (both := _common(node, other[key])) is not None:
            out[key] = both
    return out


def _common(one: Fields, other: Fields) -> Fields | None:
    children = intersection(one, other)
    if is_member(one) and is_member(other):
        return with_self(children)
    return children or None


def without(fields: Fields, path: Iterable[str]) -> Fields:
    """``fields`` without the field at a path of names and everything below it."""
    head, *rest = path
    key = f"f:{head}"
    node = fields.get(key)
    if node is None:
        return fields
    out = dict(fields)
    if rest and node and (left := without(node, rest)):
        out[key] = LEAF if left.keys() == {SELF} else left
    elif not rest or node:
        del out[key]
    return out


def paths(fields: Fields, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All members as tuples of keys; the members of one level before what lies below them, each sorted."""
    for key in sorted(fields):
        if key != SELF and is_member(fields[key]):
            yield (*prefix, key)
    for key in sorted(fields):
        if fields[key]:
            yield from paths(fields[key], (*prefix, key))


def holds(fields: Fields, path: Iterable[str]) -> bool:
    """Is the field at this path (of keys) a member?"""
    node = fields
    for key in path:
        if key not in node:
            return False
        node = node[key]
    return is_member(node)


def text(path: Iterable[str]) -> str:
    """A path as messages tell it: ``.spec.containers[name="web"].args``."""
    return "".join(map(_step, path))


def _step(key: str) -> str:
    kind, rest = key[0], key[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    pairs = ",".join(f"{name}={orjson.dumps(value).decode()}" for name, value in orjson.loads(rest).items())
    return f"[{pairs}]"


def is_valid(fields: Any) -> bool:
    """Does something from outside have the form of a set?"""
    return isinstance(fields, dict) and all(_is_valid_key(key) and is_valid(node) for key, node in fields.items())


def _is_valid_key(key: Any) -> bool:
    if not isinstance(key, str):
        return False
    if key == SELF or key.startswith("f:"):
        return True
    if key.startswith("i:"):
        return key[2:].isdigit()
    try:
        value = orjson.loads(key[2:]) if key.startswith(("k:", "v:")) else None
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) if key[0] == "k" else value is not None
