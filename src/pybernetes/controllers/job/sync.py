"""The plan of a Job: count what ended, decide whether it goes on, write it down, and only then act.

Theory of operation. The status is written first, for a finalizer may go only when its pod is noted, and what runs may
be deleted only when the end is decided. The pods' changes that follow wake the plan again.
Neighbours: ``orphans.py`` for the pods of Jobs that are gone, ``ttlafterfinished.py`` for Jobs that have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, After, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import jobstatus, keys, replicas
from pybernetes.controllers.job import ending, indexed, manage, status, tracking
from pybernetes.controllers.job.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

JOBS: Final = "jobs.batch"
MANAGER: Final = "kubernetes.io/job-controller"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    found = snapshot.get(JOBS, key.namespace, key.name)
    if found is None or jobstatus.end(found) is not None or _is_others(found):
        return ()
    job = {**found, "apiVersion": "batch/v1", "kind": "Job"}
    mine, patches = ownership.claim(snapshot, "pods", job, _selector(job))
    return [*patches, *_settle(View(job, mine, now))]


def _is_others(job: Obj) -> bool:
    """Does somebody else manage the Job?"""
    return bool(objects.get(job, "spec", "managedBy", default=MANAGER) != MANAGER)


def _settle(view: View) -> Iterable[Action]:
    given_up, last = set[int](), dict[int, Obj]()
    if view.limit_per_index is not None:
        given_up = indexed.failed(view)
        if ending.decided(view) is None and not objects.is_deleting(view.job):
            last = indexed.last_failed(view, given_up | view.told_indexes("completedIndexes"))
    tally = tracking.tally(view, {objects.uid(pod) for pod in last.values()})
    end = ending.of(view, tally, given_up)
    yield from status.write(view, tally, given_up, end)
    yield from (tracking.release(pod) for pod in tally.released)
    if end is not None:
        yield from _stop(view.job, view.active)
    elif not objects.is_deleting(view.job):
        yield from manage.settle(view, tally, given_up, last)
        if (left := ending.deadline_in(view)) is not None:
            yield After(left)


def _stop(job: Obj, active: Sequence[Obj]) -> Iterable[Action]:
    """Delete what still runs at the Job's end; it counts as failed."""
    return (replicas.delete(job, pod) for pod in active)


def _selector(job: Obj) -> Obj:
    return objects.get(job, "spec", "selector", default={})  # type: ignore[no-any-return]


CONTROLLER: Final = Controller(
    name="job-controller",
    inputs=(
        Input(JOBS, own_key),
        Input("pods", keys.of_controlled(JOBS, "Job", _selector)),
    ),
    outputs=(
        Output("pods", ("create", "delete", "patch")),
        Output("jobs.batch/status", ("update",)),
        Output("jobs.batch/finalizers", ("update",)),
    ),
    plan=plan,
    workers=5,
)
