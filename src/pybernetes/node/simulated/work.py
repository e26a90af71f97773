"""Items to be worked off by few hands: each waits once, and no two hands hold the same one.

Rule: while there is nothing to do there is no task; an item that is added while it is in hand is done once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from pybernetes.lib.tasks import Tasks

T = TypeVar("T", bound=Hashable)


class Work(Generic[T]):
    """``perform`` does one item; at most ``width`` at a time."""

    def __init__(self, name: str, tasks: Tasks, perform: Callable[[T], Awaitable[None]], width: int = 64) -> None:
        self._name, self._tasks, self._perform, self._width = name, tasks, perform, width
        self._waiting: dict[T, None] = {}
        self._in_hand: set[T] = set()
        self._again: set[T] = set()
        self._hands = 0
        self._finished = asyncio.Event()

    async def done(self) -> None:
        """Return when nothing waits and nothing is in hand."""
        while self._waiting or self._in_hand:
            self._finished.clear()
            await self._finished.wait()

    def add(self, item: T) -> None:
        if item in self._in_hand:
            self._again.add(item)
            return
        self._waiting[item] = None
        self._man()

    def _man(self) -> None:
        if self._hands < min(self._width, len(self._waiting)):
            self._hands += 1
            self._tasks.start(self._hand(), self._name)

    async def _hand(self) -> None:
        try:
            while self._waiting:
                item = next(iter(self._waiting))
                del self._waiting[item]
                await self._do(item)
        except Exception:
            self._hands -= 1
            self._man()  # what else waits is not to suffer
            raise
        else:
            self._hands -= 1
        finally:
            self._finished.set()

    async def _do(self, item: T) -> None:
        self._in_hand.add(item)
        try:
            await self._perform(item)
        finally:
            self._in_hand.discard(item)
            if item in self._again:
                self._again.discard(item)
                self._waiting[item] = None
