"""Texts by form: ``format.dns1123Label().validate(x)``, ``"%s".format([…])`` and semantic versions.

Neighbours: ``meta/names.py`` knows the names of the field.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from pybernetes.cel import values
from pybernetes.cel.functions import net, standard, times
from pybernetes.cel.functions.function import Function, known, of, on
from pybernetes.cel.values import NONE, CelError, Opaque, Optional
from pybernetes.meta import names

Judge = Callable[[str], Sequence[str]]


class Format(Opaque):
    __slots__ = ("judge", "name")
    type_name = "kubernetes.NamedFormat"

    def __init__(self, name: str, judge: Judge) -> None:
        self.name, self.judge = name, judge


def _rule(fits: Callable[[str], bool], complaint: str) -> Judge:
    return lambda text: () if fits(text) else (complaint,)


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, CelError, binascii.Error):
            return False
        return True

    return fits


def _label_value(text: str) -> Sequence[str]:
    return names.label_value(text)


_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}")
_FORMATS: Final[Mapping[str, Judge]] = {
    "dns1123Label": names.dns1123_label,
    "dns1123Subdomain": names.dns1123_subdomain,
    "dns1035Label": names.dns1035_label,
    "dns1123LabelPrefix": lambda text: names.dns1123_label(text, is_prefix=True),
    "dns1123SubdomainPrefix": lambda text: names.dns1123_subdomain(text, is_prefix=True),
    "dns1035LabelPrefix": lambda text: names.dns1035_label(text, is_prefix=True),
    "qualifiedName": names.qualified_name,
    "labelValue": _label_value,
    "uri": _rule(net.is_url, "invalid URI for request"),
    "uuid": _rule(lambda text: _UUID.fullmatch(text) is not None, "does not match the UUID format"),
    "byte": _rule(_parses(lambda text: base64.b64decode(text, validate=True)), "invalid base64"),
    "date": _rule(_parses(date.fromisoformat), "invalid date"),
    "datetime": _rule(_parses(times.parse_timestamp), "invalid datetime"),
}
_BY_NAME: Final = {name: Format(name, judge) for name, judge in _FORMATS.items()}


def _named(name: str) -> Optional:
    found = _BY_NAME.get(name)
    return NONE if found is None else Optional(found, present=True)


def _validate(form: Format, text: str) -> Optional:
    """Nothing where the text fits, else the complaints."""
    complaints = list(form.judge(text))
    return Optional(complaints, present=True) if complaints else NONE


# ── "%s".format([…]) ─────────────────────────────────────────────────────────────────────────────────────

_CLAUSE: Final = re.compile(r"%(?:\.(\d+))?([%sdfexXobX])")


def render(template: str, arguments: list[Any]) -> str:
    """cel-go's ``string.format``. Raises CelError for a wrong clause or too few arguments."""
    left = iter(arguments)

    def clause(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        try:
            value = next(left)
        except StopIteration:
            raise CelError(f"index {len(arguments)} out of range") from None
        return _clause(found[2], int(found[1]) if found[1] else 6, value)

    return _CLAUSE.sub(clause, template)


def _clause(letter: str, precision: int, value: Any) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    match letter:
        case "s":
            return _shown(value)
        case "d" if number:
            return str(int(value))
        case "f" | "e" if number or isinstance(value, float):
            return f"{value:.{min(precision, 100)}{letter}}"
        case "b" if isinstance(value, int):
            return f"{int(value):b}"
        case "o" if number:
            return f"{int(value):o}"
        case "x" | "X" if number:
            return f"{int(value):{letter}}"
        case "x" | "X" if isinstance(value, str | bytes):
            text = (value.encode() if isinstance(value, str) else value).hex()
            return text.upper() if letter == "X" else text
    raise CelError(f"error during formatting: unexpected type {values.type_name(value)} for clause %{letter}")


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case list():
            return "[" + ", ".join(map(_shown, value)) + "]"
        case Mapping():
            return "{" + ", ".join(sorted(f"{_shown(key)}: {_shown(own)}" for key, own in value.items())) + "}"
        case values.TypeName() | str():
            return str(value)
        case datetime() | timedelta() | bool() | int() | float() | bytes():
            return standard.to_string(value)
    raise CelError(f"error during formatting: unexpected type {values.type_name(value)} for clause %s")


# ── semantic versions ────────────────────────────────────────────────────────────────────────────────────

_SEMVER: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-.]+)?"
)


class Version(Opaque):
    __slots__ = ("order", "parts")
    type_name = "kubernetes.Semver"

    def __init__(self, parts: tuple[int, int, int], before: str) -> None:
        self.parts = parts
        self.order = (parts, not before, tuple((not p.isdecimal(), int(p) if p.isdecimal() else 0, p)
                                               for p in before.split(".") if before))  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)


def semver(text: str, normalize: bool = False) -> Version:
    """A version. ``normalize`` forgives a leading ``v``, missing parts and leading zeros."""
    found = _SEMVER.fullmatch(_normal(text) if normalize else text)
    if found is None:
        raise CelError(f"semver: invalid version {text!r}")
    return Version((int(found[1]), int(found[2]), int(found[3])), found[4] or "")


def _normal(text: str) -> str:
    text = text.removeprefix("v")
    core, rest = re.fullmatch(r"([0-9.]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part.lstrip("0") or "0" for part in core.split(".")] + ["0", "0"]
    return ".".join(parts[: max(3, len(parts) - 2)]) + rest


def is_semver(text: str, normalize: bool = False) -> bool:
    return _parses(lambda one: semver(one, normalize))(text)


def _compare(one: Version, other: Version) -> int:
    return (one.order > other.order) - (one.order < other.order)


_V: Final = "kubernetes.Semver"
_F: Final = "kubernetes.NamedFormat"
TABLE: Final[tuple[Function, ...]] = (
    *(of(f"format.{name}", f"-> {_F}", lambda form=form: form) for name, form in _BY_NAME.items()),
    of("format.named", f"string -> optional_type({_F})", _named),
    on("validate", f"{_F}, string -> optional_type(list(string))", _validate),
    known("format", "string, list -> string", render),
    of("semver", f"string -> {_V}", semver),
    of("semver", f"string, bool -> {_V}", semver),
    of("isSemver", "string -> bool", is_semver),
    of("isSemver", "string, bool -> bool", is_semver),
    on("major", f"{_V} -> int", lambda version: version.parts[0]),
    on("minor", f"{_V} -> int", lambda version: version.parts[1]),
    on("patch", f"{_V} -> int", lambda version: version.parts[2]),
    on("compareTo", f"{_V}, {_V} -> int", _compare),
    on("isLessThan", f"{_V}, {_V} -> bool", lambda one, other: one.order < other.order),
    on("isGreaterThan", f"{_V}, {_V} -> bool", lambda one, other: one.order > other.order),
)
