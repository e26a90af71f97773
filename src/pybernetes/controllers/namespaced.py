"""What must be in every active namespace: the keys of the controllers that put it there."""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.control.controller import Key, KeysOf, Snapshot
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def is_active(snapshot: Snapshot, name: str) -> bool:
    """Is the namespace there and not on its way out?"""
    namespace = snapshot.get("namespaces", "", name)
    return namespace is not None and objects.get(namespace, "status", "phase", default="Active") == "Active"


def keys_of(wanted: str) -> KeysOf:
    """A change of the object named ``wanted`` wakes its namespace; other names wake nobody."""

    def keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        obj = new or old or {}
        return (Key("", objects.namespace(obj)),) if objects.name(obj) == wanted else ()

    return keys
