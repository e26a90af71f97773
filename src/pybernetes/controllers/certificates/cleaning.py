"""Deletes requests that have served their time (pkg/controller/certificates/cleaner)."""

from __future__ import annotations

from typing import Final

from pybernetes.control.actions import After, Delete, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers.certificates import requests
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

_HOUR: Final = 3600.0
_PENDING_SECONDS: Final = 24 * _HOUR
_DECIDED_SECONDS: Final = _HOUR


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    csr = snapshot.get(requests.RESOURCE, "", key.name)
    if csr is None:
        return ()
    wait = ends_at(csr) - now
    return [After(wait)] if wait > 0 else [Delete(requests.RESOURCE, "", key.name, uid=objects.uid(csr))]


def ends_at(csr: Obj) -> float:
    """When the request is cleared away: an hour after its decision, a day after its creation while nobody decides."""
    decided = [
        times.parse(condition.get("lastUpdateTime") or objects.meta(csr)["creationTimestamp"]) + _DECIDED_SECONDS
        for condition in requests.conditions(csr)
        if condition.get("type") in ("Approved", "Denied", "Failed")
    ]
    return min(decided, default=times.parse(objects.meta(csr)["creationTimestamp"]) + _PENDING_SECONDS)


CONTROLLER: Final = Controller(
    name="certificatesigningrequest-cleaner-controller",
    inputs=(Input(requests.RESOURCE, own_key),),
    outputs=(Output(requests.RESOURCE, ("delete",)),),
    plan=plan,
    workers=1,
)
