"""Background tasks that nobody loses, and deadlines by our own clock.

Rule 1: a task that fails is logged with its name and told to ``on_failure``; it never dies unseen.
Rule 2: whoever started tasks ends them: ``stop`` cancels what is left and returns when all have ended.
Neighbours: ``clock.py`` (a deadline turns with a virtual clock), ``log.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pybernetes.lib import log
from pybernetes.lib.clock import Clock

T = TypeVar("T")
_log = log.Log("tasks")


class Tasks:
    """The background tasks of one component. ``on_failure`` gets (name, error) of each one that failed."""

    def __init__(self, on_failure: Callable[[str, BaseException], None] | None = None) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._on_failure = on_failure

    def start(self, coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Run a coroutine beside its caller."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Cancel all tasks and wait for their end."""
        while running := [t for t in self._running if t is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        _log.error("a background task failed", error, task=task.get_name())
        if self._on_failure is not None:
            self._on_failure(task.get_name(), error)


@asynccontextmanager
async def deadline(clock: Clock, seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError in the body after ``seconds`` of ``clock``; 0 or less: no deadline."""
    task = asyncio.current_task()
    if seconds <= 0 or task is None:
        yield
        return
    expired = False

    def expire() -> None:
        nonlocal expired
        expired = True
        task.cancel()

    timer = clock.call_later(seconds, expire)
    try:
        yield
    except asyncio.CancelledError:
        # Only our own cancellation becomes a TimeoutError: another one, meant to end the task, goes on.
        if expired and task.uncancel() <= 0:
            raise TimeoutError(f"no end after {seconds:g} s") from None
        raise
    finally:
        timer.cancel()
