"""Quantities: exact numbers written with units, ``250m``, ``1.5Gi``, ``12e6`` (apimachinery/pkg/api/resource).

Rule 1: a number is an ``int`` where it is whole and a ``Decimal`` where it is not; none is finer than 1n, and what
        would be finer is rounded away from zero, since one who asks for a little shall get a little.
Rule 2: a text's format (DecimalSI, BinarySI, DecimalExponent) stays with what is made of it.
Neighbours: ``meta/schema.py`` accepts quantities and has them written canonically.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Final, Literal, TypeAlias

Number: TypeAlias = int | Decimal
Format: TypeAlias = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

REGEX: Final = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
BAD_FORM: Final = f"quantities must match the regular expression '{REGEX}'"
BAD_NUMBER: Final = "unable to parse numeric part of quantity"
BAD_SUFFIX: Final = "unable to parse quantity's suffix"

_PARTS: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT: Final = re.compile(r"[eE]([-+]?[0-9]+)")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES: Final = {exponent: name for name, exponent in _DECIMAL.items()}
_BINARY_NAMES: Final = {exponent: name for name, exponent in _BINARY.items()} | {0: ""}
_NANO: Final = 10**9
_BINARY_MAX: Final = (2**63 - 1) * _NANO
_EXPONENT_MAX: Final = 4096
"""Beyond this a power of ten is not a number that anybody meant; it must not cost memory."""


def parse(value: object) -> Number:
    """The number that ``value`` (text, int or float) means. Raises ValueError in upstream's words."""
    return _read(str(value) if not isinstance(value, str | bool) else _text(value))[0]


def is_valid(value: object) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def is_canonical(value: object) -> bool:
    """Is it a text as ``canonical`` writes it?"""
    try:
        return isinstance(value, str) and _canonical(value) == value
    except ValueError:
        return False


def format_of(value: object) -> Format:
    """How ``value`` is written. Raises ValueError."""
    return _read(_text(value))[1]


def canonical(value: object) -> str:
    """Upstream's canonical text: the largest unit without a fraction: ``0.1Gi`` → ``107374182400m``."""
    return _canonical(_text(value))


def value(number: object) -> int:
    """The number rounded away from zero to a whole one (Quantity.Value)."""
    return _away(_nanos(number), _NANO)


def milli(number: object) -> int:
    """Thousandths, rounded away from zero (Quantity.MilliValue)."""
    return _away(_nanos(number), _NANO // 1000)


def render(number: Number, format_: Format = "DecimalSI") -> str:
    """The canonical text of ``number`` in a format; small or broken binary numbers are told in decimal."""
    nanos = _nanos(number)
    if nanos == 0:
        return "0"
    if format_ == "BinarySI" and abs(nanos) >= 1024 * _NANO and nanos % _NANO == 0:
        mantissa, exponent = _shed(nanos // _NANO, 1024, most=6)
        return f"{mantissa}{_BINARY_NAMES[exponent * 10]}"
    mantissa, exponent = _shed(nanos, 1000)
    exponent = exponent * 3 - 9
    if format_ == "DecimalExponent" or exponent not in _DECIMAL_NAMES:
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    return f"{mantissa}{_DECIMAL_NAMES[exponent]}"


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(BAD_FORM)
    return value if isinstance(value, str) else str(value)


@functools.lru_cache(maxsize=8192)
def _read(text: str) -> tuple[Number, Format]:
    found = _PARTS.fullmatch(text)
    if not text or found is None or not found[0].strip("+-"):
        raise ValueError(BAD_FORM)
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    if not whole and not fraction:
        raise ValueError(BAD_FORM if found[3] is None else BAD_NUMBER)
    base, exponent, format_ = _unit(suffix)
    nanos = _scale(int(whole + fraction), base, exponent, len(fraction))
    if format_ == "BinarySI":
        nanos = min(nanos, _BINARY_MAX)
        format_ = "DecimalSI" if 0 < nanos < _NANO else format_
    return _number(-nanos if sign == "-" else nanos), format_


@functools.lru_cache(maxsize=8192)
def _canonical(text: str) -> str:
    return render(*_read(text))


def _unit(suffix: str) -> tuple[int, int, Format]:
    """(base, exponent, format) of a suffix."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return 2, _BINARY[suffix], "BinarySI"
    found = _EXPONENT.fullmatch(suffix)
    if found is None or abs(int(found[1])) > _EXPONENT_MAX:
        raise ValueError(BAD_SUFFIX)
    return 10, int(found[1]), "DecimalExponent"


def _scale(digits: int, base: int, exponent: int, places: int) -> int:
    """``digits`` · base^exponent / 10^places, in nanos, rounded up."""
    if base == 2:
        return -(-(digits << exponent) * _NANO // _ten(places))
    power = exponent + 9 - places
    return digits * _ten(power) if power >= 0 else -(-digits // _ten(-power))


def _ten(power: int) -> int:
    """10^power, an integer for the type checker too."""
    return int(10**power)


# ── nanos ────────────────────────────────────────────────────────────────────────────────────────────────


def _number(nanos: int) -> Number:
    whole, rest = divmod(nanos, _NANO)
    if rest == 0:
        return whole
    digits = tuple(int(digit) for digit in str(abs(nanos)).rstrip("0"))
    return Decimal((int(nanos < 0), digits, len(str(abs(nanos))) - len(digits) - 9))


def _nanos(number: object) -> int:
    if not isinstance(number, int | Decimal) or isinstance(number, bool):
        number = parse(number)
    if isinstance(number, int):
        return number * _NANO
    numerator, denominator = number.as_integer_ratio()
    return _away(numerator * _NANO, denominator)


def _away(number: int, by: int) -> int:
    """number / by, rounded away from zero."""
    return -(-number // by) if number >= 0 else -(number // -by if number % by == 0 else -(number // by))


def _shed(number: int, factor: int, most: int = 1 << 30) -> tuple[int, int]:
    """(mantissa, how often ``factor`` divides ``number``)."""
    times = 0
    while times < most and number % factor == 0:
        number //= factor
        times += 1
    return number, times
