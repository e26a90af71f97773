"""Handing changes to those who watch, found by what they watch instead of by asking each.

A subscription is filed under the directory part of its prefix; a change looks up its own few directories.
Rule: a subscription holds at most ``BACKLOG`` changes. Whoever falls further behind is dropped and told by
``Compacted``, as a watcher is whose history is gone: it lists again and starts anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from pybernetes.storage.port import Change, Compacted

BACKLOG: Final = 20_000


class Subscription:
    """An endless async iterator of batches: everything that came since the last turn, in order. ``close`` ends it."""

    def __init__(self, prefix: str, after: int, current: Callable[[], int], leave: Callable[[Subscription], None]):
        self.prefix = prefix
        self._revision = after
        self._current = current
        self._leave = leave
        self._pending: list[Change] = []
        self._waiter: asyncio.Future[None] | None = None
        self._dropped: Compacted | None = None
        self._closed = self._nudged = False

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Sequence[Change]:
        while not self._pending:
            if self._dropped is not None:
                raise self._dropped
            if self._closed:
                raise StopAsyncIteration
            if self._nudged:
                self._nudged = False
                return ()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        batch, self._pending, self._nudged = self._pending, [], False
        self._revision = batch[-1].revision
        return batch

    @property
    def revision(self) -> int:
        """Up to here everything has been handed out: what a bookmark may say."""
        return self._revision if self._pending or self._dropped else self._current()

    def push(self, changes: Sequence[Change]) -> None:
        """Add changes that match; for ``Feed`` and ``View``."""
        if len(self._pending) + len(changes) > BACKLOG:
            self.drop(Compacted(self._revision, changes[-1].revision))
        else:
            self._pending.extend(changes)
            self._wake()

    def drop(self, told: Compacted) -> None:
        """Forget what is pending and end the iteration with ``told``."""
        self._dropped, self._pending = told, []
        self._leave(self)
        self._wake()

    def nudge(self) -> None:
        """Hand out a batch now, an empty one if nothing is pending: its reader has something of its own to do."""
        self._nudged = True
        self._wake()

    def close(self) -> None:
        """End the iteration, after what is still pending."""
        self._closed = True
        self._leave(self)
        self._wake()

    async def aclose(self) -> None:
        self.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Feed:
    """Who watches what."""

    def __init__(self) -> None:
        self._by_directory: dict[str, dict[str, set[Subscription]]] = {}

    def add(self, subscription: Subscription) -> None:
        prefix = subscription.prefix
        directory = prefix[: prefix.rfind("/") + 1]
        self._by_directory.setdefault(directory, {}).setdefault(prefix, set()).add(subscription)

    def remove(self, subscription: Subscription) -> None:
        prefix = subscription.prefix
        directory = prefix[: prefix.rfind("/") + 1]
        prefixes = self._by_directory.get(directory, {})
        members = prefixes.get(prefix, set())
        members.discard(subscription)
        if not members:
            prefixes.pop(prefix, None)
        if not prefixes:
            self._by_directory.pop(directory, None)

    def drop_all(self, told: Compacted) -> None:
        """End every subscription with ``told``: the past they rely on is gone."""
        for prefixes in tuple(self._by_directory.values()):
            for members in tuple(prefixes.values()):
                for subscription in tuple(members):
                    subscription.drop(told)

    def publish(self, changes: Sequence[Change]) -> None:
        """Hand each subscription the changes under its prefix, all at once."""
        matched: dict[str, list[Change]] = {}
        for change in changes:
            for prefix in self._prefixes(change.key):
                matched.setdefault(prefix, []).append(change)
        for prefix, found in matched.items():
            directory = prefix[: prefix.rfind("/") + 1]
            for subscription in tuple(self._by_directory[directory][prefix]):
                subscription.push(found)

    def _prefixes(self, key: str) -> list[str]:
        """The watched prefixes that ``key`` starts with."""
        found: list[str] = []
        end = 0
        while True:
            watched = self._by_directory.get(key[:end])
            if watched is not None:
                found += [prefix for prefix in watched if len(prefix) == end or key.startswith(prefix)]
            end = key.find("/", end) + 1
            if end == 0:
                return found
