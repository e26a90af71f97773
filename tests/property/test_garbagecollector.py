"""Whatever owns whatever, and however it is deleted: the collector comes to rest, with what should be left.

The world is a dict and the API a few lines; the plans are the real ones, and hypothesis says whose turn it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pybernetes.control.actions import Ask, Delete, Patch
from pybernetes.control.controller import Key
from pybernetes.controllers.garbagecollector.row import controller
from pybernetes.kinds import table
from pybernetes.meta import mergepatch, objects
from pybernetes.meta.objects import Obj

ROW = controller(table.builtin())
(KEYS,) = [row.keys for row in ROW.inputs if row.resource == "configmaps"]
FINALIZERS = {"Background": [], "Foreground": ["foregroundDeletion"], "Orphan": ["orphan"]}
TURNS_MAX = 2000


class World:
    """Objects by name, and the keys that wait for their plan. It is its own snapshot."""

    def __init__(self, owners: Sequence[set[int]]) -> None:
        self.objects: dict[str, Obj] = {}
        self.keys: dict[Key, None] = {}
        self.version = 0
        names = [f"o{n}" for n in range(len(owners))]
        for name, above in zip(names, owners, strict=True):
            self.objects[name] = made(name, [made(names[n]) for n in sorted(above)])

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.objects.get(name) if resource == "configmaps" else None

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        return list(self.objects.values()) if resource == "configmaps" else ()

    def owned(self, resource: str, uid: str) -> Sequence[Obj]:
        return [o for o in self.list(resource) if any(r["uid"] == uid for r in objects.owners(o))]

    def delete(self, name: str, propagation: str) -> None:
        obj = self.objects[name]
        finalizers = list(dict.fromkeys([*objects.finalizers(obj), *FINALIZERS[propagation]]))
        metadata = {**obj["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers}
        self.put({**obj, "metadata": metadata})

    def put(self, new: Obj) -> None:
        """Store an object, or take it away when it is being deleted and nothing keeps it, and wake whom it concerns."""
        name, old = objects.name(new), self.objects.get(objects.name(new))
        self.version += 1
        gone = objects.is_deleting(new) and not objects.finalizers(new)
        if gone:
            del self.objects[name]
        else:
            self.objects[name] = objects.evolve(new, ("metadata", "resourceVersion"), str(self.version))
        self.keys |= dict.fromkeys(KEYS(self, old, None if gone else self.objects[name]))

    def perform(self, plan: Sequence[Any]) -> None:
        for action in plan:
            if isinstance(action, Ask):
                self.perform(action.then([self.objects.get(question.name) for question in action.questions]))
                return
            assert isinstance(action, Delete | Patch), action
            found = self.objects.get(action.name)
            if found is None:
                continue
            if isinstance(action, Delete):
                if not objects.is_deleting(found):
                    self.delete(action.name, action.propagation)
            elif action.patch["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]:
                self.put(mergepatch.apply(found, action.patch))
            else:
                return


def made(name: str, owners: Sequence[Obj] = ()) -> Obj:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "resourceVersion": "0"}
    references = [objects.owner_reference(owner, controller=False) for owner in owners]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**metadata, "ownerReferences": references}}


def left(owners: Sequence[set[int]], victim: int, propagation: str) -> dict[str, set[str]]:
    """Who is left and whose they are still: what upstream's rules come to."""
    living = {n: set(above) for n, above in enumerate(owners)}
    gone = [victim]
    while gone:
        lost = gone.pop()
        living.pop(lost, None)
        for n, above in living.items():
            if lost in above:
                above.discard(lost)
                if not above and not (propagation == "Orphan" and lost == victim):
                    gone.append(n)
        for n in gone:
            living[n] = living.get(n, set())
    return {f"o{n}": {f"o{m}" for m in above} for n, above in living.items()}


graphs = st.integers(1, 7).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size)
)


@given(graphs, st.sampled_from(sorted(FINALIZERS)), st.randoms(use_true_random=False))
def test_what_is_left_is_what_somebody_owns_or_nobody_ever_did(owners: Any, propagation: str, turns: Any) -> None:
    owners = [above - {n} for n, above in enumerate(owners)]
    world = World(owners)
    world.delete("o0", propagation)
    for _ in range(TURNS_MAX):
        if not world.keys:
            break
        key = turns.choice(list(world.keys))
        del world.keys[key]
        world.perform(ROW.plan(world, key, 0.0))
    assert not world.keys, "the collector never comes to rest"
    found = {name: {r["name"] for r in objects.owners(obj)} for name, obj in world.objects.items()}
    assert found == left(owners, 0, propagation)
