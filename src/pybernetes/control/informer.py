"""One resource, kept in a cache and told to all who care: lists and watches once, however many follow.

Rule 1: a subscriber gets batches of (old, new), after the cache has taken in the whole batch, in one turn of the loop.
Rule 2: whoever subscribes before the first list hears of everything; who comes later is told at once what is there.
Rule 3: every cached object carries apiVersion and kind, though the items of a list come without.
Neighbours: ``reflector.py`` feeds it, ``runner.py`` shares one per resource.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from pybernetes.control.cache import Cache, Delta
from pybernetes.kinds.kind import Kind
from pybernetes.lib import log
from pybernetes.meta.objects import Obj

Callback: TypeAlias = Callable[[Sequence[Delta]], Any]

_KEPT: Final = ("name", "namespace", "uid", "resourceVersion", "ownerReferences", "finalizers", "deletionTimestamp")

_log = log.Log("control.informer")


class Informer:
    """``metadata_only``: keep of each object just what tells who it is and whose."""

    def __init__(self, kind: Kind, *, metadata_only: bool = False) -> None:
        self.cache = Cache()
        self._head: Obj = {"apiVersion": kind.api_version, "kind": kind.kind}
        self._resource = kind.resource
        self._metadata_only = metadata_only
        self._subscribers: list[Callback] = []
        self._synced = asyncio.Event()

    @property
    def has_synced(self) -> bool:
        """Has the first list come?"""
        return self._synced.is_set()

    async def synced(self) -> None:
        """Return when the first list is in the cache and has been told."""
        await self._synced.wait()

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call ``callback`` with every batch; answers how to end that."""
        self._subscribers.append(callback)
        if self.has_synced and len(self.cache):
            callback([(None, obj) for obj in self.cache.list()])
        return lambda: self._subscribers.remove(callback)

    def replaced(self, found: Sequence[Obj], version: int) -> None:
        """See ``reflector.Target``."""
        deltas = self.cache.replace([self._kept(obj) for obj in found])
        self.cache.version = max(self.cache.version, version)
        self._tell(deltas)
        self._synced.set()

    def changed(self, events: Sequence[tuple[str, Obj]], version: int) -> None:
        """See ``reflector.Target``."""
        deltas: list[Delta] = []
        for kind, obj in events:
            if kind == "DELETED":
                if delta := self.cache.drop(self._kept(obj)):
                    deltas.append(delta)
            elif kind != "BOOKMARK":
                deltas.append(self.cache.put(self._kept(obj)))
        self.cache.version = max(self.cache.version, version)
        self._tell(deltas)

    def _kept(self, obj: Obj) -> Obj:
        if self._metadata_only:
            metadata = obj["metadata"]
            return {**self._head, "metadata": {key: metadata[key] for key in _KEPT if key in metadata}}
        return obj if "kind" in obj and "apiVersion" in obj else {**self._head, **obj}

    def _tell(self, deltas: Sequence[Delta]) -> None:
        if not deltas:
            return
        for callback in tuple(self._subscribers):
            try:
                callback(deltas)
            except Exception as error:  # one follower's fault must not stop the others
                _log.error("a follower failed on a change", error, resource=self._resource)
