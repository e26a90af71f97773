"""Cron schedules: ``0 3 * * 1-5``, ``@hourly``, ``TZ=Europe/Berlin 30 4 1,15 * *``.

Rule: five fields (minute, hour, day of month, month, day of week), each a set of numbers; a day matches when both day
fields do, or, when neither is ``*``, when either does. Texts that cannot be read raise ValueError in the words of
robfig/cron, which upstream uses and whose complaints clients see.
Neighbours: ``strategy/cronjob.py`` judges schedules, the CronJob controller follows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MONTH_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = {name: i + 1 for i, name in enumerate(_MONTH_NAMES)}
_DAYS: Final = {name: i for i, name in enumerate(_DAY_NAMES)}
_MACROS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class _Field:
    low: int
    high: int
    names: dict[str, int]


_FIELDS: Final = (
    _Field(0, 59, {}),
    _Field(0, 23, {}),
    _Field(1, 31, {}),
    _Field(1, 12, _MONTHS),
    _Field(0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A read schedule. ``any_day`` and ``any_weekday`` tell a ``*`` from a list of all days."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    any_day: bool
    any_weekday: bool
    time_zone: str = ""


def parse(text: str) -> Schedule:
    """Read a schedule. Raises ValueError."""
    if not text:
        raise ValueError("empty spec string")
    time_zone, rest = _time_zone(text)
    if rest.startswith("@"):
        if rest not in _MACROS:
            raise ValueError(f"unrecognized descriptor: {rest}")
        rest = _MACROS[rest]
    fields = rest.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        _numbers(value, field) for value, field in zip(fields, _FIELDS, strict=True)
    )
    stars = [value.split(",")[0].split("/")[0] in ("*", "?") for value in fields]
    return Schedule(minutes, hours, days, months, weekdays, any_day=stars[2], any_weekday=stars[4], time_zone=time_zone)


def _time_zone(text: str) -> tuple[str, str]:
    if not text.startswith(("TZ=", "CRON_TZ=")):
        return "", text.strip()
    name, _, rest = text.partition("=")[2].partition(" ")
    return name, rest.strip()


def _numbers(text: str, field: _Field) -> frozenset[int]:
    return frozenset(number for part in text.split(",") if part for number in _range(part, field))


def _range(text: str, field: _Field) -> range:
    """``*``, ``3``, ``1-5``, ``*/10``, ``5-30/5`` or ``mon-fri``."""
    ends, slash, step_text = text.partition("/")
    if "/" in step_text:
        raise ValueError(f"too many slashes: {text}")
    low_text, dash, high_text = ends.partition("-")
    if low_text in ("*", "?"):
        low, high = field.low, field.high
    else:
        low = _number(low_text, field)
        if "-" in high_text:
            raise ValueError(f"too many hyphens: {text}")
        high = _number(high_text, field) if dash else (field.high if slash else low)
    step = _positive(step_text) if slash else 1
    return _bounded(range(low, high + 1, step) if step else range(0), (low, high, step), field, text)


def _bounded(numbers: range, said: tuple[int, int, int], field: _Field, text: str) -> range:
    low, high, step = said
    if low < field.low:
        raise ValueError(f"beginning of range ({low}) below minimum ({field.low}): {text}")
    if high > field.high:
        raise ValueError(f"end of range ({high}) above maximum ({field.high}): {text}")
    if low > high:
        raise ValueError(f"beginning of range ({low}) beyond end of range ({high}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")
    return numbers


def _number(text: str, field: _Field) -> int:
    named = field.names.get(text.lower())
    return _positive(text) if named is None else named


def _positive(text: str) -> int:
    if not text.lstrip("+-").isdecimal():
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number
