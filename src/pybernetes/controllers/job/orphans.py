"""Pods that nobody will count any more, since their Job is gone or has ended: their finalizer is taken away.

Rule: that the Job is gone is asked of the API before it is believed: a pod may be known before its Job is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Answer, Ask, Get, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import jobstatus, keys
from pybernetes.controllers.job import tracking
from pybernetes.controllers.job.view import is_tracked
from pybernetes.meta import objects
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

_JOBS: Final = "jobs.batch"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    pod = snapshot.get("pods", key.namespace, key.name)
    if pod is None or not is_orphan(snapshot, pod):
        return ()
    if not _job_name(pod):
        return (tracking.release(pod),)

    def then(answers: Sequence[Answer]) -> Plan:
        job = answers[0]
        if isinstance(job, ApiError):
            raise job
        return [tracking.release(pod)] if is_nobodys(pod, job) else ()

    return [Ask([Get(_JOBS, key.namespace, _job_name(pod))], then)]


def is_orphan(snapshot: Snapshot, pod: Obj) -> bool:
    """Does a pod wait to be counted by a Job that will not count it?"""
    if not is_tracked(pod):
        return False
    return is_nobodys(pod, snapshot.get(_JOBS, objects.namespace(pod), _job_name(pod)))


def is_nobodys(pod: Obj, job: Obj | None) -> bool:
    """``job`` is what bears the name of the pod's Job now."""
    reference = objects.controller_of(pod) or {}
    return job is None or objects.uid(job) != reference.get("uid") or jobstatus.end(job) is not None


def _job_name(pod: Obj) -> str:
    reference = objects.controller_of(pod) or {}
    return str(reference.get("name", "")) if reference.get("kind") == "Job" else ""


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (keys.of(new),) if new is not None and is_orphan(snapshot, new) else ()


def _of_job(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The end of a Job, either way, wakes the pods that it has left."""
    job = new or old
    if job is None or (new is not None and jobstatus.end(new) is None):
        return ()
    return [keys.of(pod) for pod in snapshot.owned("pods", objects.uid(job)) if is_tracked(pod)]


CONTROLLER: Final = Controller(
    name="job-orphans-controller",
    inputs=(Input("pods", _of_pod), Input(_JOBS, _of_job)),
    outputs=(Output("pods", ("patch",)),),
    plan=plan,
    workers=2,
)
