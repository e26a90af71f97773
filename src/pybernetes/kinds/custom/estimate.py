"""What a rule may cost at worst, before any object is there: so that no definition is accepted whose rules could take
for ever.

Rule 1: a loop costs its body as often as its list may have elements: ``maxItems``, ``maxProperties``, or what fits into
        the largest request. A text costs a tenth of its ``maxLength`` wherever it is read.
Rule 2: a rule below a list runs once for each of its elements.
Source: apiextensions' cel compilation and cel-go's checker/cost.go, whose figures these are, roughly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pybernetes.cel.tree import Call, ListOf, Loop, Name, Node, Select, StructOf
from pybernetes.kinds.custom import structural
from pybernetes.kinds.custom.structural import Schema

LIMIT: Final = 10_000_000
"""For one rule, times the places where it runs."""
LIMIT_ALL: Final = 100_000_000
"""For all rules of a version."""
_REQUEST_BYTES: Final = 3 * 1024 * 1024
_CAP: Final = 1 << 63
Known = dict[str, Schema]


def cost(node: Node, known: Known) -> int:
    """The most steps that an expression may take; ``known``: names → schemas of what they stand for."""
    match node:
        case Select(operand):
            return 1 + cost(operand, known)
        case Call(_, target, args):
            parts = (*args, target) if target is not None else args
            return min(_CAP, 1 + sum(cost(part, known) + _reading(part, known) for part in parts))
        case ListOf(elements):
            return 1 + sum(cost(element, known) for element in elements)
        case StructOf(_, entries):
            return 1 + sum(cost(entry.key, known) + cost(entry.value, known) for entry in entries)
        case Loop():
            inner = {**known, node.variable: element(schema_of(node.over, known))}
            body = cost(node.step, inner) + cost(node.condition, inner)
            rounds = most(schema_of(node.over, known))
            return min(
                _CAP, cost(node.over, known) + cost(node.start, known) + rounds * body + cost(node.result, inner)
            )
    return 1


def _reading(node: Node, known: Known) -> int:
    """What a call pays for reading an argument: texts by their length."""
    schema = schema_of(node, known)
    return most(schema) // 10 if schema.get("type") == "string" and isinstance(node, Name | Select) else 0


def schema_of(node: Node, known: Known) -> Schema:
    """The schema of what an expression gives, as far as it is a path; else one that says nothing."""
    match node:
        case Name(name):
            return known.get(name, {})
        case Select(operand, field, False):
            return structural.child(schema_of(operand, known), field) or {}
        case Call("_[_]" | "_[?_]", None, (container, _)):
            return element(schema_of(container, known))
        case Call("_?._", None, (operand, _)):
            return schema_of(operand, known)
        case Loop():
            return schema_of(node.over, known)
        case ListOf(elements):
            return {"type": "array", "maxItems": len(elements)}
    return {}


def element(schema: Schema) -> Schema:
    found: Any = schema.get("items") or schema.get("additionalProperties")
    return found if isinstance(found, Mapping) else {}


def most(schema: Schema) -> int:
    """How many elements, or letters, there may be."""
    match schema.get("type"):
        case "array":
            return int(schema.get("maxItems", _REQUEST_BYTES // (_least(element(schema)) + 1)))
        case "object":
            return int(schema.get("maxProperties", _REQUEST_BYTES // (_least(element(schema)) + 6)))
        case "string":
            return int(schema.get("maxLength", _REQUEST_BYTES))
    return 1


def _least(schema: Schema) -> int:
    """The fewest bytes that a value takes in a request."""
    match schema.get("type"):
        case "string" | "array":
            return 2
        case "object":
            required = schema.get("required") or ()
            inner = schema.get("properties") or {}
            return 2 + sum(len(name) + 4 + _least(inner.get(name) or {}) for name in required)
        case "boolean":
            return 4
    return 1


def places(
    schema: Schema, path: str, times: int = 1, *, settled: bool = True
) -> Iterator[tuple[Schema, str, int, bool]]:
    """Every level of a schema: (it, its path, how often it may be there, can what was before be told?)."""
    yield schema, path, times, settled
    for name, inner in (schema.get("properties") or {}).items():
        yield from places(inner, f"{path}.properties[{name}]", times, settled=settled)
    more = min(_CAP, times * max(1, most(schema)))
    if isinstance(items := schema.get("items"), Mapping):
        known = settled and schema.get("x-kubernetes-list-type") == "map"
        yield from places(items, f"{path}.items", more, settled=known)
    if isinstance(values := schema.get("additionalProperties"), Mapping):
        yield from places(values, f"{path}.additionalProperties", more, settled=settled)
