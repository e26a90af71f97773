"""Cron schedules are read, and refused, as robfig/cron does it."""

from __future__ import annotations

import pytest

from pybernetes.kinds import cron


@pytest.mark.parametrize(
    ("text", "field", "numbers"),
    [
        ("*/15 * * * *", "minutes", {0, 15, 30, 45}),
        ("5-30/10 * * * *", "minutes", {5, 15, 25}),
        ("50/3 * * * *", "minutes", {50, 53, 56, 59}),
        ("1,2,40 * * * *", "minutes", {1, 2, 40}),
        ("0 3-5 * * *", "hours", {3, 4, 5}),
        ("0 0 1,15 * *", "days", {1, 15}),
        ("0 0 * jan-MAR *", "months", {1, 2, 3}),
        ("0 0 * * mon-fri", "weekdays", {1, 2, 3, 4, 5}),
        ("0 0 * * ?", "weekdays", set(range(7))),
        ("@weekly", "weekdays", {0}),
        ("@yearly", "months", {1}),
        ("@hourly", "minutes", {0}),
    ],
)
def test_a_field_is_a_set_of_numbers(text: str, field: str, numbers: set[int]) -> None:
    assert getattr(cron.parse(text), field) == numbers


def test_a_star_is_no_list_of_all_days() -> None:
    assert cron.parse("0 0 * * 1").any_day
    assert not cron.parse("0 0 1-31 * 1").any_day
    assert cron.parse("0 0 */2 * 1").any_day


@pytest.mark.parametrize("text", ["TZ=Europe/Berlin 30 4 * * *", "CRON_TZ=Europe/Berlin 30 4 * * *"])
def test_a_time_zone_may_come_first(text: str) -> None:
    schedule = cron.parse(text)
    assert (schedule.time_zone, schedule.hours) == ("Europe/Berlin", frozenset({4}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("@often", "unrecognized descriptor: @often"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("* * * foo *", 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
    ],
)
def test_a_bad_schedule_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        cron.parse(text)
    assert str(refused.value) == words
