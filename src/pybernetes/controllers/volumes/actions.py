"""The writes that bind claims and volumes. Pure.

Rule: what decides who gets a volume is one write, the ``claimRef``, which the API refuses to whoever has not seen the
volume as it is; all others only say what has been decided, and may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pybernetes.control.actions import Action, Event, Patch, Update
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def bind(volume: Obj, claim: Obj) -> Iterable[Action]:
    """All that is missing for the two to be bound to each other."""
    if volumes.claim_ref(volume).get("uid") != objects.uid(claim):
        yield Update(volumes.VOLUMES, volumes.with_claim(volume, claim))
    yield from _claim(volume, claim)
    yield from claim_status(claim, bound_status(claim, volume))


def _claim(volume: Obj, claim: Obj) -> Iterable[Action]:
    bound = claim
    if objects.get(claim, "spec", "volumeName") != objects.name(volume):
        bound = objects.evolve(claim, ("spec", "volumeName"), objects.name(volume))
        bound = volumes.annotated(bound, volumes.BOUND_BY_CONTROLLER)
    if volumes.BIND_COMPLETED not in objects.annotations(bound):
        bound = volumes.annotated(bound, volumes.BIND_COMPLETED)
    if bound is not claim:
        yield Update(volumes.CLAIMS, bound)


def unbind(volume: Obj) -> Iterable[Action]:
    """Give a volume free whose claim is bound elsewhere; one that a user has reserved stays reserved."""
    freed = objects.evolve(volume, ("spec", "claimRef"), {**volumes.claim_ref(volume), "uid": ""})
    if volumes.BOUND_BY_CONTROLLER in objects.annotations(volume):
        freed = objects.without(freed, ("spec", "claimRef"))
        freed = objects.without(freed, ("metadata", "annotations", volumes.BOUND_BY_CONTROLLER))
    yield Update(volumes.VOLUMES, freed)


# ── statuses ─────────────────────────────────────────────────────────────────────────────────────────────


def bound_status(claim: Obj, volume: Obj) -> Obj:
    """A claim holds its whole volume; what it held before is kept, since a node may still have to grow it."""
    held = objects.get(claim, "status", "capacity")
    was_bound = volumes.phase(claim) == "Bound"
    capacity = held if was_bound and held else {"storage": objects.get(volume, "spec", "capacity", "storage")}
    return {"phase": "Bound", "accessModes": objects.get(volume, "spec", "accessModes"), "capacity": capacity}


def claim_status(claim: Obj, status: Obj) -> Iterable[Action]:
    """Write what of ``status`` differs; None takes a field away."""
    yield from _status(volumes.CLAIMS, claim, status)


def volume_phase(
    volume: Obj, phase: str, now: str, message: str | None = None, reason: str | None = None
) -> list[Action]:
    """Bring a volume to a phase."""
    if volumes.phase(volume) == phase and objects.get(volume, "status", "message") == message:
        return []
    status = {"phase": phase, "message": message, "reason": reason, "lastPhaseTransitionTime": now}
    return list(_status(volumes.VOLUMES, volume, status))


def _status(resource: str, obj: Obj, status: dict[str, Any]) -> Iterable[Action]:
    before = obj.get("status") or {}
    changed = {key: value for key, value in status.items() if before.get(key) != value}
    if changed:
        yield Patch(
            resource, objects.namespace(obj), objects.name(obj),
            {"metadata": {"uid": objects.uid(obj)}, "status": changed}, subresource="status", ok_if_missing=True,
        )  # fmt: skip


def tell(obj: Obj, reason: str, message: str, *, warning: bool = False) -> Event:
    return Event(obj, "Warning" if warning else "Normal", reason, message)
