"""The Jobs of a CronJob: how they are named and made, what became of them, and which are too many.

Neighbours: ``cronjob.py`` decides when; ``jobstatus.py`` tells whether a Job has finished.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from pybernetes.control.actions import Create, Delete, Event
from pybernetes.controllers import jobstatus
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

JOBS: Final = "jobs.batch"
SCHEDULED: Final = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def name(cron_job: Obj, moment: float) -> str:
    """The name of the Job of a moment: the CronJob's and the moment's minute."""
    return f"{objects.name(cron_job)}-{int(moment) // 60}"


def job(cron_job: Obj, moment: float, zone: tzinfo) -> Obj:
    """The Job of a moment."""
    template = cron_job["spec"]["jobTemplate"]
    metadata = template.get("metadata") or {}
    local = datetime.fromtimestamp(moment, zone).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name(cron_job, moment),
            "namespace": objects.namespace(cron_job),
            "labels": dict(metadata.get("labels") or {}),
            "annotations": {**(metadata.get("annotations") or {}), SCHEDULED: local},
            "ownerReferences": [objects.owner_reference(cron_job)],
        },
        "spec": copy.deepcopy(template.get("spec") or {}),
    }


def create(cron_job: Obj, made: Obj) -> Create:
    return Create(
        JOBS, made, ok_if_exists=True,
        event=Event(cron_job, "Normal", "SuccessfulCreate", "Created job {name}"),
        failure_event=Event(cron_job, "Warning", "FailedCreate", "Error creating job: {error}"),
    )  # fmt: skip


def delete(cron_job: Obj, gone: Obj) -> Delete:
    """Delete a Job and its pods."""
    return Delete(
        JOBS, objects.namespace(gone), objects.name(gone), uid=objects.uid(gone), propagation="Background",
        event=Event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {objects.name(gone)}"),
        failure_event=Event(cron_job, "Warning", "FailedDelete", "Deleted job: {error}"),
    )  # fmt: skip


def reference(made: Obj) -> Obj:
    """A Job as ``status.active`` lists it."""
    return {
        "apiVersion": "batch/v1", "kind": "Job", "namespace": objects.namespace(made), "name": objects.name(made),
        "uid": objects.uid(made), "resourceVersion": objects.meta(made).get("resourceVersion", ""),
    }  # fmt: skip


class Settled(NamedTuple):
    """The status as it is after what became of the Jobs, and what is to be told of them."""

    status: Obj
    events: Sequence[Event]


def settled(cron_job: Obj, jobs: Sequence[Obj]) -> Settled:
    """Take from ``status.active`` what has finished or is gone, and note the last success."""
    before = cron_job.get("status") or {}
    known = {ref.get("uid"): ref for ref in before.get("active") or ()}
    there = {objects.uid(job): job for job in jobs}
    running = [ref for uid, ref in known.items() if uid in there and jobstatus.end(there[uid]) is None]
    events = [event for job in jobs if (event := _news(cron_job, job, objects.uid(job) in known))]
    events += [
        Event(cron_job, "Normal", "MissingJob", f"Active job went missing: {ref.get('name')}")
        for uid, ref in known.items()
        if uid not in there
    ]
    status = {**before, "active": running}
    successes = [job["status"]["completionTime"] for job in jobs if _completed(job)]
    status["lastSuccessfulTime"] = max([*successes, before.get("lastSuccessfulTime") or ""])
    return Settled(status, events)


def _completed(job: Obj) -> bool:
    return jobstatus.has_succeeded(job) and bool(objects.get(job, "status", "completionTime"))


def _news(cron_job: Obj, job: Obj, is_known: bool) -> Event | None:
    ended = jobstatus.end(job)
    if is_known and ended is not None:
        text = f"Saw completed job: {objects.name(job)}, condition: {ended['type']}"
        return Event(cron_job, "Normal", "SawCompletedJob", text)
    if not is_known and ended is None:
        text = f"Saw a job that the controller did not create or forgot: {objects.name(job)}"
        return Event(cron_job, "Warning", "UnexpectedJob", text)
    return None


def surplus(cron_job: Obj, jobs: Iterable[Obj]) -> Iterable[Delete]:
    """The eldest finished Jobs beyond the two history limits."""
    finished = sorted((job for job in jobs if jobstatus.end(job)), key=_started)
    for field, success in (("successfulJobsHistoryLimit", True), ("failedJobsHistoryLimit", False)):
        limit = cron_job["spec"].get(field)
        alike = [job for job in finished if jobstatus.has_succeeded(job) == success]
        if limit is not None:
            for gone in alike[: max(0, len(alike) - limit)]:
                if not objects.is_deleting(gone):
                    yield delete(cron_job, gone)


def _started(job: Obj) -> tuple[float, str]:
    told = objects.get(job, "status", "startTime") or objects.meta(job).get("creationTimestamp")
    return times.parse(told) if told else float("inf"), objects.name(job)
