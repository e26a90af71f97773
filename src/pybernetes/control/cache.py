"""The objects of one resource as last seen, with indexes: what every plan and every follower reads.

Rule 1: objects are shared and never changed. A change replaces an object; whoever holds the old one keeps it whole.
Rule 2: an index costs nothing until somebody asks by it; from then on each change keeps it true.
Neighbours: ``reflector.py`` feeds it, ``informer.py`` tells of its changes, ``snapshot.py`` reads many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector

Delta: TypeAlias = tuple[Obj | None, Obj | None]
"""(old, new): ``old`` is None for an addition, ``new`` is None for a deletion."""
IndexKeys: TypeAlias = Callable[[Obj], Iterable[Hashable]]
Name: TypeAlias = tuple[str, str]
"""(namespace, name)"""

_EXACT: Final = ("=", "==", "in")


def _namespaces(obj: Obj) -> Iterable[Hashable]:
    return (objects.namespace(obj),)


def _owners(obj: Obj) -> Iterable[Hashable]:
    return {reference.get("uid", "") for reference in objects.owners(obj)}


def _labels(obj: Obj) -> Iterable[Hashable]:
    namespace = objects.namespace(obj)
    return [(namespace, key, value) for key, value in objects.labels(obj).items()]


class _Index:
    __slots__ = ("entries", "keys")

    def __init__(self, keys: IndexKeys) -> None:
        self.keys = keys
        self.entries: dict[Hashable, dict[Name, Obj]] = {}

    def put(self, name: Name, obj: Obj) -> None:
        for key in self.keys(obj):
            self.entries.setdefault(key, {})[name] = obj

    def drop(self, name: Name, obj: Obj) -> None:
        for key in self.keys(obj):
            entry = self.entries.get(key)
            if entry is not None:
                entry.pop(name, None)
                if not entry:
                    del self.entries[key]


class Cache:
    """``version`` is the revision up to which the cache has seen its resource."""

    def __init__(self) -> None:
        self.version = 0
        self._objects: dict[Name, Obj] = {}
        self._indexes: dict[IndexKeys, _Index] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str, name: str) -> Obj | None:
        return self._objects.get((namespace, name))

    def list(self, namespace: str | None = None) -> Sequence[Obj]:
        """All objects (of one namespace)."""
        if namespace is None:
            return list(self._objects.values())
        return self.indexed(_namespaces, namespace)

    def owned(self, uid: str) -> Sequence[Obj]:
        """Objects with an ownerReference to ``uid``."""
        return self.indexed(_owners, uid)

    def select(self, namespace: str, selector: LabelSelector) -> Sequence[Obj]:
        """Objects of a namespace whose labels match."""
        if selector.nothing:
            return ()
        exact = next((r for r in selector.requirements if r.op in _EXACT and len(r.values) == 1), None)
        if exact is None:
            found = self.list(namespace)
        else:
            found = self.indexed(_labels, (namespace, exact.key, exact.values[0]))
        return [obj for obj in found if selector.matches(objects.labels(obj))]

    def indexed(self, keys: IndexKeys, key: Hashable) -> Sequence[Obj]:
        """Objects of which ``keys`` (a function that stays the same) tells ``key``: any index a component needs."""
        index = self._indexes.get(keys)
        if index is None:
            index = self._indexes[keys] = _Index(keys)
            for name, obj in self._objects.items():
                index.put(name, obj)
        return list(index.entries.get(key, {}).values())

    def put(self, obj: Obj) -> Delta:
        """Add or replace one object."""
        name = _name(obj)
        old = self._objects.get(name)
        self._objects[name] = obj
        for index in self._indexes.values():
            if old is not None:
                index.drop(name, old)
            index.put(name, obj)
        return old, obj

    def drop(self, obj: Obj) -> Delta | None:
        """Take one object away; the last state of it counts as the old one. None if it was not there."""
        name = _name(obj)
        old = self._objects.pop(name, None)
        if old is None:
            return None
        for index in self._indexes.values():
            index.drop(name, old)
        return obj, None

    def replace(self, found: Sequence[Obj]) -> Sequence[Delta]:
        """Hold exactly ``found``; answers what that changed."""
        there = {_name(obj): objects.meta(obj).get("uid") for obj in found}
        gone = [obj for name, obj in self._objects.items() if there.get(name, "") != objects.meta(obj).get("uid")]
        deltas = [delta for obj in gone if (delta := self.drop(obj))]
        return [*deltas, *(self.put(obj) for obj in found if not self._holds(obj))]

    def _holds(self, obj: Obj) -> bool:
        old = self._objects.get(_name(obj))
        return old is not None and objects.resource_version(old) == objects.resource_version(obj) > 0


def _name(obj: Obj) -> Name:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
