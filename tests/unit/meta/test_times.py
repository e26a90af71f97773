"""Times travel as RFC 3339, and ages are told as kubectl tells them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pybernetes.meta import times

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


def test_times_go_back_and_forth() -> None:
    assert times.render(times.parse("2026-01-31T09:05:03Z")) == "2026-01-31T09:05:03Z"
    assert times.render_micro(times.parse("2026-01-31T10:05:03.000123+01:00")) == "2026-01-31T09:05:03.000123Z"


def test_the_first_years_have_four_digits_too() -> None:
    assert times.text(datetime(1, 1, 1, 0, 0, 2, tzinfo=UTC), "microseconds") == "0001-01-01T00:00:02.000000Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-31T09:05:03", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        times.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (10 * MINUTE, "10m"),
        (179 * MINUTE, "179m"), (3 * HOUR, "3h"), (3 * HOUR + 5 * MINUTE, "3h5m"), (8 * HOUR + MINUTE, "8h"),
        (47 * HOUR, "47h"), (2 * DAY, "2d"), (2 * DAY + HOUR, "2d1h"), (8 * DAY + HOUR, "8d"),
        (2 * YEAR - DAY, "729d"), (2 * YEAR, "2y"), (2 * YEAR + DAY, "2y1d"), (8 * YEAR + DAY, "8y"),
    ],
)  # fmt: skip
def test_ages_are_told_in_at_most_two_units(seconds: float, text: str) -> None:
    assert times.human_duration(seconds) == text
