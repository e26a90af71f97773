"""A priority level at work: its seats, who sits, who waits.

Rule: beyond its own seats a level may use those that others may lend and do not use now, up to its limit.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.flow.queues import Queues


class Level:
    """``configure`` again when the configuration has changed; who sits or waits stays."""

    __slots__ = (
        "borrowing", "exempt", "hand", "lendable", "length", "name", "nominal", "queues", "seated", "uid", "waiting",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name, self.uid = name, ""
        self.exempt = False
        self.nominal = self.lendable = self.seated = 0
        self.borrowing = math.inf
        self.queues = self.hand = self.length = 0
        """No queues: nobody waits."""
        self.waiting: Queues[asyncio.Future[None]] = Queues()

    def configure(self, obj: Obj, seats: int, shares: int) -> None:
        """``seats`` of the whole server are divided by ``shares``, the sum of all levels'."""
        self.uid = objects.uid(obj)
        spec = obj.get("spec") or {}
        self.exempt = spec.get("type") == "Exempt"
        part: Mapping[str, int] = spec.get("exempt" if self.exempt else "limited") or {}
        self.nominal = math.ceil(seats * shares_of(obj) / shares) if shares else 0
        self.lendable = self.nominal * (part.get("lendablePercent") or 0) // 100
        percent = part.get("borrowingLimitPercent")
        self.borrowing = math.inf if percent is None else self.nominal * percent // 100
        queuing = objects.get(part, "limitResponse", "queuing", default={})
        self.queues = queuing.get("queues") or 0
        self.hand, self.length = queuing.get("handSize") or 0, queuing.get("queueLengthLimit") or 0

    @property
    def borrowed(self) -> int:
        return max(0, self.seated - self.nominal)

    def may_seat(self, levels: Iterable[Level]) -> bool:
        """Is there a seat, of its own or of another level's among ``levels``?"""
        if self.seated < self.nominal:
            return True
        if self.borrowed >= self.borrowing:
            return False
        lent = free = 0
        for level in levels:
            lent += level.borrowed
            free += min(level.lendable, max(0, level.nominal - level.seated))
        return lent < free


def shares_of(obj: Obj) -> int:
    spec = obj.get("spec") or {}
    part = spec.get("exempt" if spec.get("type") == "Exempt" else "limited") or {}
    return int(part.get("nominalConcurrencyShares") or 0)
