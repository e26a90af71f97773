"""When a schedule is due: the moment before and the moment after another one, in a time zone.

Rule: both walks look at the wall clock of moments that really are, so an hour that a change to summer time leaves out
is never due, and one that comes twice is due twice, as in robfig/cron, which upstream uses.
Neighbours: ``kinds/cron.py`` reads schedules; ``cronjob.py`` asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from pybernetes.kinds.cron import Schedule

_MINUTE: Final = 60
_HOUR: Final = 3600
_WALK_SECONDS: Final = 5 * 366 * 24 * _HOUR
"""So far a walk goes: a schedule like ``0 0 30 2 *`` is never due."""


@dataclass(frozen=True, slots=True)
class Moments:
    """All moments of a schedule in a time zone. Times are Unix seconds."""

    schedule: Schedule
    zone: tzinfo

    def following(self, moment: float) -> float | None:
        """The first moment after ``moment``; None if there is none within five years."""
        at, end = (int(moment) // _MINUTE + 1) * _MINUTE, moment + _WALK_SECONDS
        while at <= end:
            local = datetime.fromtimestamp(at, self.zone)
            if not is_day(self.schedule, local):
                at = int(_midnight(local, 1).timestamp())
            elif local.hour not in self.schedule.hours:
                at += _HOUR - local.minute * _MINUTE
            elif local.minute not in self.schedule.minutes:
                at += _MINUTE
            else:
                return float(at)
        return None

    def preceding(self, moment: float) -> float | None:
        """The last moment up to ``moment``; None if there was none within five years."""
        at, end = int(moment) // _MINUTE * _MINUTE, moment - _WALK_SECONDS
        while at >= end:
            local = datetime.fromtimestamp(at, self.zone)
            if not is_day(self.schedule, local):
                at = int(_midnight(local, 0).timestamp()) - _MINUTE
            elif local.hour not in self.schedule.hours:
                at -= (local.minute + 1) * _MINUTE
            elif local.minute not in self.schedule.minutes:
                at -= _MINUTE
            else:
                return float(at)
        return None

    def missed(self, since: float, now: float) -> int:
        """About how many moments there were, as if all were as far apart as the first two (mostRecentScheduleTime)."""
        first = self.following(since)
        second = self.following(first) if first is not None else None
        if first is None or second is None or now < second:
            return 0
        return int((now - first) // (second - first)) + 1


def is_day(schedule: Schedule, local: datetime) -> bool:
    """Does the day match? Of two day fields without a star either will do."""
    if local.month not in schedule.months:
        return False
    day, weekday = local.day in schedule.days, (local.weekday() + 1) % 7 in schedule.weekdays
    return day and weekday if schedule.any_day or schedule.any_weekday else day or weekday


def _midnight(local: datetime, days: int) -> datetime:
    """The beginning of the day, or of a later one, as its own time zone has it."""
    return local.replace(hour=0, minute=0, second=0, fold=0) + timedelta(days=days)
