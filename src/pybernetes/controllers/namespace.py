"""Namespaces that are being deleted: empty them, tell what stays, and let them go.

Theory of operation. A namespace with a deletionTimestamp keeps the finalizer ``kubernetes`` in its spec until nothing
lives in it. Pods go first, then everything else (KEP-5080); what stays is counted from the answers and told in
the conditions. Each time that a kind has become empty the namespace is looked at again; since a count may change
otherwise too, also after half of the time that the deletion has taken so far.
Neighbours: ``namespacestatus.py`` has the conditions; ``control/actions.py`` the question ``DeleteCollection``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import After, Answer, Ask, DeleteCollection, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, KeysOf, Output, Snapshot, own_key
from pybernetes.controllers import namespacestatus
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

FINALIZER: Final = "kubernetes"
_AGAIN_SECONDS: Final = 0.5
_AGAIN_SECONDS_MAX: Final = 30.0
_FIRST: Final = "pods"
_EVENTS: Final = "events"
"""Too many and too short-lived to be worth watching for their end."""


def controller(kinds: KindTable) -> Controller:
    """The row; it empties namespaces of whatever ``kinds`` holds at that time."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        found = snapshot.get("namespaces", "", key.name)
        if found is None or not objects.is_deleting(found) or FINALIZER not in finalizers(found):
            return ()
        if objects.get(found, "status", "phase") != "Terminating":
            return [Update("namespaces", objects.evolve(found, ("status", "phase"), "Terminating"), "status")]
        return empty(found, contents(kinds), now)

    watched = [kind for kind in contents(kinds) if "watch" in kind.verbs and kind.resource != _EVENTS]
    return Controller(
        name="namespace-controller",
        inputs=(
            Input("namespaces", own_key),
            *(Input(kind.resource, emptied(kind.resource), metadata_only=True) for kind in watched),
        ),
        outputs=(
            Output("namespaces", ("delete", "get", "list", "watch")),
            Output("namespaces/finalize", ("update",)),
            Output("namespaces/status", ("update",)),
            Output("*.*", ("delete", "deletecollection", "get", "list")),
        ),
        plan=plan,
        workers=10,
    )


def contents(kinds: KindTable) -> Sequence[Kind]:
    """The rows of all that lives in namespaces and can be deleted, each stored thing once."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        if kind.namespaced and not kind.storage_of and {"delete", "list"} <= set(kind.verbs):
            found.setdefault(kind.resource, kind)
    return tuple(found.values())


def emptied(resource: str) -> KeysOf:
    """The end of the last object of a kind wakes the namespace that is being deleted."""

    def keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        if new is not None or old is None:
            return ()
        name = objects.namespace(old)
        namespace = snapshot.get("namespaces", "", name)
        if namespace is None or not objects.is_deleting(namespace) or snapshot.list(resource, name):
            return ()
        return (Key("", name),)

    return keys


def empty(namespace: Obj, kinds: Sequence[Kind], now: float) -> Plan:
    """Delete the pods, then the rest, then let go."""
    first = [kind for kind in kinds if kind.resource == _FIRST]
    rest = [kind for kind in kinds if kind.resource != _FIRST]

    def with_pods(answers: Sequence[Answer]) -> Plan:
        stays = told(first, answers)
        return ask(namespace, rest, with_rest) if stays.is_empty else wait(namespace, stays, now)

    def with_rest(answers: Sequence[Answer]) -> Plan:
        stays = told(rest, answers)
        return [release(namespace)] if stays.is_empty else wait(namespace, stays, now)

    return ask(namespace, first, with_pods)


def ask(namespace: Obj, kinds: Sequence[Kind], then: namespacestatus.Then) -> Plan:
    return [Ask([DeleteCollection(kind.resource, objects.name(namespace)) for kind in kinds], then)]


def told(kinds: Sequence[Kind], answers: Sequence[Answer]) -> namespacestatus.Stays:
    """What the answers say of what stays."""
    return namespacestatus.stays(zip(kinds, answers, strict=True))


def wait(namespace: Obj, stays: namespacestatus.Stays, now: float) -> Plan:
    """Tell what stays, and come back."""
    since = now - times.parse(objects.meta(namespace)["deletionTimestamp"])
    again = After(min(max(since / 2, _AGAIN_SECONDS), _AGAIN_SECONDS_MAX))
    conditions = namespacestatus.conditions(namespace, stays, now)
    if conditions == objects.get(namespace, "status", "conditions"):
        return [again]
    status = objects.evolve(namespace, ("status", "conditions"), conditions)
    return [Update("namespaces", status, subresource="status"), again]


def release(namespace: Obj) -> Update:
    """Take the finalizer away: the server then deletes the namespace."""
    left = [finalizer for finalizer in finalizers(namespace) if finalizer != FINALIZER]
    spec = {**(namespace.get("spec") or {}), "finalizers": left}
    return Update("namespaces", {**namespace, "spec": spec}, subresource="finalize")


def finalizers(namespace: Obj) -> Sequence[str]:
    """Those of its spec, which a namespace has beside those of its metadata."""
    found: Sequence[str] = objects.get(namespace, "spec", "finalizers", default=())
    return found
