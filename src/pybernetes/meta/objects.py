"""Reading and building Kubernetes objects, which are plain JSON dicts all the way.

Rule: a dict that came out of a cache, a store or an answer is shared and never changed. ``evolve`` makes a
new object that shares everything but the path to the change.

There is no ``from __future__ import annotations`` here: it would bind the name of the function ``annotations``.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

Obj: TypeAlias = dict[str, Any]


def meta(obj: Obj) -> Obj:
    """``obj.metadata``, or an empty dict."""
    value = obj.get("metadata")
    return value if isinstance(value, dict) else {}


def name(obj: Obj) -> str:
    return str(meta(obj).get("name", ""))


def namespace(obj: Obj) -> str:
    return str(meta(obj).get("namespace", ""))


def uid(obj: Obj) -> str:
    return str(meta(obj).get("uid", ""))


def labels(obj: Obj) -> dict[str, str]:
    return meta(obj).get("labels") or {}


def annotations(obj: Obj) -> dict[str, str]:
    return meta(obj).get("annotations") or {}


def finalizers(obj: Obj) -> list[str]:
    return meta(obj).get("finalizers") or []


def owners(obj: Obj) -> list[Obj]:
    return meta(obj).get("ownerReferences") or []


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference with ``controller: true``, if any."""
    return next((o for o in owners(obj) if o.get("controller")), None)


def resource_version(obj: Obj) -> int:
    """The object's revision; 0 where it has none."""
    return int(meta(obj).get("resourceVersion") or 0)


def is_deleting(obj: Obj) -> bool:
    return bool(meta(obj).get("deletionTimestamp"))


def get(obj: Any, *path: str | int, default: Any = None) -> Any:
    """The value at ``path``, or ``default`` where a step is missing or null."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(obj, list | tuple) or step >= len(obj):
                return default
            obj = obj[step]
        else:
            if not isinstance(obj, dict):
                return default
            obj = obj.get(step)
        if obj is None:
            return default
    return obj


def evolve(obj: Obj, path: Sequence[str], value: Any) -> Obj:
    """A copy of ``obj`` with ``value`` at ``path``; only the dicts along the path are copied."""
    head, rest = path[0], path[1:]
    copy = dict(obj)
    copy[head] = evolve(copy.get(head) or {}, rest, value) if rest else value
    return copy


def without(obj: Obj, path: Sequence[str]) -> Obj:
    """A copy of ``obj`` that lacks the key at ``path``; ``obj`` itself when it has none."""
    head, rest = path[0], path[1:]
    if head not in obj:
        return obj
    copy = dict(obj)
    if rest:
        if isinstance(copy[head], dict):
            copy[head] = without(copy[head], rest)
    else:
        del copy[head]
    return copy


def owner_reference(owner: Obj, *, controller: bool = True) -> Obj:
    """An ownerReference to ``owner`` with blockOwnerDeletion, as controllers write it."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name(owner),
        "uid": uid(owner),
        "controller": controller,
        "blockOwnerDeletion": True,
    }


def condition(obj: Obj, type_: str) -> Obj | None:
    """The ``status.conditions`` entry of that type, if any."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found.get("type") == type_:
            return found  # type: ignore[no-any-return]
    return None


def condition_is(obj: Obj, type_: str, status: str = "True") -> bool:
    found = condition(obj, type_)
    return found is not None and found.get("status") == status
