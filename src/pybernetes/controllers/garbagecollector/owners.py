"""Owner references read: which object of which resource they mean, and how that one stands.

Rule: an owner of a namespaced kind is looked for in the dependent's own namespace and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.control.controller import Key, Snapshot
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

FOREGROUND: Final = "foregroundDeletion"
ORPHAN: Final = "orphan"


@dataclass(frozen=True, slots=True, order=True)
class Owner(Key):
    """An object that owns others, or is said to."""

    resource: str = ""
    uid: str = ""


def owner_key(resource: str, obj: Obj) -> Owner:
    return Owner(objects.namespace(obj), objects.name(obj), resource, objects.uid(obj))


@dataclass(frozen=True, slots=True)
class Graph:
    """The caches as a graph: ``resources`` are those that are watched, and change with the kinds."""

    kinds: KindTable
    resources: list[str]

    def owner(self, dependent: Obj, reference: Obj) -> Owner | None:
        """Whom a reference means; None where nobody can tell (an unknown kind, or a kind that lives in a namespace
        named by something that does not): such an owner is never taken for gone."""
        kind = self.kind(reference)
        if kind is None or kind.resource not in self.resources:
            return None
        namespace = objects.namespace(dependent) if kind.namespaced else ""
        if kind.namespaced and not namespace:
            return None
        return Owner(namespace, str(reference.get("name", "")), kind.resource, str(reference.get("uid", "")))

    def kind(self, reference: Obj) -> Kind | None:
        group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
        found = self.kinds.by_kind(group, version, str(reference.get("kind", "")))
        return self.kinds.stored(found) if found is not None else None

    def dependents(self, snapshot: Snapshot, uid: str) -> Sequence[tuple[str, Obj]]:
        """(resource, object) of all that name this owner, resource by resource."""
        return [(resource, obj) for resource in self.resources for obj in snapshot.owned(resource, uid)]


def find(snapshot: Snapshot, owner: Owner) -> Obj | None:
    """The very owner, as far as the caches know."""
    found = snapshot.get(owner.resource, owner.namespace, owner.name)
    return found if is_it(found, owner) else None


def is_it(found: Obj | None, owner: Owner) -> bool:
    return found is not None and objects.uid(found) == owner.uid


def waits_for_dependents(owner: Obj) -> bool:
    """Is it being deleted in the foreground?"""
    return objects.is_deleting(owner) and FOREGROUND in objects.finalizers(owner)


def orphans_dependents(owner: Obj) -> bool:
    """Is it being deleted and shall its dependents live on?"""
    return objects.is_deleting(owner) and ORPHAN in objects.finalizers(owner)
