"""Amounts with units, exactly: ``100m``, ``1.5Gi``, ``1e3`` (apimachinery/pkg/api/resource).

Numbers are ``Fraction``s, so sums and comparisons never round; amounts finer than a billionth are rounded up on
parsing, as upstream does. Text in canonical form has no fraction and the largest unit that keeps the value.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final, Literal, TypeAlias

Format: TypeAlias = Literal["DecimalSI", "BinarySI", "DecimalExponent"]
Value: TypeAlias = str | int | float

_PATTERN: Final = re.compile(
    r"(?P<sign>[+-]?)(?P<number>\d+(?:\.\d*)?|\.\d+)(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?\d+))?\Z"
)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX: Final = {exponent: suffix for suffix, exponent in _BINARY.items()}
_NANO: Final = 10**9

BAD_FORMAT: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def parse(value: Value) -> Fraction:
    """The exact number. Raises ValueError with upstream's sentence."""
    return _parse(str(value))[0]


def is_valid(text: Value) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def canonical(value: Value) -> str:
    """The form in which the API stores an amount: ``0.1Gi`` → ``107374182400m``. Raises ValueError."""
    return _canonical(str(value))


def render(number: Fraction | int, format_: Format = "DecimalSI") -> str:
    """The canonical text of a number in a format family."""
    exact = Fraction(number)
    if exact == 0:
        return "0"
    if format_ == "BinarySI" and exact.denominator == 1 and abs(exact) >= 1024:
        return _binary(exact.numerator)
    return _decimal(exact, exponent_form=format_ == "DecimalExponent")


def format_of(value: Value) -> Format:
    """The family in which an amount was written: sums keep that of their first term."""
    return _parse(str(value))[1]


def value(number: Fraction | int) -> int:
    """The number in whole units, rounded up (Quantity.Value)."""
    return ceil(number)


def milli(number: Fraction | int) -> int:
    """The number in thousandths, rounded up (Quantity.MilliValue)."""
    return ceil(number * 1000)


@lru_cache(maxsize=8192)
def _parse(text: str) -> tuple[Fraction, Format]:
    match = _PATTERN.match(text)
    if match is None:
        raise ValueError(BAD_FORMAT)
    number = Fraction(match["sign"] + match["number"].removesuffix(".") if match["number"] else "0")
    suffix, exponent = match["suffix"], match["exponent"]
    format_: Format = "DecimalSI"
    if suffix in _BINARY:
        number *= 1 << _BINARY[suffix]
        format_ = "BinarySI"
    elif suffix:
        number *= Fraction(10) ** _DECIMAL[suffix]
    elif exponent is not None:
        if abs(int(exponent)) > 1000:
            raise ValueError(BAD_FORMAT)
        number *= Fraction(10) ** int(exponent)
        format_ = "DecimalExponent"
    if number.denominator != 1 and _NANO % number.denominator:
        scaled = ceil(abs(number) * _NANO)
        number = Fraction(scaled if number > 0 else -scaled, _NANO)
    return number, format_


@lru_cache(maxsize=8192)
def _canonical(text: str) -> str:
    return render(*_parse(text))


def _decimal(number: Fraction, *, exponent_form: bool) -> str:
    """Mantissa without trailing zeros, exponent a multiple of three."""
    mantissa, exponent = number, 0
    while mantissa.denominator != 1:
        mantissa *= 10
        exponent -= 1
    digits = mantissa.numerator
    while digits % 10 == 0:
        digits //= 10
        exponent += 1
    shift = exponent % 3
    digits, exponent = digits * 10**shift, exponent - shift
    if exponent_form or exponent not in _DECIMAL_SUFFIX:
        return f"{digits}e{exponent}" if exponent else str(digits)
    return f"{digits}{_DECIMAL_SUFFIX[exponent]}"


def _binary(number: int) -> str:
    exponent = 0
    while number % 1024 == 0 and exponent < 60:
        number //= 1024
        exponent += 10
    return f"{number}{_BINARY_SUFFIX[exponent] if exponent else ''}"
