"""A queue of keys that holds each once, never gives one key to two workers, and knows how long a key must wait.

Rule 1: a key added while somebody works on it comes back when that work is ``done``.
Rule 2: a wait ends early when the key is added anyway; taking a key voids what it waited for.
Rule 3: a key that fails waits 5 ms, doubled each time, up to 1000 s, until ``forget`` (workqueue's default limiter).
Nothing is polled: one timer stands for the earliest wait.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from pybernetes.lib.clock import Clock, Timer

BACKOFF_SECONDS: Final = 0.005
BACKOFF_SECONDS_MAX: Final = 1000.0

K = TypeVar("K", bound=Hashable)


def backoff_seconds(failures: int) -> float:
    """How long a key waits after its n-th failure in a row, counted from 1."""
    return float(min(BACKOFF_SECONDS * 2 ** min(failures - 1, 40), BACKOFF_SECONDS_MAX))


class Queue(Generic[K]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._waits = _Waits[K](clock, self.add)

    def __len__(self) -> int:
        """Keys that are ready to be taken."""
        return len(self._ready)

    def add(self, key: K) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._ready.append(key)
            self._wake()

    def add_after(self, key: K, seconds: float) -> None:
        """Add a key in ``seconds``; of several waits of one key the shortest counts."""
        if seconds <= 0:
            self.add(key)
        else:
            self._waits.put(key, self._clock.monotonic() + seconds)

    def add_failed(self, key: K) -> int:
        """Add a key after its back-off; answers how often it has failed in a row."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self.add_after(key, backoff_seconds(failures))
        return failures

    def forget(self, key: K) -> None:
        """The key has had success: its next failure is its first."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The next key, which is the caller's until ``done``."""
        while not self._ready:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()
                raise
        key = self._ready.popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        self._waits.drop(key)
        return key

    def done(self, key: K) -> None:
        self._processing.discard(key)
        if key in self._dirty:
            self._ready.append(key)
            self._wake()

    def close(self) -> None:
        """Let go of the timer."""
        self._waits.close()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


class _Waits(Generic[K]):
    """Keys by the time at which they are due; one entry a key, one timer for all."""

    def __init__(self, clock: Clock, due: Callable[[K], None]) -> None:
        self._clock, self._due = clock, due
        self._times: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._timer: Timer | None = None
        self._timer_at = float("inf")

    def put(self, key: K, at: float) -> None:
        if self._times.get(key, float("inf")) <= at:
            return
        self._times[key] = at
        heapq.heappush(self._heap, (at, next(self._order), key))
        self._arm()

    def drop(self, key: K) -> None:
        self._times.pop(key, None)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, float("inf")

    def _arm(self) -> None:
        while self._heap and self._times.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        at = self._heap[0][0] if self._heap else float("inf")
        if at < self._timer_at:
            self.close()
            self._timer_at = at
            self._timer = self._clock.call_later(at - self._clock.monotonic(), self._ring)

    def _ring(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        # A timer may ring a little early: what is due within a millisecond is due.
        now = self._clock.monotonic() + 0.001
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heapq.heappop(self._heap)
            if self._times.get(key) == at:
                del self._times[key]
                self._due(key)
        self._arm()
