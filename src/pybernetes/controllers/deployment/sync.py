"""The plan of a Deployment: claim, find or make the new ReplicaSet, move one step, tell the status.

Theory of operation. Every plan moves at most one step, up or down; the ReplicaSets' statuses that follow wake it for
the next. A paused or resized Deployment is only scaled; a rollout goes on when the sizes are right again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, Event, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import keys, pods
from pybernetes.controllers.deployment import amounts, recreate, revision, rolling, scaling, status
from pybernetes.controllers.deployment.draft import PROGRESSING, SETS, Draft, has_deadline
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

DEPLOYMENTS: Final = "deployments.apps"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    found = snapshot.get(DEPLOYMENTS, key.namespace, key.name)
    if found is None:
        return ()
    deployment = {**found, "apiVersion": "apps/v1", "kind": "Deployment"}
    if not any(_selector(deployment).values()):
        text = "This deployment is selecting all pods. A non-empty selector is required."
        return (Event(deployment, "Warning", "SelectingAll", text),)
    sets, patches = ownership.claim(snapshot, SETS, deployment, _selector(deployment))
    if patches:
        return patches  # What was taken in or let go wakes the plan again, with the sets as they are then.
    return _settle(snapshot, deployment, [*sets], now)


def _settle(snapshot: Snapshot, deployment: Obj, sets: Sequence[Obj], now: float) -> Plan:
    namespace = objects.namespace(deployment)
    draft = Draft(deployment, sets, now, lambda name: snapshot.get(SETS, namespace, name) is not None)
    _renumber(draft)
    told = _move(draft, snapshot)
    return [*draft.actions(), *told]


def _move(draft: Draft, snapshot: Snapshot) -> Sequence[Action]:
    """Draft the next step; answers the status to write after it."""
    if objects.is_deleting(draft.deployment):
        return [*status.resting(draft)]
    status.note_pause(draft)
    if status.is_paused(draft.deployment) or scaling.is_scaling(draft):
        scaling.scale(draft)
        if status.is_paused(draft.deployment):
            _clean_up(draft)
        return [*status.resting(draft)]
    if amounts.is_rolling(draft.deployment):
        _roll(draft)
    else:
        _recreate(draft, snapshot)
    return [*status.rolling(draft)]


def _roll(draft: Draft) -> None:
    _ensure_new(draft)
    if not rolling.roll(draft) and _is_done(draft):
        _clean_up(draft)


def _recreate(draft: Draft, snapshot: Snapshot) -> None:
    if recreate.stop_old(draft) or recreate.old_pods_run(draft, lambda each: _pods(snapshot, each)):
        return
    _ensure_new(draft)
    recreate.start_new(draft)
    if _is_done(draft):
        _clean_up(draft)


def _is_done(draft: Draft) -> bool:
    return status.is_complete(draft.deployment, draft.read.get("status") or {})


# ── the new ReplicaSet ───────────────────────────────────────────────────────────────────────────────────


def _renumber(draft: Draft) -> None:
    """Give a new ReplicaSet that exists its number, and the Deployment the same."""
    if draft.new is None:
        return
    new = revision.annotated(draft.deployment, draft.new, revision.next_number(draft.old))
    wait = objects.get(draft.deployment, "spec", "minReadySeconds", default=0)
    if objects.get(new, "spec", "minReadySeconds", default=0) != wait:
        new = objects.evolve(new, ("spec", "minReadySeconds"), wait)
    draft.put(new)
    _take_number(draft, new)
    if has_deadline(draft.deployment) and PROGRESSING not in draft.conditions:
        text = f'Found new replica set "{objects.name(new)}"'
        draft.set_condition(PROGRESSING, "True", "FoundNewReplicaSet", text)


def _ensure_new(draft: Draft) -> None:
    """Draft the new ReplicaSet where there is none, as large as it may be at once."""
    if draft.new is not None:
        return
    bare = revision.replica_set(draft.deployment, draft.free_name())
    made = revision.annotated(draft.deployment, bare, revision.next_number(draft.old))
    draft.new = revision.sized(draft.deployment, made, rolling.size_of_new(draft, made))
    _take_number(draft, draft.new)
    if has_deadline(draft.deployment):
        text = f'Created new replica set "{objects.name(made)}"'
        draft.set_condition(PROGRESSING, "True", "NewReplicaSetCreated", text)


def _take_number(draft: Draft, new: Obj) -> None:
    number = objects.annotations(new).get(revision.REVISION, "")
    if objects.annotations(draft.deployment).get(revision.REVISION) != number:
        draft.deployment = objects.evolve(draft.deployment, ("metadata", "annotations", revision.REVISION), number)


def _clean_up(draft: Draft) -> None:
    """Delete the eldest old ReplicaSets beyond ``revisionHistoryLimit``, those that are at rest."""
    limit = objects.get(draft.deployment, "spec", "revisionHistoryLimit")
    if limit is None or limit == 2**31 - 1:
        return
    living = sorted((each for each in draft.old if not objects.is_deleting(each)), key=revision.number)
    for each in living[: max(0, len(living) - limit)]:
        if _is_at_rest(each):
            draft.delete(each)


def _is_at_rest(each: Obj) -> bool:
    return not amounts.replicas(each) and not amounts.told([each]) and amounts.is_observed(each)


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def _selector(deployment: Obj) -> Obj:
    return objects.get(deployment, "spec", "selector", default={})  # type: ignore[no-any-return]


def _pods(snapshot: Snapshot, each: Obj) -> Sequence[Obj]:
    return snapshot.owned("pods", objects.uid(each))


def _keys_of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The end of an old pod may be what a Recreate waits for."""
    if old is None or (new is not None and pods.phase(new) not in pods.FINISHED):
        return ()
    owner = keys.controller(snapshot, SETS, "ReplicaSet", old)
    above = keys.controller(snapshot, DEPLOYMENTS, "Deployment", owner) if owner is not None else None
    return () if above is None or amounts.is_rolling(above) else (keys.of(above),)


CONTROLLER: Final = Controller(
    name="deployment-controller",
    inputs=(
        Input(DEPLOYMENTS, own_key),
        Input(SETS, keys.of_controlled(DEPLOYMENTS, "Deployment", _selector)),
        Input("pods", _keys_of_pod),
    ),
    outputs=(
        Output(SETS, ("create", "update", "patch", "delete")),
        Output("deployments.apps/status", ("update",)),
        Output("deployments.apps/finalizers", ("update",)),
    ),
    plan=plan,
    workers=5,
)
