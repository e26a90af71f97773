"""Claims and volumes that are in use stay: a finalizer holds them until nobody uses them any more. Pure.

Rule 1: a claim is in use while a pod that has a node names it, whether that runs or not; a pod without a node will not
        be started on a claim that is being deleted (pkg/controller/volume/pvcprotection).
Rule 2: a volume is in use while it is Bound (pkg/controller/volume/pvprotection).
Neighbours: ``server/admission/storage.py`` puts the finalizers on at creation; here they are put on what came without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pybernetes.control.actions import Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def _plan(resource: str, finalizer: str, in_use: Callable[[Snapshot, Obj], bool]) -> Callable[..., Plan]:
    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        obj = snapshot.get(resource, key.namespace, key.name)
        if obj is None:
            return ()
        held = objects.finalizers(obj)
        if not objects.is_deleting(obj) and finalizer not in held:
            return [_with(resource, obj, [*held, finalizer])]
        if objects.is_deleting(obj) and finalizer in held and not in_use(snapshot, obj):
            return [_with(resource, obj, [each for each in held if each != finalizer])]
        return ()

    return plan


def _with(resource: str, obj: Obj, finalizers: list[str]) -> Update:
    return Update(resource, objects.evolve(obj, ("metadata", "finalizers"), finalizers))


def claim_in_use(snapshot: Snapshot, claim: Obj) -> bool:
    """Rule 1."""
    return any(_uses(pod, claim) for pod in snapshot.list("pods", objects.namespace(claim)))


def _uses(pod: Obj, claim: Obj) -> bool:
    name = objects.name(claim)
    if not objects.get(pod, "spec", "nodeName") or name not in volumes.claims_of(pod).values():
        return False
    own = name in volumes.ephemeral_claims(pod)
    return not own or (volumes.is_made_for(claim, pod) and not _is_shut_down(pod))


def _is_shut_down(pod: Obj) -> bool:
    """Has its node let it go, so that only its object is left?"""
    return objects.is_deleting(pod) and objects.meta(pod).get("deletionGracePeriodSeconds") == 0


def volume_in_use(snapshot: Snapshot, volume: Obj) -> bool:
    """Rule 2."""
    return volumes.phase(volume) == "Bound"


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A pod that goes, or is about to, may be the last that used its claims."""
    if new is not None and not objects.is_deleting(new):
        return ()
    pod = new or old or {}
    return [Key(objects.namespace(pod), name) for name in volumes.claims_of(pod).values()]


CLAIMS: Final = Controller(
    name="pvc-protection-controller",
    inputs=(Input(volumes.CLAIMS, own_key), Input("pods", _of_pod)),
    outputs=(Output(volumes.CLAIMS, ("update",)),),
    plan=_plan(volumes.CLAIMS, volumes.CLAIM_PROTECTION, claim_in_use),
    workers=1,
)
VOLUMES: Final = Controller(
    name="pv-protection-controller",
    inputs=(Input(volumes.VOLUMES, own_key),),
    outputs=(Output(volumes.VOLUMES, ("update",)),),
    plan=_plan(volumes.VOLUMES, volumes.VOLUME_PROTECTION, volume_in_use),
    workers=1,
)
