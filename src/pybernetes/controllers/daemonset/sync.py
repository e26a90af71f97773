"""The plan of a DaemonSet: keep the history, tell the status, put every pod in its place, then roll.

Theory of operation. A plan that had to make or delete pods does not roll: the pods' changes wake it for that. Nodes
wake every DaemonSet, but only by what decides who is eligible; a node's signs of life cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, After, Event, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import history, keys, pods
from pybernetes.controllers.daemonset import placing, rolling, status
from pybernetes.controllers.daemonset.view import View
from pybernetes.controllers.history import HASH, History
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

DAEMON_SETS: Final = "daemonsets.apps"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    found = snapshot.get(DAEMON_SETS, key.namespace, key.name)
    if found is None or objects.is_deleting(found):
        return ()
    owner = {**found, "apiVersion": "apps/v1", "kind": "DaemonSet"}
    if not any(_selector(owner).values()):
        text = "This daemon set is selecting all pods. A non-empty selector is required."
        return (Event(owner, "Warning", "SelectingAll", text),)
    past = history.of(snapshot, owner, HASH)
    mine, patches = ownership.claim(snapshot, "pods", owner, _selector(owner))
    view = View(owner, _hash(past.current), snapshot.list("nodes"), mine, now)
    return [*past.writes, *patches, *_settle(view, past)]


def _settle(view: View, past: History) -> Iterable[Action]:
    yield from status.write(view, past.collisions)
    placed = [*placing.settle(view)]
    yield from placed
    if view.is_rolling and all(isinstance(action, After) for action in placed):
        yield from rolling.roll(view)
    yield from history.surplus(view.owner, past.others, {objects.labels(pod).get(HASH, "") for pod in view.pods}, _hash)
    wait = pods.next_available(view.pods, view.min_ready_seconds, view.now)
    if wait is not None:
        yield After(wait)


def _hash(revision: Obj) -> str:
    return str(objects.labels(revision).get(HASH, ""))


def _selector(owner: Obj) -> Obj:
    return objects.get(owner, "spec", "selector", default={})  # type: ignore[no-any-return]


def _keys_of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    if _deciding(old) == _deciding(new):
        return ()
    return [keys.of(owner) for owner in snapshot.list(DAEMON_SETS)]


def _deciding(node: Obj | None) -> Any:
    """What of a node decides who may be there."""
    return None if node is None else (objects.labels(node), objects.get(node, "spec", "taints", default=[]))


CONTROLLER: Final = Controller(
    name="daemonset-controller",
    service_account="daemon-set-controller",
    inputs=(
        Input(DAEMON_SETS, own_key),
        Input("pods", keys.of_controlled(DAEMON_SETS, "DaemonSet", _selector)),
        Input("nodes", _keys_of_node),
        history.input_of(DAEMON_SETS, "DaemonSet", _selector),
    ),
    outputs=(
        Output("pods", ("create", "delete", "patch")),
        history.OUTPUT,
        Output("daemonsets.apps/status", ("update",)),
        Output("daemonsets.apps/finalizers", ("update",)),
    ),
    plan=plan,
    workers=2,
)
