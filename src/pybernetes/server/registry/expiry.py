"""Events do not stay: one that nobody has written for an hour is deleted (kube-apiserver's ``--event-ttl``).

Rule: nothing looks around for what is old. Writes come in the order in which they will expire, so one timer for the
oldest is enough, and a server without events has none.
Neighbours: ``hooks.py`` tells of each write; a write that somebody has made since wins by its revision.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, NamedTuple

from pybernetes.lib.clock import Clock, Timer
from pybernetes.lib.tasks import Tasks
from pybernetes.storage import codec
from pybernetes.storage.port import Mismatch
from pybernetes.storage.watchcache import WatchCache

TTL_SECONDS: Final = 3600.0
_AT_ONCE: Final = 64


class _Written(NamedTuple):
    """One write and when it is forgotten (Unix seconds)."""

    until: float
    key: str
    revision: int


class Expiry:
    def __init__(self, cache: WatchCache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock
        self._written: deque[_Written] = deque()
        self._timer: Timer | None = None
        self._tasks = Tasks()

    def start(self) -> None:
        """Take up what is stored, as if written now: reading thousands of events would make a start slow."""
        for record in self._cache.list(codec.prefix("", "events"))[0]:
            self.wrote(record.key, record.revision)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.stop()

    def wrote(self, key: str, revision: int) -> None:
        """An event has been stored."""
        self._written.append(_Written(self._clock.time() + TTL_SECONDS, key, revision))
        if self._timer is None:
            self._arm()

    def _arm(self) -> None:
        if self._written:
            seconds = self._written[0].until - self._clock.time()
            self._timer = self._clock.call_later(max(0.0, seconds), self._due)

    def _due(self) -> None:
        now, due = self._clock.time(), []
        while self._written and self._written[0].until <= now:
            due.append(self._written.popleft())
        self._timer = None
        self._arm()
        self._tasks.start(self._forget(due), "event expiry")

    async def _forget(self, due: list[_Written]) -> None:
        for start in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*(self._delete(one) for one in due[start : start + _AT_ONCE]))

    async def _delete(self, one: _Written) -> None:
        record = self._cache.get(one.key)
        if record is None or record.revision != one.revision:
            return
        try:
            await self._cache.delete(one.key, expect=one.revision)
        except Mismatch:
            return  # written again this very moment: that write has its own hour
