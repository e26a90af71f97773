"""The only home of time.

Everything that waits or reads a clock takes a :class:`Clock`; deciding code gets ``now`` as an argument.
``SystemClock`` is the machine's; ``VirtualClock`` moves only when told, which is what lets a test turn a
crash-loop back-off of five minutes into one call; ``TurnedClock`` goes as the machine's does and can be turned too.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

_IDLE_TURNS: Final = 2
_BLIND_TURNS: Final = 50
_TURNS_MAX: Final = 1_000_000
"""Of a loop that never becomes idle; reached by nothing that is sound."""


class Timer(Protocol):
    """A pending call; ``cancel`` makes it never happen."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` on the running event loop after ``seconds``."""
        ...


class SystemClock:
    """The machine's own clock."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), callback)


class _VirtualTimer:
    __slots__ = ("callback",)

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualClock:
    """A clock that stands still until :meth:`advance` moves it, running due calls in order of their time.

    ``elsewhere`` waits for work that the event loop does not see, a thread that writes to a disk, and tells whether
    there was any.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self.elsewhere: Callable[[], Awaitable[bool]] = _nothing
        self._order = itertools.count()
        self._timers: list[tuple[float, int, _VirtualTimer]] = []
        self._turn = asyncio.Lock()

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        done = asyncio.Event()
        timer = self.call_later(seconds, done.set)
        try:
            await done.wait()
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        timer = _VirtualTimer(callback)
        heapq.heappush(self._timers, (self.monotonic() + max(0.0, seconds), next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Move forward, letting the event loop settle after each due call: whoever is woken does all that can be done
        without time, and only then more of it passes."""
        async with self._turn:
            end = self.monotonic() + seconds
            await self._settle()
            while self._timers and self._timers[0][0] <= end:
                due, _, timer = heapq.heappop(self._timers)
                if timer.callback is not None:
                    self._move(due)
                    timer.callback()
                    await self._settle()
            self._move(end)

    async def settle(self) -> None:
        """Return when nothing happens any more unless time passes."""
        async with self._turn:
            await self._settle()

    def _move(self, to: float) -> None:
        self._now = max(self._now, to)

    async def _settle(self) -> None:
        for _ in range(_TURNS_MAX):
            if await _is_idle() and not await self.elsewhere():
                return


class TurnedClock(VirtualClock):
    """A clock that goes as ``real`` does, and besides can be turned forward; ``ahead`` is how far it has been.

    For clusters that people and programs watch over a network: what takes a moment takes a moment, and what takes
    hours takes a call.
    """

    def __init__(self, real: Clock, ahead: float = 0.0) -> None:
        super().__init__()
        self.real, self.ahead = real, ahead
        self._alarm: Timer | None = None
        self._rings = float("inf")

    def time(self) -> float:
        return self.real.time() + self.ahead

    def monotonic(self) -> float:
        return self.real.monotonic() + self.ahead

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        timer = super().call_later(seconds, callback)
        self._arm()
        return timer

    async def advance(self, seconds: float) -> None:
        """As any virtual clock; the time that it takes to do so passes besides."""
        ahead = self.ahead + seconds
        await super().advance(seconds)
        self.ahead = ahead
        self._arm(anew=True)

    def _move(self, to: float) -> None:
        self.ahead = max(self.ahead, to - self.real.monotonic())
        self._arm(anew=True)

    def _arm(self, *, anew: bool = False) -> None:
        """Have the real clock call when the next timer is due."""
        due = self._timers[0][0] if self._timers else float("inf")
        if not anew and due >= self._rings:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._rings = None, due
        if self._timers:
            self._alarm = self.real.call_later(due - self.monotonic(), self._ring)

    def _ring(self) -> None:
        now = self.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, timer = heapq.heappop(self._timers)
            if timer.callback is not None:
                timer.callback()
        self._arm(anew=True)


async def _nothing() -> bool:
    return False


async def _is_idle() -> bool:
    """Let every callback run that is ready; has none made another ready, twice in a row?

    asyncio has no public word for that. A loop of another make gets a number of turns instead.
    """
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    for _ in range(_IDLE_TURNS if ready is not None else _BLIND_TURNS):
        await asyncio.sleep(0)
        if ready:
            return False
    return True
