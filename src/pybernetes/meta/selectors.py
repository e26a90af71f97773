"""Label and field selectors: their text, their object form, and whom they choose.

Grammar and sentences are those of apimachinery/pkg/labels and pkg/fields. A selector is a tuple of requirements that
must all hold; no requirement chooses everything, ``NOTHING`` chooses nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from pybernetes.meta import errors, names

Operator: TypeAlias = Literal["=", "==", "!=", "in", "notin", "exists", "!", "gt", "lt"]


@dataclass(frozen=True, slots=True)
class Requirement:
    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """``!=`` and ``notin`` also choose objects that lack the key."""
        match self.operator:
            case "in" | "=" | "==":
                return self.key in labels and labels[self.key] in self.values
            case "notin" | "!=":
                return self.key not in labels or labels[self.key] not in self.values
            case "exists":
                return self.key in labels
            case "!":
                return self.key not in labels
            case "gt" | "lt":
                return _compares(labels.get(self.key), self.operator, self.values[0])

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return "!" + self.key
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
            case "gt":
                return f"{self.key}>{self.values[0]}"
            case "lt":
                return f"{self.key}<{self.values[0]}"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


def _compares(have: str | None, operator: str, bound: str) -> bool:
    try:
        number, limit = int(have or ""), int(bound)
    except ValueError:
        return False
    return number > limit if operator == "gt" else number < limit


@dataclass(frozen=True, slots=True)
class LabelSelector:
    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @property
    def everything(self) -> bool:
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str]) -> bool:
        return not self.nothing and all(r.matches(labels) for r in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(r) for r in sorted(self.requirements, key=lambda r: r.key))


EVERYTHING: Final = LabelSelector()
NOTHING: Final = LabelSelector(nothing=True)

# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────

_TOKEN: Final = re.compile(r"\s*(?:(?P<symbol>==|!=|[(),=!<>])|(?P<word>[^\s(),=!<>]+))")


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """(token, is it a word?)"""
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        yield (match["symbol"], False) if match["symbol"] else (match["word"], True)


class _Parser:
    """Recursive descent over ``requirement (, requirement)*``."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def parse(self) -> Iterator[Requirement]:
        if not self._tokens:
            return
        while True:
            yield self._requirement()
            token, _ = self._next()
            if not token:
                return
            if token != ",":
                raise _bad(f"found '{token}', expected: ',' or 'end of string'")
            if not self._peek()[0]:
                raise _bad("found '', expected: identifier after ','")

    def _peek(self) -> tuple[str, bool]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", False)

    def _next(self) -> tuple[str, bool]:
        token = self._peek()
        self._at += 1
        return token

    def _requirement(self) -> Requirement:
        token, is_word = self._next()
        if token == "!":
            key, is_word = self._next()
            return Requirement(self._key(key, is_word), "!")
        key = self._key(token, is_word)
        operator, _ = self._peek()
        if operator in ("", ","):
            return Requirement(key, "exists")
        self._at += 1
        match operator:
            case "=" | "==" | "!=":
                return Requirement(key, operator, (_value(key, self._exact()),))
            case "in" | "notin":
                return Requirement(key, operator, tuple(_value(key, v) for v in self._set()))
            case "<" | ">":
                return Requirement(key, "lt" if operator == "<" else "gt", (_integer(self._exact()),))
        raise _bad(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def _key(self, token: str, is_word: bool) -> str:
        if not is_word:
            raise _bad(f"found '{token}', expected: !, identifier, or 'end of string'")
        if bad := names.qualified_name(token):
            raise _bad(f'key: Invalid value: "{token}": {"; ".join(bad)}')
        return token

    def _exact(self) -> str:
        token, is_word = self._peek()
        if not is_word:
            if token in ("", ","):
                return ""
            raise _bad(f"found '{token}', expected: identifier")
        self._at += 1
        return token

    def _set(self) -> list[str]:
        token, _ = self._next()
        if token != "(":
            raise _bad(f"found '{token}' expected: '('")
        values = [self._exact()]
        while True:
            token, _ = self._next()
            if token == ")":
                return values
            if token != ",":
                raise _bad(f"found '{token}', expected: ',' or ')'")
            values.append(self._exact())


def _value(key: str, value: str) -> str:
    if bad := names.label_value(value):
        raise _bad(f'values[0][{key}]: Invalid value: "{value}": {"; ".join(bad)}')
    return value


def _integer(value: str) -> str:
    if not re.fullmatch(r"-?\d+", value):
        raise _bad(f"values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer")
    return value


def _bad(why: str) -> errors.BadRequest:
    return errors.BadRequest(f"unable to parse requirement: {why}")


@lru_cache(maxsize=2048)
def parse_labels(text: str) -> LabelSelector:
    """A selector's text; empty text chooses everything. Raises BadRequest."""
    return LabelSelector(tuple(_Parser(text).parse()))


def set_as_text(labels: Mapping[str, str]) -> str:
    """``a=1,b=2``: the selector of exactly these labels, as a scale's status wants it."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


# ── metav1.LabelSelector ─────────────────────────────────────────────────────────────────────────────────

_OPERATORS: Final[Mapping[str, Operator]] = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def from_label_selector(selector: Mapping[str, Any] | None) -> LabelSelector:
    """The selector of an object's field: None chooses nobody, ``{}`` everybody. Raises BadRequest."""
    if selector is None:
        return NOTHING
    requirements = [Requirement(k, "in", (str(v),)) for k, v in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        operator = _OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            raise errors.BadRequest(f'"{expression.get("operator", "")}" is not a valid label selector operator')
        requirements.append(Requirement(expression["key"], operator, tuple(expression.get("values") or ())))
    return LabelSelector(tuple(requirements))


def as_text(selector: Mapping[str, Any] | None) -> str:
    """metav1.FormatLabelSelector: ``a=1,b in (x,y)``, ``<none>`` for an empty one."""
    chosen = from_label_selector(selector)
    parts = [
        f"{r.key}={r.values[0]}" if r.operator == "in" and len(r.values) == 1 else str(r)
        for r in sorted(chosen.requirements, key=lambda r: r.key)
    ]
    return ",".join(parts) or "<none>"


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────

FieldOperator: TypeAlias = Literal["=", "!="]


@dataclass(frozen=True, slots=True)
class FieldSelector:
    requirements: Sequence[tuple[str, FieldOperator, str]] = ()

    def matches(self, field: Callable[[str], str]) -> bool:
        """``field`` gives an object's value for a field's name."""
        return all((field(name) == value) is (operator == "=") for name, operator, value in self.requirements)

    def __str__(self) -> str:
        return ",".join(f"{n}{o}{v}" for n, o, v in self.requirements)


_ESCAPE: Final = re.compile(r"\\([\\,=])")


@lru_cache(maxsize=2048)
def parse_fields(text: str) -> FieldSelector:
    """A field selector's text: ``a=b,c!=d`` with ``\\``, ``,`` and ``=`` escaped in values. Raises BadRequest."""
    found: list[tuple[str, FieldOperator, str]] = []
    for part in re.split(r"(?<!\\),", text):
        if not part:
            continue
        match = re.match(r"(?P<name>[^=!]+?)(?P<operator>!=|==|=)(?P<value>.*)\Z", part, re.DOTALL)
        if match is None:
            raise errors.BadRequest(f"invalid selector: '{text}'; can't understand '{part}'")
        operator: FieldOperator = "!=" if match["operator"] == "!=" else "="
        found.append((match["name"], operator, _ESCAPE.sub(r"\1", match["value"])))
    return FieldSelector(tuple(found))
