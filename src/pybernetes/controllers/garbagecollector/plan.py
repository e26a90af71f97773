"""What to do for one owner: let its dependents go with it, before it, or free.

Rule: an owner that exists and is not being deleted asks for nothing; its dependents are in order.
Neighbours: ``dependents.py`` decides about each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Answer, Ask, Event, Get, Patch, Plan
from pybernetes.control.controller import Snapshot
from pybernetes.controllers.garbagecollector import dependents, owners
from pybernetes.controllers.garbagecollector.dependents import Dependents, Standing
from pybernetes.controllers.garbagecollector.owners import Graph, Owner
from pybernetes.meta import objects
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

AGAIN_SECONDS: Final = 5.0
"""After which an owner of which the API would not tell is asked for again."""

Dependent = tuple[str, Obj]


def of_owner(graph: Graph, snapshot: Snapshot, key: Owner) -> Plan:
    """The plan for an owner, be it there or not."""
    owner = owners.find(snapshot, key)
    if owner is None:
        return settle(graph, snapshot, graph.dependents(snapshot, key.uid))
    if owners.orphans_dependents(owner):
        return list(_orphan(graph, snapshot, key.resource, owner))
    if owners.waits_for_dependents(owner):
        return _foreground(graph, snapshot, key.resource, owner)
    return ()


def _orphan(graph: Graph, snapshot: Snapshot, resource: str, owner: Obj) -> Iterable[Action]:
    """Free all dependents, then let the owner go."""
    for below, obj in graph.dependents(snapshot, objects.uid(owner)):
        yield dependents.release(below, obj, (objects.uid(owner),))
    yield without_finalizer(resource, owner, owners.ORPHAN)


def _foreground(graph: Graph, snapshot: Snapshot, resource: str, owner: Obj) -> Plan:
    """Let those go first that block the owner; the others follow when it is gone."""
    uid = objects.uid(owner)
    blocking = [found for found in graph.dependents(snapshot, uid) if _blocks(found[1], uid)]
    if not blocking:
        return [without_finalizer(resource, owner, owners.FOREGROUND)]
    return settle(graph, snapshot, blocking)


def settle(graph: Graph, snapshot: Snapshot, found: Sequence[Dependent]) -> Plan:
    """Decide about dependents, after asking the API for those of their owners that no cache knows."""
    unknown = list(dict.fromkeys(_unknown(graph, snapshot, found)))
    if not unknown:
        return list(_decisions(Dependents(graph, snapshot, {}), found))

    def then(answers: Sequence[Answer]) -> Plan:
        told = list(zip(unknown, answers, strict=True))
        standing = {owner: _standing(owner, answer) for owner, answer in told}
        again = [After(AGAIN_SECONDS)] if any(isinstance(answer, ApiError) for answer in answers) else []
        strays = _strays(graph, snapshot, found, {owner for owner, how in standing.items() if how == "gone"})
        return [*again, *strays, *_decisions(Dependents(graph, snapshot, standing), found)]

    return [Ask([Get(owner.resource, owner.namespace, owner.name) for owner in unknown], then)]


def _decisions(decider: Dependents, found: Sequence[Dependent]) -> Iterable[Action]:
    for resource, obj in found:
        yield from decider.decide(resource, obj)


def _unknown(graph: Graph, snapshot: Snapshot, found: Sequence[Dependent]) -> Iterable[Owner]:
    for _, obj in found:
        for reference in objects.owners(obj):
            owner = graph.owner(obj, reference)
            if owner is not None and owners.find(snapshot, owner) is None:
                yield owner


def _standing(owner: Owner, answer: Answer) -> Standing:
    """What an answer says; a refusal kills nobody."""
    if isinstance(answer, ApiError):
        return "solid"
    return dependents.standing(answer) if answer is not None and owners.is_it(answer, owner) else "gone"


def _strays(graph: Graph, snapshot: Snapshot, found: Sequence[Dependent], gone: set[Owner]) -> Iterable[Event]:
    """Tell of dependents whose owner lives, but in another namespace."""
    elsewhere = {owner for owner in gone if owner.namespace and _is_elsewhere(snapshot, owner)}
    for _, obj in found if elsewhere else ():
        for reference in objects.owners(obj):
            owner = graph.owner(obj, reference)
            if owner in elsewhere:
                yield _stray(obj, reference)


def _stray(obj: Obj, reference: Obj) -> Event:
    namespace = objects.namespace(obj)
    told = (
        f"[{reference.get('apiVersion')}/{reference.get('kind')}, namespace: {namespace}, "
        f"name: {reference.get('name')}, uid: {reference.get('uid')}]"
    )
    text = f'ownerRef {told} does not exist in namespace "{namespace}"'
    return Event(obj, "Warning", "OwnerRefInvalidNamespace", text)


def _is_elsewhere(snapshot: Snapshot, owner: Owner) -> bool:
    return any(objects.uid(obj) == owner.uid for obj in snapshot.list(owner.resource))


def without_finalizer(resource: str, obj: Obj, finalizer: str) -> Patch:
    """Take one finalizer away, if the object still is as it was seen."""
    metadata = objects.meta(obj)
    left = [other for other in objects.finalizers(obj) if other != finalizer]
    change = {"resourceVersion": metadata.get("resourceVersion"), "finalizers": left or None}
    return Patch(resource, objects.namespace(obj), objects.name(obj), {"metadata": change}, ok_if_missing=True)


def _blocks(obj: Obj, uid: str) -> bool:
    return any(r.get("uid") == uid and r.get("blockOwnerDeletion") for r in objects.owners(obj))
