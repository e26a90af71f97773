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


class Compiled(Generic[T]):
    """``make`` gets all objects of ``group``/``plural`` in order of their keys; they are shared."""

    def __init__(self, cache: WatchCache, group: str, plural: str, make: Callable[[Sequence[Obj]], T]) -> None:
        self._cache, self._make = cache, make
        self._prefix = codec.prefix(group, plural)
        self._changes: Subscription | None = None
        self._found: dict[str, Obj] = {}
        self._made: T

    async def current(self) -> T:
        """What ``make`` makes of the objects as they are now; returns without waiting."""
        changes = self._changes
        if changes is None or changes.revision != self._cache.revision:
            await self._take_in()
        return self._made

    async def _take_in(self) -> None:
        if self._changes is None:
            self._fill()
        try:
            while self._changes is not None and self._changes.revision != self._cache.revision:
                for change in await anext(self._changes):
                    if change.value is None:
                        self._found.pop(change.key, None)
                    else:
                        self._found[change.key] = codec.decode(change.value, change.revision)
        except Compacted:
            self._fill()
        self._made = self._make([self._found[key] for key in sorted(self._found)])

    def _fill(self) -> None:
        records, revision = self._cache.list(self._prefix)
        self._changes = self._cache.subscribe(self._prefix, revision)
        self._found = {record.key: codec.decode_record(record) for record in records}


def by_namespace(found: Sequence[Obj]) -> dict[str, list[Obj]]:
    """For ``make``: the objects of each namespace."""
    grouped: dict[str, list[Obj]] = {}
    for obj in found:
        grouped.setdefault(objects.namespace(obj), []).append(obj)
    return grouped
