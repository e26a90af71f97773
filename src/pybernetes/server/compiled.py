"""What is made of all objects of a resource, made again only after one of them has changed.

Theory of operation. A subscription covers the resource and nothing runs beside the requests: ``current`` looks whether
something has come since the last question, so what it answers counts every write that was acknowledged before, and
where nothing has changed it costs a comparison.
Neighbours: ``live.py`` reads single objects; ``admission/`` asks for limits, quotas, webhooks and policies this way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.storage import codec
from pybernetes.storage.feed import Subscription
from pybernetes.storage.port import Compacted
from pybernetes.storage.watchcache import WatchCache

T = TypeVar("T")


class Following:
    """The records under a prefix as told to whoever asks: ``begin()``, and then ``put(key, value, revision)`` for each
    that is there or changes; ``value`` is None for one that is gone."""

    def __init__(
        self, cache: WatchCache, prefix: str, begin: Callable[[], None], put: Callable[[str, bytes | None, int], None]
    ) -> None:
        self._cache, self._prefix = cache, prefix
        self._begin, self._put = begin, put
        self._changes: Subscription | None = None

    @property
    def is_current(self) -> bool:
        """Has everything been told that was written up to now?"""
        return self._changes is not None and self._changes.revision == self._cache.revision

    async def take_in(self) -> None:
        """Tell what has come. What is pending is handed over without waiting, so nobody comes in between."""
        if self._changes is None:
            self._fill()
        try:
            while self._changes is not None and not self.is_current:
                for change in await anext(self._changes):
                    self._put(change.key, change.value, change.revision)
        except Compacted:
            self._fill()

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None

    def _fill(self) -> None:
        records, revision = self._cache.list(self._prefix)
        self._changes = self._cache.subscribe(self._prefix, revision)
        self._begin()
        for record in records:
            self._put(record.key, record.value, record.revision)


class Compiled(Generic[T]):
    """``make`` gets all objects of ``group``/``plural`` in order of their keys; they are shared."""

    def __init__(self, cache: WatchCache, group: str, plural: str, make: Callable[[Sequence[Obj]], T]) -> None:
        self._make = make
        self._found: dict[str, Obj] = {}
        self._following = Following(cache, codec.prefix(group, plural), self._found.clear, self._put)
        self._made: T

    async def current(self) -> T:
        """What ``make`` makes of the objects as they are now; returns without waiting."""
        if not self._following.is_current:
            await self._following.take_in()
            self._made = self._make([self._found[key] for key in sorted(self._found)])
        return self._made

    def _put(self, key: str, value: bytes | None, revision: int) -> None:
        if value is None:
            self._found.pop(key, None)
        else:
            self._found[key] = codec.decode(value, revision)


def by_namespace(found: Sequence[Obj]) -> dict[str, list[Obj]]:
    """For ``make``: the objects of each namespace."""
    grouped: dict[str, list[Obj]] = {}
    for obj in found:
        grouped.setdefault(objects.namespace(obj), []).append(obj)
    return grouped
