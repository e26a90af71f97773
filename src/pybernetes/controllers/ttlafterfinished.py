"""Finished Jobs that nobody needs any more: deleted, with their pods, ``ttlSecondsAfterFinished`` after their end
(pkg/controller/ttlafterfinished)."""

from __future__ import annotations

from typing import Final

from pybernetes.control.actions import After, Delete, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import jobstatus
from pybernetes.meta import objects

_JOBS: Final = "jobs.batch"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    job = snapshot.get(_JOBS, key.namespace, key.name)
    if job is None or objects.is_deleting(job):
        return ()
    ttl, ended = objects.get(job, "spec", "ttlSecondsAfterFinished"), jobstatus.ended_at(job)
    if ttl is None or ended is None:
        return ()
    if (left := ended + ttl - now) > 0:
        return (After(left),)
    version = str(objects.meta(job).get("resourceVersion", ""))  # a TTL that was just made longer counts
    return (
        Delete(_JOBS, key.namespace, key.name, uid=objects.uid(job), resource_version=version,
               propagation="Foreground"),
    )  # fmt: skip


CONTROLLER: Final = Controller(
    name="ttl-after-finished-controller",
    inputs=(Input(_JOBS, own_key),),
    outputs=(Output(_JOBS, ("delete",)),),
    plan=plan,
    workers=1,
)
