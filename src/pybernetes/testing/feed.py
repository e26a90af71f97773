"""Informers that a test feeds by hand: what ``control.runner.Manager`` offers to those who follow it, without a server.

Neighbours: ``network/informing.py`` says what a follower needs; ``control/runner.py`` is the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.index import Delta


class FedCache:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Obj] = {}

    def list(self) -> Sequence[Obj]:
        return list(self.objects.values())


class FedInformer:
    """One resource: ``put`` and ``remove`` tell every subscriber at once."""

    def __init__(self) -> None:
        self.cache = FedCache()
        self._callbacks: list[Callable[[Sequence[Delta]], Any]] = []

    def subscribe(self, callback: Callable[[Sequence[Delta]], Any]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    async def synced(self) -> None:
        return

    def put(self, obj: Obj) -> None:
        key = (objects.namespace(obj), objects.name(obj))
        old = self.cache.objects.get(key)
        self.cache.objects[key] = obj
        self._tell(old, obj)

    def remove(self, obj: Obj) -> None:
        self._tell(self.cache.objects.pop((objects.namespace(obj), objects.name(obj))), None)

    def _tell(self, old: Obj | None, new: Obj | None) -> None:
        for callback in self._callbacks:
            callback([(old, new)])


class Feed:
    """A manager whose informers are fed by hand."""

    def __init__(self) -> None:
        self._informers: dict[str, FedInformer] = {}

    def informer(self, resource: str, *, fields: str = "") -> FedInformer:
        """The same informer whatever ``fields`` says: a test feeds those that it has in mind."""
        return self._informers.setdefault(resource, FedInformer())
