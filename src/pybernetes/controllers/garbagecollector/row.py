"""The garbage collector's row: all that can be listed and watched is its input, metadata only, and whom a change wakes.

Rule: a change that touches neither owners, finalizers nor deletion wakes nobody: that is most of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Plan
from pybernetes.control.controller import Controller, Input, Key, KeysOf, Output, Snapshot
from pybernetes.controllers.garbagecollector import owners
from pybernetes.controllers.garbagecollector.owners import Graph, Owner
from pybernetes.controllers.garbagecollector.plan import of_owner
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_IGNORED: Final = ("events",)


def controller(kinds: KindTable) -> Controller:
    """The row over what ``kinds`` holds now, and over what comes and goes later."""
    graph = Graph(kinds, watched(kinds))
    always = frozenset(graph.resources)

    def more() -> Sequence[Input]:
        graph.resources[:] = watched(kinds)
        return [_input(graph, resource) for resource in graph.resources if resource not in always]

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        return of_owner(graph, snapshot, key) if isinstance(key, Owner) else ()

    return Controller(
        name="garbage-collector-controller",
        service_account="generic-garbage-collector",
        inputs=tuple(_input(graph, resource) for resource in graph.resources),
        more=more,
        outputs=(Output("*.*", ("delete", "get", "list", "patch", "update", "watch")),),
        plan=plan,
        workers=8,
    )


def _input(graph: Graph, resource: str) -> Input:
    return Input(resource, keys_of(graph, resource), metadata_only=True)


def watched(kinds: KindTable) -> list[str]:
    """All resources that can be listed, watched and deleted, each stored thing once; events own nothing."""
    needed = {"list", "watch", "delete"}
    found = (kind.resource for kind in kinds if needed <= set(kind.verbs) and not kind.storage_of)
    return list(dict.fromkeys(resource for resource in found if resource not in _IGNORED))


def keys_of(graph: Graph, resource: str) -> KeysOf:
    """Whom a change of a ``resource`` wakes."""

    def keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        if new is None:
            return _ended(graph, snapshot, resource, old or {})
        if _is_same(old, new):
            return ()
        return dict.fromkeys([*_came(graph, snapshot, resource, new), *_waiting(graph, snapshot, old or {})])

    return keys


def _ended(graph: Graph, snapshot: Snapshot, resource: str, obj: Obj) -> Iterable[Key]:
    """An object is gone: its dependents may follow, and an owner that waited for it may go."""
    if graph.dependents(snapshot, objects.uid(obj)):
        yield owners.owner_key(resource, obj)
    yield from _waiting(graph, snapshot, obj)


def _waiting(graph: Graph, snapshot: Snapshot, before: Obj) -> Iterable[Key]:
    """Owners that wait for an object as it was before: it may block them no more."""
    for owner, found in _owners(graph, snapshot, before):
        if found is not None and owners.waits_for_dependents(found):
            yield owner


def _came(graph: Graph, snapshot: Snapshot, resource: str, obj: Obj) -> Iterable[Key]:
    """An object has come or changed: it may wait for its dependents, or its owners may be gone or wait for it."""
    if owners.waits_for_dependents(obj) or owners.orphans_dependents(obj):
        yield owners.owner_key(resource, obj)
    for owner, found in _owners(graph, snapshot, obj):
        if found is None or owners.waits_for_dependents(found):
            yield owner


def _owners(graph: Graph, snapshot: Snapshot, obj: Obj) -> Iterable[tuple[Owner, Obj | None]]:
    for reference in objects.owners(obj):
        owner = graph.owner(obj, reference)
        if owner is not None:
            yield owner, owners.find(snapshot, owner)


def _is_same(old: Obj | None, new: Obj) -> bool:
    if old is None:
        return False
    before, after = objects.meta(old), objects.meta(new)
    return all(before.get(f) == after.get(f) for f in ("deletionTimestamp", "ownerReferences", "finalizers"))
