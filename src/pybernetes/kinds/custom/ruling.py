"""The rules of a schema, judged when they are written: do they compile, to what, and what may they cost?

Neighbours: ``rules.py`` runs them on objects, ``estimate.py`` does the sums.
Source: apiextensions-apiserver/pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from pybernetes import cel
from pybernetes.cel.compiler import Program
from pybernetes.kinds.custom import estimate
from pybernetes.kinds.custom.rules import RULES, uses
from pybernetes.kinds.custom.structural import Schema
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

Errors = Iterator[FieldError]
REASONS: Final = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_CHEAPER: Final = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)


def rule_errors(schema: Schema, path: str) -> Errors:
    """What is wrong with the rules of a version's schema."""
    total = 0
    for level, at, times, settled in estimate.places(schema, path):
        for index, rule in enumerate(level.get(RULES) or ()):
            where = f"{at}.{RULES}[{index}]"
            yield from _told(rule, where)
            if (rule.get("rule") or "").strip():
                found, program = _compiled(level, rule, where, settled=settled)
                yield from found
                if program is not None:
                    spent = estimate.cost(program.tree, {"self": level, "oldSelf": level}) * times
                    total += spent
                    yield from _priced(spent, where)
    if total > estimate.LIMIT_ALL:
        over = _factor(total, estimate.LIMIT_ALL)
        text = f"{RULES} estimated rule cost total for entire OpenAPIv3 schema exceeds budget {over} {_CHEAPER}"
        yield errors.field_forbidden(path, text)


def _told(rule: Obj, where: str) -> Errors:
    if not (rule.get("rule") or "").strip():
        yield errors.required(f"{where}.rule", "rule is not specified")
    message = rule.get("message") or ""
    if message and not message.strip():
        yield errors.invalid(f"{where}.message", message, "message must be non-empty if specified")
    if "\n" in message.strip():
        yield errors.invalid(f"{where}.message", message, "message must not contain line breaks")
    elif not message and "\n" in (rule.get("rule") or "").strip():
        yield errors.required(f"{where}.message", "message must be specified if rule contains line breaks")
    if (reason := rule.get("reason")) is not None and reason not in REASONS:
        yield errors.not_supported(f"{where}.reason", reason, REASONS)


def _compiled(level: Schema, rule: Obj, where: str, *, settled: bool) -> tuple[list[FieldError], Program | None]:
    old = "dyn" if rule.get("optionalOldSelf") else level
    found: list[FieldError] = []
    program = None
    try:
        program = cel.compile(rule["rule"], {"self": level, "oldSelf": old})
        if program.result_type not in ("bool", "dyn"):
            found.append(errors.invalid(f"{where}.rule", _shown(rule), "cel expression must evaluate to a bool"))
        if uses(program.tree, "oldSelf") and not settled:
            text = "oldSelf cannot be used on the uncorrelatable portion of the schema"
            found.append(errors.invalid(f"{where}.rule", rule["rule"], text))
    except cel.CompileError as error:
        found.append(errors.invalid(f"{where}.rule", _shown(rule), f"compilation failed: {error}"))
    if expression := rule.get("messageExpression"):
        found += _message(expression, {"self": level, "oldSelf": old}, where)
    return found, program


def _message(expression: str, declared: dict[str, str | Schema], where: str) -> Errors:
    try:
        result = cel.compile(expression, declared).result_type
    except cel.CompileError as error:
        text = f"messageExpression compilation failed: {error}"
        yield errors.invalid(f"{where}.messageExpression", expression, text)
        return
    if result not in ("string", "dyn"):
        text = "messageExpression must evaluate to a string"
        yield errors.invalid(f"{where}.messageExpression", expression, text)


def _priced(spent: int, where: str) -> Errors:
    if spent > estimate.LIMIT:
        text = f"estimated rule cost exceeds budget {_factor(spent, estimate.LIMIT)} {_CHEAPER}"
        yield errors.field_forbidden(f"{where}.rule", text)


def _factor(spent: int, limit: int) -> str:
    over = spent / limit
    return "by factor of more than 100x" if over > 100 else f"by factor of {over:.1f}x"


def _shown(rule: Obj) -> str:
    return orjson.dumps(rule).decode()
