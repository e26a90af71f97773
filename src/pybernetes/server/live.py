"""Objects that the chain itself needs (namespaces, service accounts, priority classes …), out of the watch cache.

Rule: an object is decoded once per revision and then shared; whoever asks pays a dictionary's look-up.
Neighbours: ``authn``, ``authz`` and ``admission`` read through this; the registry serves clients from bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import deadline
from pybernetes.meta.objects import Obj
from pybernetes.storage import codec
from pybernetes.storage.port import Record
from pybernetes.storage.watchcache import WatchCache

_KEPT: Final = 4096


class Live:
    """Reads of the present state, synchronous."""

    def __init__(self, cache: WatchCache) -> None:
        self.cache = cache
        self._kept: dict[str, tuple[int, Obj]] = {}

    def get(self, group: str, plural: str, namespace: str, name: str) -> Obj | None:
        """The object, shared, or None. ``namespace`` is empty for cluster-scoped kinds."""
        record = self.cache.get(codec.key(group, plural, namespace, name))
        return None if record is None else self._decoded(record)

    def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Obj]:
        """All objects of a resource (in one namespace), shared."""
        records, _ = self.cache.list(codec.prefix(group, plural, namespace))
        return [self._decoded(record) for record in records]

    async def appearance(self, key: str, clock: Clock, seconds: float) -> None:
        """Return when an object lies under ``key``, or after ``seconds``."""
        changes = self.cache.subscribe(key, self.cache.revision)
        try:
            async with deadline(clock, seconds):
                async for _ in changes:
                    if self.cache.get(key) is not None:
                        return
        except TimeoutError:
            return
        finally:
            changes.close()

    def _decoded(self, record: Record) -> Obj:
        kept = self._kept.get(record.key)
        if kept is not None and kept[0] == record.revision:
            return kept[1]
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        obj = codec.decode_record(record)
        self._kept[record.key] = (record.revision, obj)
        return obj
