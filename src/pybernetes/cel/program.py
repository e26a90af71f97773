"""From a tree to a function: every node becomes a closure over plain values, so nothing is looked up twice.

Theory of operation. A closure gets the scope (names → values) and the meter. Straight code takes a known number of
steps, which are charged at the start; a loop charges its body once per round, and a call charges a tenth of what it
reads or makes. So the meter costs nothing where nothing can run long, and a rule that would hang the server ends with
``OverBudget`` (cel-go's cost model, somewhat coarser).
Rule: ``&&``, ``||`` and loops forget an error if another operand decides; ``OverBudget`` is never forgotten.
Neighbours: ``tree.py`` (nodes), ``operators.py`` and ``functions/`` (what calls do), ``loops.py`` (comprehensions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pybernetes.cel import library, operators, values
from pybernetes.cel.tree import Call, ListOf, Literal, Loop, Name, Node, Select, StructOf, size
from pybernetes.cel.values import NONE, CelError, Optional, OverBudget, TypeName, UInt

Scope: TypeAlias = dict[str, Any]


class Meter:
    """How many steps are left."""

    __slots__ = ("left",)

    def __init__(self, budget: int) -> None:
        self.left = budget

    def charge(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise OverBudget


Step: TypeAlias = Callable[[Scope, Meter], Any]
_TRAVERSED_PER_STEP: Final = 10
_WIDE: Final = 64
"""Values smaller than this are read for nothing."""
_ESCAPES: Final = {
    "__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/",
}  # fmt: skip
_TYPES: Final = frozenset({
    "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type",
    "google.protobuf.Duration", "google.protobuf.Timestamp",
})  # fmt: skip


def build(node: Node) -> Step:
    """The closure of a node."""
    match node:
        case Literal(value, unsigned):
            constant = UInt(value) if unsigned else value
            return lambda scope, meter: constant
        case Name(name):
            return _name(name)
        case Select():
            return _select(node)
        case Call():
            return _call(node)
        case ListOf():
            return _list(node)
        case StructOf():
            return _struct(node)
        case Loop():
            from pybernetes.cel import loops

            return loops.build(node)


def charged(node: Node, step: Step) -> Step:
    """``step`` after its straight code is paid for."""
    steps = size(node)

    def pay(scope: Scope, meter: Meter) -> Any:
        meter.charge(steps)
        return step(scope, meter)

    return pay


# ── names and fields ─────────────────────────────────────────────────────────────────────────────────────


def _name(name: str) -> Step:
    typed = TypeName(name) if name in _TYPES else None

    def read(scope: Scope, meter: Meter) -> Any:
        try:
            value = scope[name]
        except KeyError:
            if typed is not None:
                return typed
            raise CelError(f"no such attribute(s): {name}") from None
        if isinstance(value, CelError):
            raise value
        return value

    return read


def unescaped(field: str) -> str:
    """A property's own name: ``my__dash__field`` → ``my-field``, ``__namespace__`` → ``namespace``."""
    if field.startswith("__") and field.endswith("__") and field not in _ESCAPES and len(field) > 4:
        return field[2:-2]
    for escape, text in _ESCAPES.items():
        field = field.replace(escape, text)
    return field


def _select(node: Select) -> Step:
    if (dotted := _dotted(node)) in _TYPES:
        return _name(dotted)
    operand, names = build(node.operand), _candidates(node.field)
    if node.test:
        return lambda scope, meter: _has(operand(scope, meter), names)

    def read(scope: Scope, meter: Meter) -> Any:
        value = operand(scope, meter)
        if isinstance(value, Optional):
            return operators.optional_index(value, names[-1])
        if not isinstance(value, Mapping):
            raise values.no_overload()
        for name in names:
            try:
                return value[name]
            except KeyError:
                continue
        raise CelError(f"no such key: {names[-1]}")

    return read


def _has(value: Any, names: tuple[str, ...]) -> bool:
    if isinstance(value, Optional):
        value = value.value if value.present else {}
    if not isinstance(value, Mapping):
        raise values.no_overload()
    return any(name in value for name in names)


def _candidates(field: str) -> tuple[str, ...]:
    return (field, unescaped(field)) if "__" in field else (field,)


def _dotted(node: Node | None) -> str:
    """``a.b.c`` where a node is nothing but that, else empty."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.test and (front := _dotted(node.operand)):
        return f"{front}.{node.field}"
    return ""


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────


def _call(node: Call) -> Step:
    if node.function in _LAZY:
        return _LAZY[node.function](*map(build, node.args))
    if node.function in operators.STRICT:
        return _applied(operators.STRICT[node.function], tuple(map(build, node.args)))
    if node.target is not None:
        if rows := library.rows(f"{_dotted(node.target)}.{node.function}", False):
            return _applied(library.dispatcher(rows), tuple(map(build, node.args)))
        if node.function in _ON_OPTIONAL and len(node.args) <= 2:
            return _ON_OPTIONAL[node.function](build(node.target), *map(build, node.args))
    args = node.args if node.target is None else (node.target, *node.args)
    rows = library.rows(node.function, node.target is not None)
    if not rows:
        raise CelError(f"undeclared reference to '{node.function}' (in container '')")
    return _applied(library.dispatcher(rows), tuple(map(build, args)))


def _applied(function: Callable[..., Any], args: tuple[Step, ...]) -> Step:
    if len(args) == 1:
        (only,) = args
        return lambda scope, meter: function(_read(only(scope, meter), meter))
    if len(args) == 2:
        first, second = args
        return lambda scope, meter: function(_read(first(scope, meter), meter), _read(second(scope, meter), meter))
    return lambda scope, meter: function(*[_read(arg(scope, meter), meter) for arg in args])


def _read(value: Any, meter: Meter) -> Any:
    """Pay for what a call is about to read."""
    if isinstance(value, str | list | dict | bytes) and len(value) > _WIDE:
        meter.charge(len(value) // _TRAVERSED_PER_STEP)
    return value


def _and(left: Step, right: Step) -> Step:
    return _either(left, right, decisive=False)


def _or(left: Step, right: Step) -> Step:
    return _either(left, right, decisive=True)


def _either(left: Step, right: Step, *, decisive: bool) -> Step:
    def decide(scope: Scope, meter: Meter) -> bool:
        try:
            if _bool(left(scope, meter)) is decisive:
                return decisive
        except OverBudget:
            raise
        except CelError:
            if _bool(right(scope, meter)) is decisive:
                return decisive
            raise
        return _bool(right(scope, meter))

    return decide


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise values.no_overload()
    return value


def _choice(condition: Step, then: Step, otherwise: Step) -> Step:
    return lambda scope, meter: (then if _bool(condition(scope, meter)) else otherwise)(scope, meter)


def _optional(step: Step, scope: Scope, meter: Meter) -> Optional:
    value = step(scope, meter)
    if not isinstance(value, Optional):
        raise values.no_overload()
    return value


def _or_value(target: Step, other: Step) -> Step:
    def read(scope: Scope, meter: Meter) -> Any:
        found = _optional(target, scope, meter)
        return found.value if found.present else other(scope, meter)

    return read


def _or_optional(target: Step, other: Step) -> Step:
    def read(scope: Scope, meter: Meter) -> Any:
        found = _optional(target, scope, meter)
        return found if found.present else _optional(other, scope, meter)

    return read


_LAZY: Final[Mapping[str, Callable[..., Step]]] = {"_&&_": _and, "_||_": _or, "_?_:_": _choice}
_ON_OPTIONAL: Final[Mapping[str, Callable[..., Step]]] = {"orValue": _or_value, "or": _or_optional}


# ── lists, maps and objects ──────────────────────────────────────────────────────────────────────────────


def _list(node: ListOf) -> Step:
    elements, optional = tuple(map(build, node.elements)), node.optional
    if not optional:
        return lambda scope, meter: [element(scope, meter) for element in elements]

    def make(scope: Scope, meter: Meter) -> list[Any]:
        out = []
        for index, element in enumerate(elements):
            value = element(scope, meter)
            if index in optional:
                out += [value.value] if value.present else []
            else:
                out.append(value)
        return out

    return make


def _struct(node: StructOf) -> Step:
    entries = [(build(entry.key), build(entry.value), entry.optional) for entry in node.entries]
    fields = bool(node.type)

    def make(scope: Scope, meter: Meter) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        for key_of, value_of, optional in entries:
            key, value = key_of(scope, meter), value_of(scope, meter)
            if optional and value == NONE:
                continue
            key = unescaped(key) if fields and "__" in key else key
            if key in out:
                raise CelError(f"insert failed: key {key} already exists")
            out[key] = value.value if optional else value
        return out

    return make
