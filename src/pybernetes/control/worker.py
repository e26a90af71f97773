"""One controller at work: changes become keys, keys plans, plans writes.

Rule 1: a key is planned by one worker at a time, and again only when the caches have seen what its plan wrote.
Rule 2: a conflict, or an object that went meanwhile, puts the key back quietly: the next plan knows better. Any other
        failure is logged when it is the key's first in a row, and puts the key back likewise, later and later.
Neighbours: ``controller.py`` is the row, ``queue.py``, ``perform.py``, ``expectations.py`` do the parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

from pybernetes.client.client import Client
from pybernetes.control.cache import Delta
from pybernetes.control.controller import Controller, Input, Key
from pybernetes.control.events import Recorder
from pybernetes.control.expectations import Expectations, Written
from pybernetes.control.informer import Informer
from pybernetes.control.perform import Performer
from pybernetes.control.queue import Queue
from pybernetes.control.snapshot import CacheSnapshot
from pybernetes.lib import log
from pybernetes.lib.clock import Clock, Timer
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors

BREATH: Final = 16
"""Keys in a row after which others get their turn: neither a plan nor a write in process need wait for anything."""

_log = log.Log("control.worker")
_QUIET: Final = (errors.Conflict, errors.NotFound, errors.ServiceUnavailable)


class Worker:
    """``followed`` are the controller's inputs with their informers."""

    def __init__(
        self, controller: Controller, followed: Sequence[tuple[Input, Informer]], client: Client, clock: Clock
    ) -> None:
        self.controller = controller
        self._followed, self._clock = followed, clock
        self._caches = {row.resource: informer.cache for row, informer in followed}
        self._snapshot = CacheSnapshot(self._caches)
        self._expectations: Expectations[Key] = Expectations(self._caches, clock)
        self._more: dict[str, Callable[[], None]] = {}
        self._queue: Queue[Key] = Queue(clock)
        self._recorder = Recorder(client, clock, controller.name)
        self._performer = Performer(client, self._recorder)
        self._tasks = Tasks()
        self._ends: list[Any] = []
        self._resync: Timer | None = None

    async def start(self) -> None:
        """Return when all inputs are known and the work has begun."""
        for _, informer in self._followed:
            await informer.synced()
        for row, informer in self._followed:
            self._ends.append(informer.subscribe(self._follower(row)))
        for number in range(self.controller.workers):
            self._tasks.start(self._work(), f"{self.controller.name} {number}")
        self._resync_later()

    @property
    def more(self) -> Collection[str]:
        """The resources that have been taken up since the start."""
        return self._more

    def follow(self, row: Input, informer: Informer) -> None:
        """Take up one more input: its cache can be read from now on, and its changes wake keys."""
        self._caches[row.resource] = informer.cache
        self._more[row.resource] = informer.subscribe(self._follower(row))

    def unfollow(self, resource: str) -> None:
        """Let go of an input that ``follow`` took up."""
        self._more.pop(resource)()
        del self._caches[resource]

    async def stop(self) -> None:
        for resource in tuple(self._more):
            self.unfollow(resource)
        for end in self._ends:
            end()
        self._ends.clear()
        if self._resync is not None:
            self._resync.cancel()
        self._queue.close()
        await self._tasks.stop()
        await self._recorder.stop()

    def _follower(self, row: Input) -> Any:
        def follow(deltas: Sequence[Delta]) -> None:
            for old, new in deltas:
                for key in self._keys(row, old, new):
                    self._queue.add(key)
            for key in self._expectations.released(row.resource):
                self._queue.add(key)

        return follow

    def _keys(self, row: Input, old: Any, new: Any) -> Iterable[Key]:
        try:
            return tuple(row.keys(self._snapshot, old, new))
        except Exception as error:  # one odd object must not hide the others of its batch
            _log.error("cannot tell whom a change wakes", error, controller=self.controller.name, of=row.resource)
            return ()

    async def _work(self) -> None:
        while True:
            for _ in range(BREATH):
                key = await self._queue.get()
                try:
                    await self._process(key)
                finally:
                    self._queue.done(key)
            await asyncio.sleep(0)

    async def _process(self, key: Key) -> None:
        """Plan a key and carry the plan out, unless the caches have yet to see what the last plan wrote."""
        wait = self._expectations.wait_seconds(key)
        if wait > 0:
            self._queue.add_after(key, wait)
            return
        written = Written()
        try:
            plan = self.controller.plan(self._snapshot, key, self._clock.time())
            after = await self._performer.perform(plan, written)
        except Exception as error:  # a fault in one key's plan must not end the controller
            self._failed(key, error)
        else:
            self._queue.forget(key)
            if after is not None:
                self._queue.add_after(key, after)
        self._expectations.expect(key, written)

    def _failed(self, key: Key, error: Exception) -> None:
        failures = self._queue.add_failed(key)
        if isinstance(error, _QUIET) or failures > 1:
            _log.debug("trying again", controller=self.controller.name, key=key, reason=error)
        elif isinstance(error, errors.ApiError):
            _log.warning("trying again", controller=self.controller.name, key=key, reason=error.message)
        else:
            _log.error("a plan failed; trying again", error, controller=self.controller.name, key=key)

    def _resync_later(self) -> None:
        if self.controller.resync_seconds > 0:
            self._resync = self._clock.call_later(self.controller.resync_seconds, self._resync_now)

    def _resync_now(self) -> None:
        row, informer = self._followed[0]
        for obj in informer.cache.list():
            for key in self._keys(row, obj, obj):
                self._queue.add(key)
        self._resync_later()
