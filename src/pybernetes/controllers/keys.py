"""From a changed object to the keys of those who care: the ways that several controllers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pybernetes.control.controller import Key, KeysOf, Snapshot
from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj


def of(obj: Obj) -> Key:
    return Key(objects.namespace(obj), objects.name(obj))


def of_controlled(resource: str, kind: str, selector: Callable[[Obj], Obj]) -> KeysOf:
    """A change wakes the object's controller of ``kind``, the one before too, and, where it has none, all whose
    ``selector`` matches, since one of them shall take it in."""

    def keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        found = [controller(snapshot, resource, kind, obj) for obj in (old, new) if obj is not None]
        if new is not None and objects.controller_of(new) is None and not objects.is_deleting(new):
            found += matching(snapshot, resource, selector, new)
        return dict.fromkeys(of(owner) for owner in found if owner is not None)

    return keys


def controller(snapshot: Snapshot, resource: str, kind: str, obj: Obj) -> Obj | None:
    """The object of ``kind`` that controls ``obj``, if it is still there and still the same."""
    reference = objects.controller_of(obj)
    if reference is None or reference.get("kind") != kind:
        return None
    found = snapshot.get(resource, objects.namespace(obj), reference["name"])
    return found if found is not None and objects.uid(found) == reference.get("uid") else None


def matching(snapshot: Snapshot, resource: str, selector: Callable[[Obj], Obj], obj: Obj) -> list[Obj]:
    """Objects of ``resource`` in the namespace of ``obj`` whose selector matches it; an empty one matches nothing."""
    labels = objects.labels(obj)
    if not labels:
        return []
    return [
        owner
        for owner in snapshot.list(resource, objects.namespace(obj))
        if (matcher := selectors.from_label_selector(selector(owner))) and matcher.matches(labels)
    ]
