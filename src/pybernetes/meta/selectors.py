"""Label and field selectors: parsing, matching, and their text.

Rule: a selector is an immutable list of requirements that must all hold; parsing what ``str`` tells gives the same
selector again. Bad text raises ``errors.BadRequest`` in upstream's words (apimachinery/pkg/labels, pkg/fields).
Neighbours: ``meta/selectortext.py`` reads the text of label selectors; ``kinds`` say which fields can be selected.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pybernetes.meta import errors, names, selectortext
from pybernetes.meta.objects import Obj

EQUALS: Final = ("=", "==")
NEGATIVE: Final = ("!=", "notin", "!")
_SET_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


class Requirement(NamedTuple):
    """``op`` is one of ``= == != in notin exists ! gt lt``; ``values`` are sorted and differ."""

    key: str
    op: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        found = labels.get(self.key)
        if self.op in ("=", "==", "in"):
            return found is not None and found in self.values
        if self.op in ("!=", "notin"):
            return found is None or found not in self.values
        if self.op in ("exists", "!"):
            return (found is not None) == (self.op == "exists")
        return found is not None and _compares(found, self.op, self.values[0])

    def __str__(self) -> str:
        return _TEXTS[self.op].format(self.key, ",".join(self.values))


_TEXTS: Final = {
    "=": "{0}={1}", "==": "{0}=={1}", "!=": "{0}!={1}", "in": "{0} in ({1})", "notin": "{0} notin ({1})",
    "exists": "{0}", "!": "!{0}", "gt": "{0}>{1}", "lt": "{0}<{1}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """Requirements in order of their keys. No requirements match everything; ``nothing`` matches nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        given = labels or {}
        return all(requirement.matches(given) for requirement in self.requirements)

    def __bool__(self) -> bool:
        """Does it restrict anything?"""
        return self.nothing or bool(self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING: Final = LabelSelector()
NOTHING: Final = LabelSelector(nothing=True)


@functools.lru_cache(maxsize=1024)
def parse_labels(text: str | None) -> LabelSelector:
    """``app=web,tier in (a,b),!old`` as kubectl's ``-l`` and the query ``labelSelector`` write it."""
    if not text:
        return EVERYTHING
    return _selector(_checked(key, op, values) for key, op, values in selectortext.read(text))


def from_label_selector(selector: Obj | None) -> LabelSelector:
    """A metav1.LabelSelector; None selects nothing and an empty one everything (LabelSelectorAsSelector)."""
    if selector is None:
        return NOTHING
    found = [_checked(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    return _selector(found + [_expression(expression) for expression in selector.get("matchExpressions") or ()])


def from_set(labels: Mapping[str, str] | None) -> LabelSelector:
    """A plain map of labels, as ``spec.selector`` of a Service; empty or None selects everything."""
    return _selector(Requirement(key, "=", (value,)) for key, value in (labels or {}).items())


def set_as_text(labels: Mapping[str, str] | None) -> str:
    """``a=1,b=2`` in order of the keys (labels.Set.String)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def _selector(requirements: Iterable[Requirement]) -> LabelSelector:
    return LabelSelector(tuple(sorted(requirements, key=lambda r: r.key)))


def _expression(expression: Obj) -> Requirement:
    """One entry of matchExpressions."""
    op = expression.get("operator") or ""
    if op not in _SET_OPERATORS:
        raise errors.BadRequest(f'"{op}" is not a valid label selector operator')
    return _checked(expression.get("key") or "", _SET_OPERATORS[op], expression.get("values") or ())


def _checked(key: str, op: str, values: Sequence[str]) -> Requirement:
    """labels.NewRequirement: the requirement, or BadRequest telling all that is wrong with it."""
    found = [errors.invalid("key", key, "; ".join(bad)) for bad in (names.qualified_name(key),) if bad]
    found += _count_complaints(op, values)
    for index, value in enumerate(values):
        if bad := names.label_value(value):
            found.append(errors.invalid(f"values[{index}][{key}]", value, "; ".join(bad)))
    if found:
        texts = ", ".join(dict.fromkeys(map(str, found)))
        raise errors.BadRequest("unable to parse requirement: " + (texts if len(found) == 1 else f"[{texts}]"))
    return Requirement(key, op, tuple(sorted(set(values))))


def _count_complaints(op: str, values: Sequence[str]) -> list[errors.FieldError]:
    if op in ("in", "notin") and not values:
        return [errors.invalid("values", [], "for 'in', 'notin' operators, values set can't be empty")]
    if op in ("exists", "!") and values:
        return [errors.invalid("values", list(values), "values set must be empty for exists and does not exist")]
    if op in ("gt", "lt") and _integer(values[0]) is None:
        return [errors.invalid("values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer")]
    return []


def _compares(found: str, op: str, bound: str) -> bool:
    left, right = _integer(found), _integer(bound)
    if left is None or right is None:
        return False
    return left > right if op == "gt" else left < right


def _integer(text: str) -> int | None:
    """A decimal int64, as strconv.ParseInt reads it."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    return int(text) if -(2**63) <= int(text) < 2**63 else None


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms (field, ``=`` or ``!=``, value) that must all hold."""

    requirements: tuple[tuple[str, str, str], ...] = ()

    def matches(self, fields: Callable[[str], str]) -> bool:
        """``fields`` tells the object's value of a field, empty where it has none."""
        return all((fields(field) == value) == (op == "=") for field, op, value in self.requirements)

    def exact(self, field: str) -> str | None:
        """The one value that ``field`` must have, if the selector says so (RequiresExactMatch)."""
        return next((value for name, op, value in self.requirements if name == field and op == "="), None)

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def __str__(self) -> str:
        return ",".join(f"{field}{op}{_escaped(value)}" for field, op, value in self.requirements)


@functools.lru_cache(maxsize=1024)
def parse_fields(text: str | None) -> FieldSelector:
    """``metadata.name=web,status.phase!=Running``; ``\\`` escapes ``\\``, ``,`` and ``=`` in a value."""
    terms = sorted(term for term in _split_terms(text or "") if term)
    return FieldSelector(tuple(_term(term, text or "") for term in terms))


def _split_terms(text: str) -> list[str]:
    terms, start, escaped = [], 0, False
    for at, sign in enumerate(text):
        if not escaped and sign == ",":
            terms.append(text[start:at])
            start = at + 1
        escaped = sign == "\\" and not escaped
    return [*terms, text[start:]]


def _term(term: str, text: str) -> tuple[str, str, str]:
    for at in range(len(term)):
        for sign, op in (("!=", "!="), ("==", "="), ("=", "=")):
            if term.startswith(sign, at):
                return term[:at], op, _unescaped(term[at + len(sign) :])
    raise errors.BadRequest(f"invalid selector: '{text}'; can't understand '{term}'")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def _unescaped(value: str) -> str:
    out, signs = [], iter(value)
    for sign in signs:
        if sign in ",=":
            raise errors.BadRequest(f"invalid field selector: unescaped character in value: {ord(sign)}")
        follows = next(signs, "") if sign == "\\" else sign
        if sign == "\\" and (follows == "" or follows not in "\\,="):
            raise errors.BadRequest(f"invalid field selector: invalid escape sequence: \\{follows}")
        out.append(follows)
    return "".join(out)
