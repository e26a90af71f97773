"""What a path lets a client write: the object, its status, or a narrower part of it.

Rule: a door's ``prepare`` puts back whatever may not be changed through it (the strategies' PrepareForUpdate of each
registry/*/strategy.go), then ``judge`` complains about the rest.
Neighbours: ``update.py`` runs them; ``subresources.py`` says which subresource is which door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta.objects import Obj
from pybernetes.server.registry import judge
from pybernetes.server.registry.call import Call

_TYPE: Final = ("apiVersion", "kind", "metadata")
_OF_THE_WRITE: Final = ("managedFields", "resourceVersion")
_NOT_SPEC: Final = (*_TYPE, "status")


@dataclass(frozen=True, slots=True)
class Door:
    prepare: Callable[[Kind, Obj, Obj], None]
    """(row, new, old): changes ``new`` in place."""
    judge: Callable[[Call, Obj, Obj], None]
    """(call, new, old): raises Invalid."""


def _object(row: Kind, new: Obj, old: Obj) -> None:
    if row.strategy.keep_status and "status" in row.subresources:
        put(new, "status", old.get("status"))
    row.strategy.prepare_update(new, old)
    _count_generation(row, new, old)


def _count_generation(row: Kind, new: Obj, old: Obj) -> None:
    """``metadata.generation`` tells how often what is wanted has changed."""
    before = old["metadata"].get("generation")
    put(new["metadata"], "generation", before)
    strategy = row.strategy
    if strategy.has_generation and (strategy.generation or _spec_differs)(new, old):
        new["metadata"]["generation"] = (before or 0) + 1


def _spec_differs(new: Obj, old: Obj) -> bool:
    if "spec" in new or "spec" in old:
        return bool(new.get("spec") != old.get("spec"))
    return {k: v for k, v in new.items() if k not in _NOT_SPEC} != {k: v for k, v in old.items() if k not in _NOT_SPEC}


def _only(new: Obj, old: Obj, *keys: str) -> None:
    """Everything but metadata and ``keys`` as it was, and the generation too."""
    kept = {key: new[key] for key in (*_TYPE, *keys) if key in new}
    new.clear()
    new.update(kept)
    new.update((key, value) for key, value in old.items() if key not in (*_TYPE, *keys))
    put(new["metadata"], "generation", old["metadata"].get("generation"))


def _status(row: Kind, new: Obj, old: Obj) -> None:
    """Status, and of metadata what upstream lets pass; owners and, in ``apps``, labels stay as they are. Of a custom
    resource all metadata stays but who manages what."""
    _only(new, old, "status")
    if row.custom:
        told = {key: new["metadata"][key] for key in _OF_THE_WRITE if key in new["metadata"]}
        new["metadata"] = {**{k: v for k, v in old["metadata"].items() if k not in _OF_THE_WRITE}, **told}
        return
    put(new["metadata"], "ownerReferences", old["metadata"].get("ownerReferences"))
    if row.group == "apps":
        put(new["metadata"], "labels", old["metadata"].get("labels"))


def _finalize(row: Kind, new: Obj, old: Obj) -> None:
    """A namespace's ``spec.finalizers``."""
    _only(new, old, "spec")


def _approval(row: Kind, new: Obj, old: Obj) -> None:
    """A signing request's conditions."""
    told = (new.get("status") or {}).get("conditions")
    _only(new, old)
    new["status"] = {**(old.get("status") or {})}
    put(new["status"], "conditions", told)


def _containers(row: Kind, new: Obj, old: Obj) -> None:
    """A pod's ephemeral containers."""
    told = (new.get("spec") or {}).get("ephemeralContainers")
    _only(new, old)
    new["spec"] = {**old["spec"]}
    put(new["spec"], "ephemeralContainers", told)


def _resize(row: Kind, new: Obj, old: Obj) -> None:
    """The resources of a pod's containers, by their names."""
    told = {c.get("name"): c for c in (new.get("spec") or {}).get("containers") or ()}
    _only(new, old)
    resized = [_with_resources(container, told.get(container["name"])) for container in old["spec"]["containers"]]
    new["spec"] = {**old["spec"], "containers": resized}
    _count_generation(row, new, old)


def _with_resources(container: Obj, told: Obj | None) -> Obj:
    changed = {**container}
    for key in ("resources", "resizePolicy"):
        put(changed, key, (told or container).get(key))
    return changed


def put(obj: Obj, key: str, value: Any) -> None:
    """Set a key, or take it away where there is no value."""
    if value is None:
        obj.pop(key, None)
    else:
        obj[key] = value


OBJECT: Final = Door(_object, judge.update)
STATUS: Final = Door(_status, judge.status_update)
DOORS: Final[Mapping[str, Door]] = {
    "status": STATUS,
    "finalize": Door(_finalize, judge.update_metadata),
    "approval": Door(_approval, judge.status_update),
    "ephemeralcontainers": Door(_containers, judge.update_metadata),
    "resize": Door(_resize, judge.update_metadata),
}
"""Subresources that are the object itself under a narrower door."""
