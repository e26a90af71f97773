"""CEL rules of a schema (``x-kubernetes-validations``) on values, and on what they were before.

Rule 1: a rule is compiled when it is first needed, against the schema at which it stands, and kept with that schema.
Rule 2: a rule that reads ``oldSelf`` runs only where there is an old value that is certainly the same thing: under
        fields, map keys and lists of type map; ``optionalOldSelf`` makes it run always.
Rule 3: all rules of one object share one budget; when it is spent the object is refused.
Source: apiextensions-apiserver/pkg/apiserver/schema/cel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pybernetes import cel
from pybernetes.cel.compiler import Program
from pybernetes.cel.functions import standard, times
from pybernetes.cel.messages import scalar
from pybernetes.cel.values import NONE, CelError, Optional, OverBudget
from pybernetes.kinds.custom import structural
from pybernetes.kinds.custom.judge import ABSENT, correlated
from pybernetes.kinds.custom.structural import Schema
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

RULES: Final = "x-kubernetes-validations"
_MESSAGE_MAX: Final = 5120
_REASONS: Final = {
    "FieldValueInvalid": "Invalid value", "FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}  # fmt: skip


class Compiled:
    """A rule with its programs; ``error`` where it does not compile."""

    __slots__ = ("error", "is_transition", "message", "optional_old", "program", "rule")

    def __init__(self, rule: Obj, schema: Schema) -> None:
        self.rule, self.error = rule, ""
        self.optional_old = bool(rule.get("optionalOldSelf"))
        self.program: Program | None = None
        self.message: Program | None = None
        declared: dict[str, Any] = {"self": schema, "oldSelf": "dyn" if self.optional_old else schema}
        try:
            self.program = cel.compile(rule["rule"], declared)
            if expression := rule.get("messageExpression"):
                self.message = cel.compile(expression, declared)
        except cel.CompileError as error:
            self.error = str(error)
        self.is_transition = self.program is not None and uses(self.program.tree, "oldSelf")


def uses(node: Any, name: str) -> bool:
    """Is a name read anywhere in a tree?"""
    from dataclasses import fields, is_dataclass

    if isinstance(node, tuple):
        return any(uses(one, name) for one in node)
    if not is_dataclass(node):
        return False
    if type(node).__name__ == "Name":
        return bool(getattr(node, "name") == name)  # noqa: B009 it is no type here
    return any(uses(getattr(node, field.name), name) for field in fields(node))


@dataclass(slots=True)
class _Place:
    path: str
    old: Any
    """ABSENT where nothing was, or nobody can say."""
    changed: bool


class Ruled:
    """The rules of one schema tree. ``bool``: are there any?"""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._compiled: dict[int, list[Compiled]] = {}
        self._converts: dict[int, bool] = {}
        self._has: dict[int, bool] = {}

    def __bool__(self) -> bool:
        return self._any(self._schema)

    def judge(self, obj: Obj, old: Any = ABSENT, budget: int = cel.BUDGET) -> list[FieldError]:
        """What the rules say against an object."""
        if not self:
            return []
        try:
            return list(self._walk(obj, self._schema, _Place("", old, True), [budget]))
        except OverBudget:
            why = "validation failed due to running out of cost budget, no further validation rules will be run"
            return [errors.invalid("<nil>", "", why)]

    def _any(self, schema: Schema) -> bool:
        found = self._has.get(id(schema))
        if found is None:
            inner = [
                *(schema.get("properties") or {}).values(),
                schema.get("items"),
                schema.get("additionalProperties"),
            ]
            found = bool(schema.get(RULES)) or any(self._any(one) for one in inner if isinstance(one, Mapping))
            self._has[id(schema)] = found
        return found

    def _walk(self, value: Any, schema: Schema, place: _Place, budget: list[int]) -> Iterator[FieldError]:
        if value is None or not self._any(schema):
            return
        place.changed = place.old is ABSENT or place.old != value
        if schema.get(RULES):
            yield from self._own(value, schema, place, budget)
        if isinstance(value, dict):
            was = place.old if isinstance(place.old, dict) else {}
            for key, inner in value.items():
                below = structural.child(schema, key)
                if below is not None and self._any(below):
                    at = f"{place.path}[{key}]" if "additionalProperties" in schema else _at(place.path, key)
                    yield from self._walk(inner, below, _Place(at, was.get(key, ABSENT), True), budget)
        elif isinstance(value, list) and isinstance(items := schema.get("items"), Mapping):
            before = correlated(schema, value, place.old)
            for index, (inner, old) in enumerate(zip(value, before, strict=True)):
                yield from self._walk(inner, items, _Place(f"{place.path}[{index}]", old, True), budget)

    def _own(self, value: Any, schema: Schema, place: _Place, budget: list[int]) -> Iterator[FieldError]:
        compiled = self._compiled.get(id(schema))
        if compiled is None:
            compiled = self._compiled[id(schema)] = [Compiled(rule, schema) for rule in schema[RULES]]
        variables: dict[str, Any] = {}
        for one in compiled:
            if one.is_transition:
                if place.old is ABSENT and not one.optional_old:
                    continue
            elif not place.changed:
                continue
            if not variables:
                variables = {"self": native(value, schema, self._converts)}
            variables["oldSelf"] = _old(place.old, schema, one.optional_old, self._converts)
            yield from _verdict(one, schema, place, variables, budget)


def _old(old: Any, schema: Schema, optional: bool, known: dict[int, bool]) -> Any:
    if not optional:
        return None if old is ABSENT else native(old, schema, known)
    return NONE if old is ABSENT else Optional(native(old, schema, known), present=True)


def _verdict(
    one: Compiled, schema: Schema, place: _Place, variables: Mapping[str, Any], budget: list[int]
) -> Iterator[FieldError]:
    kind, path = schema.get("type", ""), place.path or "<nil>"
    if one.program is None:
        yield errors.invalid(path, kind, f"rule compile error: {one.error}")
        return
    try:
        held, left = one.program.evaluate(variables, min(budget[0], cel.BUDGET_PER_CALL))
        budget[0] -= min(budget[0], cel.BUDGET_PER_CALL) - left
    except OverBudget:
        if budget[0] < cel.BUDGET_PER_CALL:
            raise
        budget[0] -= cel.BUDGET_PER_CALL
        told = f"'{OverBudget()}': no further validation rules will be run due to call cost exceeds limit for rule: "
        yield errors.invalid(path, kind, told + _text(one.rule))
        return
    except CelError as error:
        yield errors.invalid(path, kind, _failure(error, one.rule))
        return
    if held is not True:
        yield _refusal(one, kind, place.path, _message(one, variables))


def _failure(error: CelError, rule: Obj) -> str:
    if str(error).startswith("no such overload"):
        why = "call arguments did not match a supported operator, function or macro signature for rule: "
        return f"'{error}': {why}{_text(rule)}"
    return f"{error} evaluating rule: {_text(rule)}"


def _text(rule: Obj) -> str:
    return (rule.get("message") or "").strip() or rule["rule"].strip()


def _message(one: Compiled, variables: Mapping[str, Any]) -> str:
    """What a broken rule says: its expression's text, else its message, else itself."""
    if one.message is not None:
        try:
            told = one.message.evaluate(variables, cel.BUDGET_PER_CALL)[0]
        except CelError:
            told = None
        if isinstance(told, str) and told.strip() and "\n" not in told and len(told) <= _MESSAGE_MAX:
            return told.strip()
    return (one.rule.get("message") or "").strip() or f"failed rule: {one.rule['rule'].strip()}"


def _refusal(one: Compiled, kind: str, path: str, told: str) -> FieldError:
    if below := one.rule.get("fieldPath"):
        path = (path + below).removeprefix(".") if below.startswith((".", "[")) else _at(path, below)
    reason = one.rule.get("reason") or "FieldValueInvalid"
    value = f' "{kind}"' if reason in ("FieldValueInvalid", "FieldValueDuplicate") else ""
    return FieldError(
        reason, path or "<nil>", f"{_REASONS.get(reason, 'Invalid value')}:{value}{':' if value else ''} {told}"
    )


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# ── values as rules see them ─────────────────────────────────────────────────────────────────────────────

_UNKNOWN: Final[Schema] = {}
_READERS: Final = {
    "timestamp": times.parse_timestamp, "duration": times.parse_duration, "bytes": standard.to_bytes,
}  # fmt: skip


def native(value: Any, schema: Schema, known: dict[int, bool]) -> Any:
    """A value with its texts of format date-time, duration and byte as timestamps, durations and bytes; the value
    itself where there are none. ``known``: schema by id → has it such texts? It is filled in."""
    if isinstance(value, str):
        reader = _READERS.get(scalar(schema))
        try:
            return value if reader is None else reader(_dated(value, schema))
        except CelError:
            return value
    if isinstance(value, list) and isinstance(items := schema.get("items"), Mapping) and _formatted(items, known):
        return [native(item, items, known) for item in value]
    if isinstance(value, dict) and _formatted(schema, known):
        return {key: native(inner, structural.child(schema, key) or _UNKNOWN, known) for key, inner in value.items()}
    if isinstance(value, int) and not isinstance(value, bool) and schema.get("type") == "number":
        return float(value)
    return value


def _dated(value: str, schema: Schema) -> str:
    return f"{value}T00:00:00Z" if schema.get("format") == "date" else value


def _formatted(schema: Schema, known: dict[int, bool]) -> bool:
    """Is there a text below that is more than a text, or a number that is a double though it is whole?"""
    found = known.get(id(schema))
    if found is None:
        inner = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
        found = scalar(schema) in _READERS or schema.get("type") == "number"
        found = found or any(_formatted(one, known) for one in inner if isinstance(one, Mapping))
        known[id(schema)] = found
    return found
