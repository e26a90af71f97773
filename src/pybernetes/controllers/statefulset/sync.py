"""The plan of a StatefulSet: keep the history, tell the status, settle the row, and when it is settled roll.

Theory of operation. An ordered set acts on one pod a plan, and goes on when that pod's change wakes it; a parallel one
acts on all at once. What the first pods keep during a partitioned rollout stands in the revision that the status calls
the current one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, After, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import history, keys, pods
from pybernetes.controllers.history import History
from pybernetes.controllers.statefulset import claims, identity, placing, rolling, status
from pybernetes.controllers.statefulset.claims import CLAIMS
from pybernetes.controllers.statefulset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

STATEFUL_SETS: Final = "statefulsets.apps"
_MARK: Final = "controller.kubernetes.io/hash"
"""The label by which a revision tells its hash."""


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    found = snapshot.get(STATEFUL_SETS, key.namespace, key.name)
    if found is None or not any(_selector(found).values()):
        return ()
    owner = {**found, "apiVersion": "apps/v1", "kind": "StatefulSet"}
    past = history.of(snapshot, owner, _MARK)
    mine, patches = ownership.claim(
        snapshot, "pods", owner, _selector(owner), lambda pod: identity.parent(pod) == key.name
    )
    claim = partial(snapshot.get, CLAIMS, key.namespace)
    view = View(owner, _current(owner, past), past.current, mine, claim, now)
    if objects.is_deleting(owner):
        return [*status.write(view, past.collisions)]
    return [*past.writes, *patches, *_settle(view, past)]


def _current(owner: Obj, past: History) -> Obj:
    """The revision that was rolled out last; of a new set, and where it is lost, the newest."""
    name = objects.get(owner, "status", "currentRevision")
    return next((each for each in past.others if objects.name(each) == name), past.current)


def _settle(view: View, past: History) -> Iterable[Action]:
    yield from status.write(view, past.collisions)
    placed = placing.settle(view)
    yield from placed.actions
    if placed.is_settled and view.is_rolling:
        yield from rolling.roll(view)
    used = {objects.labels(pod).get(history.HASH, "") for pod in view.pods} | {objects.name(view.current)}
    yield from history.surplus(view.owner, past.others, used, objects.name)
    wait = pods.next_available(view.pods, view.min_ready_seconds, view.now)
    if wait is not None:
        yield After(wait)


def _selector(owner: Obj) -> Obj:
    return objects.get(owner, "spec", "selector", default={})  # type: ignore[no-any-return]


CONTROLLER: Final = Controller(
    name="statefulset-controller",
    inputs=(
        Input(STATEFUL_SETS, own_key),
        Input("pods", keys.of_controlled(STATEFUL_SETS, "StatefulSet", _selector)),
        Input(CLAIMS, claims.keys_of_claim),
        history.input_of(STATEFUL_SETS, "StatefulSet", _selector),
    ),
    outputs=(
        Output("pods", ("create", "delete", "patch", "update")),
        Output(CLAIMS, ("create", "patch")),
        history.OUTPUT,
        Output("statefulsets.apps/status", ("update",)),
        Output("statefulsets.apps/finalizers", ("update",)),
        Output("pods/finalizers", ("update",)),
    ),
    plan=plan,
    workers=5,
)
