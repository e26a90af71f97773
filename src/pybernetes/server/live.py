"""Objects that the chain itself needs (namespaces, service accounts, priority classes …), out of the watch cache.

Rule: what comes out is shared and never changed; whoever asks pays for a look-up, not for decoding.
Neighbours: ``authn`` and ``admission`` read through this; ``registry/decoded.py`` keeps what is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import deadline
from pybernetes.meta.objects import Obj
from pybernetes.server.registry.decoded import Decoded
from pybernetes.storage import codec
from pybernetes.storage.watchcache import WatchCache


class Live:
    """Reads of the present state, synchronous. ``decoded``: what is shared with the registry, if anything."""

    def __init__(self, cache: WatchCache, decoded: Decoded | None = None) -> None:
        self.cache, self._decoded = cache, decoded or Decoded()

    def get(self, group: str, plural: str, namespace: str, name: str) -> Obj | None:
        """The object, shared, or None. ``namespace`` is empty for cluster-scoped kinds."""
        record = self.cache.get(codec.key(group, plural, namespace, name))
        return None if record is None else self._decoded.record(record)

    def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Obj]:
        """All objects of a resource (in one namespace), shared."""
        records, _ = self.cache.list(codec.prefix(group, plural, namespace))
        return [self._decoded.record(record) for record in records]

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
