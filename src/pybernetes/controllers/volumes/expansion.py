"""Claims that grow: our own volumes are given the size that their claim asks for. Pure.

Rule: first the volume's capacity, then the file system. The second is the node's job, which ends it by writing the
claim's new ``status.capacity`` (``node/volumes/local.py``); until then the claim says that it is pending. On a
simulated node there is no file system, so the claim has grown at once. Other volumes are grown by who made them.
Source: external-resizer, pkg/controller/volume/expand. Neighbours: ``server/admission/storage.py`` says who may grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys
from pybernetes.controllers.volumes import actions, provisioner
from pybernetes.controllers.volumes.actions import tell
from pybernetes.meta import objects, quantity, times, volumes
from pybernetes.meta.objects import Obj

PENDING: Final = "FileSystemResizePending"
_PENDING_TEXT: Final = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a claim."""
    claim = snapshot.get(volumes.CLAIMS, key.namespace, key.name)
    if claim is None or not wants_more(claim):
        return ()
    volume = snapshot.get(volumes.VOLUMES, "", claim["spec"]["volumeName"])
    if volume is None or not volumes.is_for(volume, claim):
        return ()
    if not provisioner.is_ours(volume):
        return [tell(claim, "ExternalExpanding", "waiting for an external controller to expand this PVC")]
    return list(_grow(claim, volume, times.render(now)))


def wants_more(claim: Obj) -> bool:
    """Does a bound claim ask for more than it holds?"""
    held = objects.get(claim, "status", "capacity", "storage")
    return volumes.phase(claim) == "Bound" and held is not None and volumes.requested(claim) > quantity.parse(held)


def _grow(claim: Obj, volume: Obj, now: str) -> Iterable[Action]:
    """The condition comes before the capacity, since the node takes it away as soon as it sees that."""
    wanted = objects.get(claim, "spec", "resources", "requests", "storage")
    has_data, pending = volumes.LOCAL_DATA in objects.finalizers(volume), objects.condition(claim, PENDING)
    grown = volumes.capacity(volume) >= volumes.requested(claim)
    if has_data and not pending and not grown:
        condition = {"type": PENDING, "status": "True", "message": _PENDING_TEXT, "lastTransitionTime": now}
        yield from actions.claim_status(claim, {"conditions": [condition]})
        yield tell(claim, "FileSystemResizeRequired", "Require file system resize of volume on node")
    if not grown:
        yield tell(claim, "Resizing", f"External resizer is resizing volume {objects.name(volume)}")
        yield Update(volumes.VOLUMES, objects.evolve(volume, ("spec", "capacity"), {"storage": wanted}))
    if not has_data:
        yield from actions.claim_status(claim, {"capacity": {"storage": wanted}, "conditions": None})
        yield tell(claim, "VolumeResizeSuccessful", "Resize volume succeeded")


def _of_claim(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (keys.of(new),) if new is not None and wants_more(new) else ()


def _nobody(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return ()


CONTROLLER: Final = Controller(
    name="volume_expand",
    service_account="expand-controller",
    inputs=(Input(volumes.CLAIMS, _of_claim), Input(volumes.VOLUMES, _nobody)),
    outputs=(
        Output(f"{volumes.CLAIMS}/status", ("patch",)),
        Output(volumes.VOLUMES, ("update",)),
    ),
    plan=plan,
    workers=1,
)
