"""What this package needs of ``control.runner.Manager``: a cache per resource that tells of changes.

Rule: a subscriber hears of changes in batches; :func:`follow` also hands it what was there before it came, so that it
may miss nothing. Being told of the same object twice does no harm to anyone here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pybernetes.meta.objects import Obj
from pybernetes.network.index import Delta


class Cache(Protocol):
    def list(self) -> Sequence[Obj]: ...


class Informer(Protocol):
    @property
    def cache(self) -> Cache: ...

    def subscribe(self, callback: Callable[[Sequence[Delta]], Any]) -> Any: ...

    async def synced(self) -> Any: ...


class Manager(Protocol):
    def informer(self, resource: str, *, fields: str = "") -> Informer: ...


async def follow(
    manager: Manager, resource: str, callback: Callable[[Sequence[Delta]], Any], *, fields: str = ""
) -> None:
    """Feed ``callback`` with all that is there and all that changes; returns when it knows all that is there."""
    informer = manager.informer(resource, fields=fields)
    informer.subscribe(callback)
    await informer.synced()
    callback([(None, obj) for obj in informer.cache.list()])
