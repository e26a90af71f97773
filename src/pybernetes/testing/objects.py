"""Objects in a dict, and the rules of the API that controllers count on: what ``testing/world.py`` is made of. Pure.

It has uids, resource versions with conflicts, generations, grace for pods, finalizers and strategic patches, and knows
nothing of defaults, validation, admission or permission: those are the real server's, which tests have in process.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from pybernetes.kinds import schemas, table
from pybernetes.meta import errors, mergepatch, objects, selectors, strategic, times
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas

_FINALIZERS: Final = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
_kinds = functools.cache(table.builtin)


@functools.cache
def _schemas() -> Schemas:
    return Schemas(schemas.definitions())


class Objects:
    """A ``control.controller.Snapshot`` of what was put into it."""

    def __init__(self) -> None:
        self._all: defaultdict[str, dict[tuple[str, str], Obj]] = defaultdict(dict)

    def put(self, resource: str, obj: Obj) -> None:
        self._all[resource][objects.namespace(obj), objects.name(obj)] = obj

    def remove(self, resource: str, obj: Obj) -> None:
        self._all[resource].pop((objects.namespace(obj), objects.name(obj)), None)

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self._all[resource].get((namespace, name))

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        return [obj for key, obj in self._all[resource].items() if namespace in (None, key[0])]

    def owned(self, resource: str, uid: str) -> Sequence[Obj]:
        return [obj for obj in self.list(resource) if any(o.get("uid") == uid for o in objects.owners(obj))]

    def select(self, resource: str, namespace: str, selector: Obj | None) -> Sequence[Obj]:
        matcher = selectors.from_label_selector(selector)
        return [obj for obj in self.list(resource, namespace) if matcher.matches(objects.labels(obj))]


class Change(NamedTuple):
    """``revision`` counts all changes; ``old`` is None for an addition, ``new`` for a deletion."""

    revision: int
    resource: str
    old: Obj | None
    new: Obj | None


class Api:
    """The verbs over ``Objects``. ``tell`` hears every change, ``now`` says what time it is."""

    def __init__(self, now: Callable[[], float], tell: Callable[[Change], None]) -> None:
        self.objects = Objects()
        self.revision = 0
        self._now, self._tell = now, tell

    def get(self, resource: str, name: str, namespace: str = "default") -> Obj:
        found = self.objects.get(resource, namespace, name)
        if found is None:
            raise errors.NotFound(f'{resource} "{name}" not found')
        return found

    def create(self, resource: str, obj: Obj) -> Obj:
        number = self.revision + 1
        metadata = dict(objects.meta(obj))
        metadata.setdefault("name", f"{metadata.get('generateName', '')}{number:05}")
        metadata |= {"uid": f"uid-{number}", "creationTimestamp": times.render(self._now()), "generation": 1}
        made = {**obj, "metadata": metadata}
        if self.objects.get(resource, objects.namespace(made), objects.name(made)) is not None:
            raise errors.AlreadyExists(f'{resource} "{objects.name(made)}" already exists')
        return self._store(resource, None, made)

    def update(self, resource: str, obj: Obj, subresource: str = "") -> Obj:
        old = self.get(resource, objects.name(obj), objects.namespace(obj))
        if objects.resource_version(obj) not in (0, objects.resource_version(old)):
            raise errors.Conflict(f'{resource} "{objects.name(obj)}" has changed')
        if subresource == "status":
            noted = {**objects.meta(old), "annotations": objects.annotations(obj)}
            return self._replace(resource, old, {**old, "metadata": noted, "status": obj.get("status") or {}})
        return self._replace(resource, old, {**obj, **{k: v for k, v in old.items() if k == "status"}})

    def patch(self, resource: str, namespace: str, name: str, patch: Any, kind: str = "merge") -> Obj:
        old = self.get(resource, name, namespace)
        if patch.get("metadata", {}).get("uid", objects.uid(old)) != objects.uid(old):
            raise errors.Conflict(f'{resource} "{name}": UID in precondition differs')
        if kind == "merge":
            return self._replace(resource, old, mergepatch.apply(old, patch))
        row = _kinds().by_resource(resource)
        assert row is not None, resource
        return self._replace(resource, old, strategic.apply(_schemas(), row.definition, old, patch))

    def delete(
        self, resource: str, namespace: str, name: str, *, uid: str = "", propagation: str = "",
        grace_period_seconds: int | None = None,
    ) -> Obj:  # fmt: skip
        """Pods on a node and whatever has finalizers only begin to go."""
        old = self.get(resource, name, namespace)
        if uid and uid != objects.uid(old):
            raise errors.Conflict(f'{resource} "{name}": UID in precondition differs')
        metadata: Obj = {**objects.meta(old), "deletionTimestamp": times.render(self._now())}
        if propagation in _FINALIZERS:
            metadata["finalizers"] = [*objects.finalizers(old), _FINALIZERS[propagation]]
        has_grace = resource == "pods" and objects.get(old, "spec", "nodeName") and grace_period_seconds != 0
        if not has_grace and not metadata.get("finalizers"):
            return self._remove(resource, old)
        return old if objects.is_deleting(old) else self._store(resource, old, {**old, "metadata": metadata})

    def _replace(self, resource: str, old: Obj, new: Obj) -> Obj:
        if {**new, "metadata": objects.meta(new)} == old:
            return old
        if new.get("spec") != old.get("spec"):
            new = objects.evolve(new, ("metadata", "generation"), objects.meta(old).get("generation", 0) + 1)
        if objects.is_deleting(new) and objects.finalizers(old) and not objects.finalizers(new):
            return self._remove(resource, old)
        return self._store(resource, old, new)

    def _store(self, resource: str, old: Obj | None, new: Obj) -> Obj:
        self.revision += 1
        stored = objects.evolve(new, ("metadata", "resourceVersion"), str(self.revision))
        self.objects.put(resource, stored)
        self._tell(Change(self.revision, resource, old, stored))
        return stored

    def _remove(self, resource: str, old: Obj) -> Obj:
        self.revision += 1
        self.objects.remove(resource, old)
        self._tell(Change(self.revision, resource, old, None))
        return old
