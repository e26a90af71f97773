"""What becomes of one dependent, by how its owners stand (garbagecollector.attemptToDeleteItem).

Rule 1: an owner that lives on keeps it; the references to owners that are gone or wait for it are taken away.
Rule 2: without such an owner it is deleted: in the foreground where an owner waits for it and it has dependents of its
        own, else as its own finalizers say, else in the background.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pybernetes.control.actions import Action, Delete, Patch
from pybernetes.control.controller import Snapshot
from pybernetes.controllers.garbagecollector import owners
from pybernetes.controllers.garbagecollector.owners import Graph, Owner
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

Standing: TypeAlias = Literal["solid", "waiting", "gone"]
Found: TypeAlias = Mapping[Owner, Standing]
"""What the API said of owners that no cache knows."""
Policy: TypeAlias = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True, slots=True)
class Dependents:
    """Decides by the caches and by what the API ``found``."""

    graph: Graph
    snapshot: Snapshot
    found: Found

    def decide(self, resource: str, obj: Obj) -> Iterable[Action]:
        if objects.is_deleting(obj):
            return self._unblock(obj)
        standing = {reference.get("uid", ""): self._standing(obj, reference) for reference in objects.owners(obj)}
        if "solid" in standing.values():
            lost = [uid for uid, how in standing.items() if how != "solid"]
            return (release(resource, obj, lost),) if lost else ()
        if "waiting" in standing.values() and self.graph.dependents(self.snapshot, objects.uid(obj)):
            return (*self._unblock(obj), delete(resource, obj, "Foreground"))
        return (delete(resource, obj, policy(obj)),)

    def _standing(self, obj: Obj, reference: Obj) -> Standing:
        owner = self.graph.owner(obj, reference)
        if owner is None:
            return "solid"
        known = owners.find(self.snapshot, owner)
        return standing(known) if known is not None else self.found.get(owner, "solid")

    def _unblock(self, obj: Obj) -> Iterable[Action]:
        """Owners in a circle would wait for each other for ever: one that waits itself blocks nobody."""
        for resource, below in self.graph.dependents(self.snapshot, objects.uid(obj)):
            if owners.waits_for_dependents(below) and _blocks(obj, below):
                yield unblock(resource, below, objects.uid(obj))


def standing(owner: Obj) -> Standing:
    """Of an owner that exists."""
    return "waiting" if owners.waits_for_dependents(owner) else "solid"


def policy(obj: Obj) -> Policy:
    """How an object shall be deleted by its own finalizers."""
    if owners.ORPHAN in objects.finalizers(obj):
        return "Orphan"
    return "Foreground" if owners.FOREGROUND in objects.finalizers(obj) else "Background"


def delete(resource: str, obj: Obj, propagation: Policy) -> Delete:
    """Delete it if it still is as it was seen."""
    return Delete(
        resource, objects.namespace(obj), objects.name(obj), uid=objects.uid(obj),
        resource_version=str(objects.meta(obj).get("resourceVersion", "")), propagation=propagation,
    )  # fmt: skip


def release(resource: str, obj: Obj, uids: Iterable[str]) -> Patch:
    """Take references to owners away."""
    gone = set(uids)
    return _patch(resource, obj, [r for r in objects.owners(obj) if r.get("uid") not in gone])


def unblock(resource: str, obj: Obj, uid: str) -> Patch:
    """Let the owner ``uid`` go without waiting for this object."""
    return _patch(
        resource, obj,
        [{**r, "blockOwnerDeletion": False} if r.get("uid") == uid else r for r in objects.owners(obj)],
    )  # fmt: skip


def _patch(resource: str, obj: Obj, references: list[Obj]) -> Patch:
    """A merge patch that fails when the object has changed: it serves custom resources too."""
    metadata = objects.meta(obj)
    change = {
        "uid": metadata.get("uid"), "resourceVersion": metadata.get("resourceVersion"),
        "ownerReferences": references or None,
    }  # fmt: skip
    return Patch(resource, objects.namespace(obj), objects.name(obj), {"metadata": change}, ok_if_missing=True)


def _blocks(owner: Obj, dependent: Obj) -> bool:
    uid = objects.uid(owner)
    return any(r.get("uid") == uid and r.get("blockOwnerDeletion") for r in objects.owners(dependent))
