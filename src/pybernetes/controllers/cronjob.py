"""CronJobs: a Job whenever the schedule is due (pkg/controller/cronjob).

Theory of operation. A plan settles what became of earlier Jobs, makes the one that is due, and sleeps until the next
moment of the schedule. A Job's name tells its moment, so that no moment gets two, whatever is lost in between; of
several missed moments only the last is made up for.
Neighbours: ``cronschedule.py`` knows the moments, ``cronjobs.py`` the Jobs: their names, making and history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pybernetes.control.actions import Action, After, Answer, Ask, Event, Get, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import cronjobs, jobstatus, keys, statuses
from pybernetes.controllers.cronjobs import JOBS
from pybernetes.controllers.cronschedule import Moments
from pybernetes.kinds import cron
from pybernetes.meta import objects, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

CRON_JOBS: Final = "cronjobs.batch"
MISSED_MAX: Final = 100
"""So many missed moments are made nothing of; more are told of."""
_LATE_SECONDS: Final = 0.1
"""So long after its moment a Job is made, lest a timer that rings early finds nothing due."""


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    found = snapshot.get(CRON_JOBS, key.namespace, key.name)
    if found is None:
        return ()
    cron_job = {**found, "apiVersion": "batch/v1", "kind": "CronJob"}
    jobs = [job for job in snapshot.owned(JOBS, objects.uid(found)) if _is_controlled(job, found)]
    settled = cronjobs.settled(cron_job, jobs)
    return [*settled.events, *cronjobs.surplus(cron_job, jobs), *_go_on(cron_job, settled.status, jobs, now)]


def _is_controlled(job: Obj, cron_job: Obj) -> bool:
    return (objects.controller_of(job) or {}).get("uid") == objects.uid(cron_job)


def _go_on(cron_job: Obj, status: Obj, jobs: Sequence[Obj], now: float) -> Iterable[Action]:
    """Make what is due, or else write what was settled; then wait for the next moment."""
    due: list[Action] = []
    wait: Iterable[Action] = ()
    if not objects.is_deleting(cron_job):
        try:
            moments = _moments(cron_job)
            if not cron_job["spec"].get("suspend"):
                due, wait = [*_due(cron_job, status, jobs, moments, now)], _wait(moments, now)
        except ZoneInfoNotFoundError as error:
            due = [_warning(cron_job, "UnknownTimeZone", f"invalid timeZone: {_zone_name(cron_job)}: {error}")]
        except ValueError as error:
            text = f"unparseable schedule: {cron_job['spec']['schedule']} : {error}"
            due = [_warning(cron_job, "UnparseableSchedule", text)]
    yield from due
    if not any(isinstance(action, Ask) for action in due):
        yield from write(cron_job, status)
    yield from wait


def _zone_name(cron_job: Obj) -> str:
    return str(objects.get(cron_job, "spec", "timeZone", default=""))


def _moments(cron_job: Obj) -> Moments:
    """Raises ZoneInfoNotFoundError, or ValueError for a schedule that cannot be read."""
    return Moments(cron.parse(cron_job["spec"]["schedule"]), _zone(_zone_name(cron_job)))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError) as error:  # a name that is a path, or a directory
        raise ZoneInfoNotFoundError(f"unknown time zone {name}") from error


def _wait(moments: Moments, now: float) -> Iterable[After]:
    following = moments.following(now)
    if following is not None:
        yield After(following - now + _LATE_SECONDS)


# ── a moment that is due ─────────────────────────────────────────────────────────────────────────────────


def _due(cron_job: Obj, status: Obj, jobs: Sequence[Obj], moments: Moments, now: float) -> Iterable[Action]:
    """What the last moment that was not served asks for."""
    since, moment = _since(cron_job, status, now), moments.preceding(now)
    if moment is None or moment <= since:
        return
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if moments.missed(since if deadline is None else max(since, now - deadline), now) > MISSED_MAX:
        text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        yield _warning(cron_job, "TooManyMissedTimes", text)
    if deadline is not None and moment + deadline < now:
        told = datetime.fromtimestamp(moment, moments.zone).strftime("%a, %d %b %Y %H:%M:%S %z")
        yield _warning(cron_job, "MissSchedule", f"Missed scheduled time to start a job: {told}")
    elif all(ref.get("name") != cronjobs.name(cron_job, moment) for ref in status.get("active", ())):
        yield from _start(cron_job, status, jobs, cronjobs.job(cron_job, moment, moments.zone), moment)


def _since(cron_job: Obj, status: Obj, now: float) -> float:
    """The last moment that was served, or else the CronJob's creation."""
    last = status.get("lastScheduleTime") or objects.meta(cron_job).get("creationTimestamp")
    return times.parse(last) if last else now


def _start(cron_job: Obj, status: Obj, jobs: Sequence[Obj], made: Obj, moment: float) -> Iterable[Action]:
    active, policy = status.get("active", []), cron_job["spec"].get("concurrencyPolicy")
    if policy == "Forbid" and active:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        yield Event(cron_job, "Normal", "JobAlreadyActive", text)
        return
    if policy == "Replace":
        running = {ref.get("uid") for ref in active}
        yield from (cronjobs.delete(cron_job, job) for job in jobs if objects.uid(job) in running)
        status = {**status, "active": []}
    yield cronjobs.create(cron_job, made)
    yield _note(cron_job, status, made, moment)


def _note(cron_job: Obj, status: Obj, made: Obj, moment: float) -> Ask:
    """Write down the Job that was made, by the uid that the API gave it."""

    def then(answers: Sequence[Answer]) -> Plan:
        job = answers[0]
        if isinstance(job, ApiError):
            raise job
        if job is not None and not _is_controlled(job, cron_job):
            return ()  # The name is somebody else's: the moment is lost.
        active = [*status.get("active", [])]
        if job is not None and jobstatus.end(job) is None:
            active.append(cronjobs.reference(job))
        told = {**status, "active": active, "lastScheduleTime": times.render(moment)}
        return [*write(cron_job, told)]

    return Ask([Get(JOBS, objects.namespace(made), objects.name(made))], then)


# ── telling ──────────────────────────────────────────────────────────────────────────────────────────────


def write(cron_job: Obj, status: Obj) -> Iterable[Update]:
    told = statuses.compact(status)
    if statuses.differs(cron_job.get("status"), told):
        yield Update(CRON_JOBS, {**cron_job, "status": told}, subresource="status")


def _warning(cron_job: Obj, reason: str, message: str) -> Event:
    return Event(cron_job, "Warning", reason, message)


def _keys_of_job(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A Job wakes its CronJob; none is ever taken in."""
    found = (keys.controller(snapshot, CRON_JOBS, "CronJob", job) for job in (old, new) if job is not None)
    return dict.fromkeys(keys.of(owner) for owner in found if owner is not None)


CONTROLLER: Final = Controller(
    name="cronjob-controller",
    inputs=(
        Input(CRON_JOBS, own_key),
        Input(JOBS, _keys_of_job),
    ),
    outputs=(
        Output(JOBS, ("create", "delete")),
        Output("cronjobs.batch/status", ("update",)),
        Output("cronjobs.batch/finalizers", ("update",)),
    ),
    plan=plan,
    workers=5,
)
