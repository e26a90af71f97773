"""What the server reads from: the whole store in this process, synchronous to ask, with the writes passed on.

Rule 1: reads and watches never touch the store. A reader that needs a certain revision waits for it.
Rule 2: a write returns when the cache has seen it, so a client reads what it wrote.
Rule 3: of a store that lives in this process the cache is that store's own view; any other one it follows, and
        where the store's history no longer reaches back to the cache it lists again and ends every watch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.storage import history
from pybernetes.storage.codec import ROOT
from pybernetes.storage.feed import Subscription
from pybernetes.storage.history import Step
from pybernetes.storage.port import Change, Compacted, FutureRevision, Mismatch, Page, Record, Store, StoreError
from pybernetes.storage.view import View
from pybernetes.storage.viewed import Viewed

_log: Final = logging.getLogger(__name__)
WAIT_SECONDS: Final = 3.0
"""How long a reader waits for a revision that has not come yet (cacher.blockTimeout)."""


class WatchCache:
    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.view = store.view if isinstance(store, Viewed) else View(clock)
        self._clock = clock
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fill the cache; afterwards it follows the store until ``stop``."""
        if not isinstance(self.store, Viewed):
            await self._relist()
            self._following = asyncio.create_task(self._follow(), name="watchcache")

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    @property
    def revision(self) -> int:
        return self.view.revision

    @property
    def oldest(self) -> int:
        """The earliest revision that can be read and watched from."""
        return self.view.oldest

    def get(self, key: str) -> Record | None:
        return self.view.get(key)

    def list(self, prefix: str) -> tuple[Sequence[Record], int]:
        """All records under ``prefix`` in key order, and the revision they are of."""
        return self.view.list(prefix)

    def page(self, prefix: str, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        """At most ``limit`` (0: all) records after key ``after`` as of ``revision`` (0: now).

        Raises Compacted where that is too long ago, FutureRevision where it has not been seen yet.
        """
        return self.view.page(prefix, after, limit, revision)

    def subscribe(self, prefix: str, after: int) -> Subscription:
        """Batches of changes after a revision; ``close`` it. Raises Compacted or FutureRevision at once,
        and Compacted out of the iteration where the reader was too slow."""
        return self.view.subscribe(prefix, after)

    async def wait_for(self, revision: int) -> None:
        """Return when the cache has seen ``revision``. Raises FutureRevision after ``WAIT_SECONDS``."""
        reached = self.view.reached(revision)
        if reached.done():
            return
        timer = self._clock.call_later(WAIT_SECONDS, reached.cancel)
        try:
            await asyncio.wait((reached,))
        finally:
            timer.cancel()
        if reached.cancelled():
            raise FutureRevision(revision, self.revision)

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        """As ``Store.write``."""
        return await self._passed_on(self.store.write(key, value, expect=expect))

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        """As ``Store.delete``."""
        return await self._passed_on(self.store.delete(key, expect=expect))

    async def _passed_on(self, change: Awaitable[int]) -> int:
        """The revision of a change; whoever is refused can read here what refused him, and try again."""
        try:
            revision = await change
        except Mismatch as refused:
            await self.wait_for(refused.actual.revision if refused.actual else self.store.revision)
            raise
        await self.wait_for(revision)
        return revision

    async def _relist(self) -> None:
        page = await self.store.list(ROOT)
        self.view.restore(page.records, (), oldest=page.revision, revision=page.revision)

    async def _follow(self) -> None:
        while True:
            try:
                async for changes in self.store.watch(ROOT, after=self.view.revision):
                    self.view.apply([_step(self.view.get(change.key), change) for change in changes])
            except Compacted:
                await self._relist_at_last()

    async def _relist_at_last(self) -> None:
        """List again, however long the store is away."""
        while True:
            try:
                return await self._relist()
            except StoreError as error:
                _log.warning("the store cannot be listed: %s", error)
                await self._clock.sleep(1)


def _step(before: Record | None, change: Change) -> Step:
    after = None if change.value is None else Record(change.key, change.value, change.revision, change.created)
    return history.Step(change, before, after)
