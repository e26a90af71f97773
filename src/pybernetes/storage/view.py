"""The store's state as this process sees it: live records, recent history and who watches. Synchronous.

A store that lives in this process keeps one and publishes durable steps into it; the watch cache uses that one, or
follows a store elsewhere with one of its own. Everything here runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from pybernetes.lib.clock import Clock
from pybernetes.storage.feed import Feed, Subscription
from pybernetes.storage.history import History, Retention, Step
from pybernetes.storage.index import Index
from pybernetes.storage.port import Compacted, FutureRevision, Page, Record


class View:
    def __init__(self, clock: Clock, retention: Retention | None = None) -> None:
        self.revision = 0
        self._clock = clock
        self._retention = retention or Retention()
        self._index = Index()
        self._history = History(self._retention)
        self._feed = Feed()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def oldest(self) -> int:
        """The earliest revision that can still be read, and watched from."""
        return self._history.oldest

    def get(self, key: str, revision: int = 0) -> Record | None:
        """The record (at ``revision``). Raises Compacted or FutureRevision."""
        if not revision or revision == self.revision:
            return self._index.get(key)
        self._check(revision)
        was = self._history.before(revision, key)
        return was[key] if key in was else self._index.get(key)

    def list(self, prefix: str) -> tuple[Sequence[Record], int]:
        """All records under ``prefix`` in key order, and the revision they are of."""
        return self._index.records(self._index.keys(prefix)), self.revision

    def page(self, prefix: str, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        """As ``Store.list``. Raises Compacted or FutureRevision."""
        revision = revision or self.revision
        self._check(revision)
        was = self._history.before(revision, prefix) if revision < self.revision else {}
        keys = self._index.keys(prefix, after)
        if was:
            keys = _keys_before(keys, was, after)
        shown = keys[:limit] if limit else keys
        if was:
            records = [r for key in shown if (r := was[key] if key in was else self._index.get(key)) is not None]
        else:
            records = self._index.records(shown)
        return Page(records, revision, len(keys) - len(shown))

    def subscribe(self, prefix: str, after: int) -> Subscription:
        """Changes under ``prefix`` after a revision, for ever. Raises Compacted or FutureRevision at once."""
        self._check(after)
        subscription = Subscription(prefix, after, lambda: self.revision, self._feed.remove)
        missed = [s.change for s in self._history.since(after) if s.change.key.startswith(prefix)]
        self._feed.add(subscription)
        if missed:
            subscription.push(missed)
        return subscription

    def restore(self, records: Iterable[Record], steps: Sequence[Step], *, oldest: int, revision: int) -> None:
        """Begin (again) with a known state and past; whoever watched is told that what it relied on is gone."""
        self._index = Index()
        self._index.fill(records)
        self._history = History(self._retention, oldest)
        self._history.extend(steps, self._clock.monotonic())
        self.revision = revision
        self._feed.drop_all(Compacted(oldest - 1, oldest))
        self._tell_waiting()

    def apply(self, steps: Sequence[Step]) -> Sequence[Step]:
        """Publish steps in order of their revision; the steps that fell out of history by it."""
        index = self._index
        for step in steps:
            if step.after is not None:
                index.put(step.after)
            else:
                index.remove(step.change.key)
        now = self._clock.monotonic()
        self._history.extend(steps, now)
        self.revision = steps[-1].change.revision
        self._feed.publish([step.change for step in steps])
        if self._waiting:
            self._tell_waiting()
        return self.forget(self._history.excess(now))

    def forget(self, revision: int) -> Sequence[Step]:
        """Compact: drop history up to and including ``revision`` and hand its steps over."""
        return self._history.forget(min(revision, self.revision)) if revision > self.oldest else ()

    def reached(self, revision: int) -> asyncio.Future[None]:
        """Done when the view is at ``revision`` or beyond."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if revision <= self.revision:
            future.set_result(None)
        else:
            self._waiting.append((revision, future))
        return future

    def _tell_waiting(self) -> None:
        for revision, future in self._waiting:
            if revision <= self.revision and not future.done():
                future.set_result(None)
        self._waiting = [(r, f) for r, f in self._waiting if not f.done()]

    def _check(self, revision: int) -> None:
        if revision < self._history.oldest:
            raise Compacted(revision, self._history.oldest)
        if revision > self.revision:
            raise FutureRevision(revision, self.revision)


def _keys_before(keys: Sequence[str], was: dict[str, Record | None], after: str) -> list[str]:
    """Keys as they were: those created since are left out, those deleted since come back."""
    back = [key for key, record in was.items() if record is not None and key > after]
    return sorted({key for key in keys if key not in was}.union(back))
