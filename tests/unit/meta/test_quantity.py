"""Quantities are exact, and written as upstream writes them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pybernetes.meta import quantity


@pytest.mark.parametrize(
    ("text", "number", "canonical"),
    [
        ("0", 0, "0"), ("1", 1, "1"), ("-1", -1, "-1"), ("1000m", 1, "1"), ("250m", Decimal("0.25"), "250m"),
        ("0.25", Decimal("0.25"), "250m"), ("1.5", Decimal("1.5"), "1500m"), ("1k", 1000, "1k"), ("1000", 1000, "1k"),
        ("1024", 1024, "1024"), ("1Ki", 1024, "1Ki"), ("1024Ki", 1 << 20, "1Mi"), ("1.5Gi", 3 << 29, "1536Mi"),
        ("0.5Ki", 512, "512"), ("0.1Gi", Decimal("107374182.4"), "107374182400m"), ("1e3", 1000, "1e3"),
        ("12E6", 12_000_000, "12e6"), ("5E", 5 * 10**18, "5E"), ("100n", Decimal("1e-7"), "100n"),
        ("0.0000000001", Decimal("1e-9"), "1n"), (".5", Decimal("0.5"), "500m"), ("5.", 5, "5"), ("+3", 3, "3"),
        ("0Ki", 0, "0"), ("1e-3", Decimal("0.001"), "1e-3"),
    ],
)  # fmt: skip
def test_a_quantity_has_a_number_and_a_canonical_text(text: str, number: quantity.Number, canonical: str) -> None:
    assert quantity.parse(text) == number
    assert quantity.canonical(text) == canonical
    assert quantity.parse(canonical) == number


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", quantity.BAD_FORM), ("abc", quantity.BAD_FORM), ("1.2.3", quantity.BAD_FORM), ("1 Gi", quantity.BAD_FORM),
        ("1Zi", quantity.BAD_FORM), ("1kk", quantity.BAD_SUFFIX), ("1mi", quantity.BAD_SUFFIX),
        (".", quantity.BAD_NUMBER), ("1e9999999", quantity.BAD_SUFFIX),
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused(text: str, words: str) -> None:
    assert not quantity.is_valid(text)
    with pytest.raises(ValueError, match=r"quantit|parse") as refused:
        quantity.parse(text)
    assert str(refused.value) == words


@pytest.mark.parametrize("value", [None, True, [], {}])
def test_what_is_neither_text_nor_number_is_no_quantity(value: object) -> None:
    assert not quantity.is_valid(value)


@pytest.mark.parametrize(
    ("text", "whole", "milli"),
    [("1", 1, 1000), ("1m", 1, 1), ("1001m", 2, 1001), ("1u", 1, 1), ("-1500m", -2, -1500), ("0", 0, 0)],
)
def test_whole_numbers_are_rounded_away_from_zero(text: str, whole: int, milli: int) -> None:
    assert quantity.value(text) == whole
    assert quantity.milli(text) == milli


@pytest.mark.parametrize(("text", "kind"), [("1Ki", "BinarySI"), ("1", "DecimalSI"), ("1e3", "DecimalExponent")])
def test_a_quantity_remembers_how_it_was_written(text: str, kind: quantity.Format) -> None:
    assert quantity.format_of(text) == kind


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [(2048, "BinarySI", "2Ki"), (1000, "BinarySI", "1k"), (2048, "DecimalSI", "2048"), (3000, "DecimalSI", "3k"),
     (Decimal("0.1"), "BinarySI", "100m"), (-2048, "BinarySI", "-2Ki")],
)  # fmt: skip
def test_a_number_is_rendered_in_a_format(number: quantity.Number, kind: quantity.Format, text: str) -> None:
    assert quantity.render(number, kind) == text
