"""Durations and timestamps: reading, writing, and their parts (cel-spec's getters; time zones by name or offset)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from pybernetes.cel import values
from pybernetes.cel.functions.function import Function, known
from pybernetes.cel.values import CelError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PART: Final = re.compile(r"([0-9]*\.?[0-9]+|[0-9]+\.)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)")


def parse_duration(text: Any) -> timedelta:
    """Go's ``1h30m``, ``-1.5s``. Raises CelError."""
    if not isinstance(text, str):
        raise values.no_overload()
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _PART.findall(rest)
    if rest == "0":
        return timedelta(0)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise CelError(f'time: invalid duration "{text}"')
    try:
        return sign * timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise CelError(f'time: invalid duration "{text}"') from None


def duration_text(value: timedelta) -> str:
    """A duration as CEL writes it: seconds and an ``s``."""
    seconds = value / timedelta(seconds=1)
    return f"{int(seconds)}s" if seconds.is_integer() else f"{seconds:.6f}".rstrip("0") + "s"


def parse_timestamp(text: Any) -> datetime:
    """RFC 3339. Raises CelError."""
    if not isinstance(text, str):
        raise values.no_overload()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CelError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse')
    return moment.astimezone(UTC)


def timestamp_text(value: datetime) -> str:
    whole = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return whole + (f".{value.microsecond:06}".rstrip("0") if value.microsecond else "") + "Z"


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    if found is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise CelError(f"unknown time zone {name}") from None


def _part(name: str, read: Callable[[datetime], int]) -> tuple[Function, Function]:
    def here(moment: datetime) -> int:
        return read(moment.astimezone(UTC))

    def there(moment: datetime, zone: str) -> int:
        return read(moment.astimezone(_zone(zone)))

    return known(name, "timestamp -> int", here), known(name, "timestamp, string -> int", there)


def _unit(name: str, unit: timedelta) -> Function:
    def whole(value: timedelta) -> int:
        return int(abs(value) // unit) * (-1 if value < timedelta(0) else 1)

    return known(name, "duration -> int", whole)


TABLE: Final[tuple[Function, ...]] = (
    *_part("getFullYear", lambda moment: moment.year),
    *_part("getMonth", lambda moment: moment.month - 1),
    *_part("getDayOfMonth", lambda moment: moment.day - 1),
    *_part("getDate", lambda moment: moment.day),
    *_part("getDayOfWeek", lambda moment: moment.isoweekday() % 7),
    *_part("getDayOfYear", lambda moment: moment.timetuple().tm_yday - 1),
    *_part("getHours", lambda moment: moment.hour),
    *_part("getMinutes", lambda moment: moment.minute),
    *_part("getSeconds", lambda moment: moment.second),
    *_part("getMilliseconds", lambda moment: moment.microsecond // 1000),
    _unit("getHours", timedelta(hours=1)),
    _unit("getMinutes", timedelta(minutes=1)),
    _unit("getSeconds", timedelta(seconds=1)),
    known("getMilliseconds", "duration -> int", lambda value: value // timedelta(milliseconds=1) % 1000),
)
