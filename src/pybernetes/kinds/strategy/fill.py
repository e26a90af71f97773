"""Setting defaults, with Go's two ideas of "not set".

``absent`` is for fields that upstream declares as pointers: only a missing field (or null) gets the default, so
``replicas: 0`` stays. ``zero`` is for plain fields: the empty string, 0 and false count as not set too.
"""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj


def absent(obj: Obj, key: str, value: Any) -> None:
    """Set ``obj[key]`` where it is missing. A mutable ``value`` belongs to the object afterwards."""
    if obj.get(key) is None:
        obj[key] = value


def zero(obj: Obj, key: str, value: Any) -> None:
    """Set ``obj[key]`` where it is missing or zero."""
    if not obj.get(key):
        obj[key] = value


def all_zero(obj: Obj, **values: Any) -> None:
    """``zero`` for several keys."""
    for key, value in values.items():
        zero(obj, key, value)


def all_absent(obj: Obj, **values: Any) -> None:
    """``absent`` for several keys."""
    for key, value in values.items():
        absent(obj, key, value)


def child(obj: Obj, key: str) -> Obj:
    """The dict at ``key``, made where it is missing."""
    found = obj.get(key)
    if found is None:
        found = obj[key] = {}
    made: Obj = found
    return made


def drop(obj: Obj, *keys: str) -> None:
    """Take away what a client may not choose."""
    for key in keys:
        obj.pop(key, None)
