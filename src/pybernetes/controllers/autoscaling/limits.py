"""From what metrics ask for to what is done: stabilized, in bounds, no faster than allowed (horizontal.go). Pure.

Rule 1: without a ``behavior`` scaling in waits for five minutes in which nothing asked for more, and scaling out
        at most doubles, or goes to four.
Rule 2: with one, each direction has a window, over which the least (out) or the most (in) that was recommended counts,
        and policies: so many pods, or so many percent, in a period.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from pybernetes.controllers.autoscaling.memory import Memory
from pybernetes.meta.objects import Obj

DOWN_WINDOW_SECONDS: Final = 300
_FACTOR: Final = 2
_AT_LEAST: Final = 4
_HIGHER: Final = "recent recommendations were higher than current one, applying the highest recent recommendation"
_LOWER: Final = "recent recommendations were lower than current one, applying the lowest recent recommendation"


class Reason(NamedTuple):
    """``holds``: the condition's status."""

    holds: bool
    reason: str
    message: str


class Limited(NamedTuple):
    """``able`` and ``limited`` are for the conditions AbleToScale and ScalingLimited."""

    replicas: int
    able: Reason
    limited: Reason


class Bounds(NamedTuple):
    least: int
    most: int


_READY: Final = Reason(True, "ReadyForNewScale", "recommended size matches current size")
_IN_RANGE: Final = Reason(False, "DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY: Final = Reason(True, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW: Final = Reason(True, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
_TOO_FAST_UP: Final = Reason(
    True, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
)
_TOO_FAST_DOWN: Final = Reason(
    True, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"
)


def plain(memory: Memory, current: int, wanted: int, bounds: Bounds, now: float) -> Limited:
    """Without a ``behavior``."""
    stable = max([wanted, *memory.since(now - DOWN_WINDOW_SECONDS)])
    memory.recommend(wanted, now)
    able = _READY if stable == wanted else Reason(True, "ScaleDownStabilized", _HIGHER)
    up = max(_FACTOR * current, _AT_LEAST)
    ceiling = Bounds(bounds.least, min(bounds.most, up))
    too_many = _TOO_MANY if bounds.most <= up else _TOO_FAST_UP
    return Limited(*_clipped(stable, ceiling, _TOO_FEW, too_many, able))


def by_behavior(memory: Memory, current: int, wanted: int, bounds: Bounds, behavior: Obj, now: float) -> Limited:  # noqa: PLR0917
    """With one, whose defaults the API has filled in."""
    up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
    stable = _stabilized(memory, current, wanted, (up, down), now)
    memory.recommend(wanted, now)
    able = _READY
    if stable != wanted:
        able = Reason(True, *(("ScaleUpStabilized", _LOWER) if wanted > current else ("ScaleDownStabilized", _HIGHER)))
    if stable > current:
        most = max(current, _limit(memory, current, up, now, out=True))
        reason = _TOO_MANY if bounds.most <= most else _TOO_FAST_UP
        return Limited(*_clipped(stable, Bounds(0, min(bounds.most, most)), _TOO_FEW, reason, able))
    if stable < current:
        least = min(current, _limit(memory, current, down, now, out=False))
        reason = _TOO_FEW if bounds.least >= least else _TOO_FAST_DOWN
        return Limited(*_clipped(stable, Bounds(max(bounds.least, least), current), reason, _TOO_MANY, able))
    return Limited(stable, able, _IN_RANGE)


def _clipped(wanted: int, bounds: Bounds, low: Reason, high: Reason, able: Reason) -> tuple[int, Reason, Reason]:
    if wanted < bounds.least:
        return bounds.least, able, low
    if wanted > bounds.most:
        return bounds.most, able, high
    return wanted, able, _IN_RANGE


def _stabilized(memory: Memory, current: int, wanted: int, rules: tuple[Obj, Obj], now: float) -> int:
    up, down = rules
    low = min([wanted, *memory.since(now - (up.get("stabilizationWindowSeconds") or 0))])
    window = down.get("stabilizationWindowSeconds")
    high = max([wanted, *memory.since(now - (DOWN_WINDOW_SECONDS if window is None else window))])
    return min(max(current, low), high)


def _limit(memory: Memory, current: int, rules: Obj, now: float, *, out: bool) -> int:
    """How far the policies of one direction let the target go now."""
    choice = rules.get("selectPolicy") or "Max"
    if choice == "Disabled":
        return current
    far = list(_policies(memory, current, rules.get("policies") or (), now, out=out))
    return max(far) if (choice == "Max") == out else min(far)


def _policies(memory: Memory, current: int, policies: Iterable[Obj], now: float, *, out: bool) -> Iterable[int]:
    for policy in policies:
        began = current - memory.change_since(now - policy["periodSeconds"])
        step = policy["value"] if out else -policy["value"]
        if policy["type"] == "Pods":
            yield began + step
        else:
            to = began * (100 + step) / 100
            yield math.ceil(to) if out else int(to)
