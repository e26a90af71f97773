from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pybernetes.controllers.cronschedule import Moments
from pybernetes.kinds import cron

BERLIN = ZoneInfo("Europe/Berlin")


def moments(text: str, zone: str = "UTC") -> Moments:
    return Moments(cron.parse(text), ZoneInfo(zone))


def at(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def told(moment: float | None, zone: ZoneInfo | None = None) -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment, zone or UTC).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("text", "after", "due"),
    [
        ("* * * * *", "2026-01-31T23:59:30", "2026-02-01T00:00+00:00"),
        ("*/15 * * * *", "2026-01-31T09:15", "2026-01-31T09:30+00:00"),
        ("0 3 * * 1-5", "2026-01-30T03:00", "2026-02-02T03:00+00:00"),
        ("0 0 29 2 *", "2026-01-01", "2028-02-29T00:00+00:00"),
        ("0 0 13 * 5", "2026-01-01", "2026-01-02T00:00+00:00"),
        ("@yearly", "2026-01-01", "2027-01-01T00:00+00:00"),
    ],
)
def test_the_next_moment_is_the_first_that_all_fields_fit(text: str, after: str, due: str) -> None:
    assert told(moments(text).following(at(after))) == due


def test_a_day_that_never_comes_is_never_due() -> None:
    never = moments("0 0 30 2 *")
    assert never.following(at("2026-01-01")) is None
    assert never.preceding(at("2026-01-01")) is None


def test_a_time_zone_decides_when_three_o_clock_is() -> None:
    assert told(moments("0 3 * * *", "Asia/Seoul").following(at("2026-01-01T00:00"))) == "2026-01-01T18:00+00:00"


def test_an_hour_that_summer_time_leaves_out_is_not_due_and_one_that_comes_twice_is_due_twice() -> None:
    daily = moments("30 2 * * *", "Europe/Berlin")
    assert told(daily.following(at("2026-03-28T12:00")), BERLIN) == "2026-03-30T02:30+02:00"
    first = daily.following(at("2026-10-24T12:00"))
    assert told(first, BERLIN) == "2026-10-25T02:30+02:00"
    assert told(daily.following(first or 0), BERLIN) == "2026-10-25T02:30+01:00"


@given(
    text=st.sampled_from(["*/7 * * * *", "0 0 1 * *", "30 2 * * *", "5,35 8-17 * * 1-5", "0 12 15 6 0"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    moment=st.integers(1_600_000_000, 1_900_000_000),
)
def test_before_what_follows_there_is_nothing_but_what_preceded(text: str, zone: str, moment: int) -> None:
    walk = moments(text, zone)
    after = walk.following(moment)
    assert after is not None
    assert after > moment
    assert walk.preceding(after) == after
    before = walk.preceding(after - 1)
    assert before is not None
    assert before <= moment
    assert walk.following(before) == after
