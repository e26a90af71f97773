"""Times as the API writes them: RFC 3339 in UTC, seconds for metav1.Time, microseconds for MicroTime."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal


def render(seconds: float) -> str:
    """Unix seconds as metav1.Time: ``2026-01-31T09:05:03Z``."""
    return text(datetime.fromtimestamp(int(seconds), UTC))


def render_micro(seconds: float) -> str:
    """Unix seconds as metav1.MicroTime: ``2026-01-31T09:05:03.000000Z``."""
    return text(datetime.fromtimestamp(seconds, UTC), "microseconds")


def text(moment: datetime, precision: Literal["seconds", "microseconds"] = "seconds") -> str:
    """A moment of UTC in four digits of year, also of Go's zero time, which lies in the year 1."""
    return moment.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def parse(text: str) -> float:
    """RFC 3339 to Unix seconds. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()


def human_duration(seconds: float) -> str:
    """A duration as kubectl's AGE column shows it (apimachinery/pkg/util/duration.HumanDuration)."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    total = max(total, 0)
    if total < 120:
        return f"{total}s"
    minutes = total // 60
    if minutes < 10:
        rest = total % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = total // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        rest = hours % 24
        return f"{days}d{rest}h" if rest else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if years < 8:
        rest = days % 365
        return f"{years}y{rest}d" if rest else f"{years}y"
    return f"{years}y"
