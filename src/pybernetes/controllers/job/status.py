"""A Job's status: what was counted, what runs, and the conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, Event, Update
from pybernetes.controllers import pods, statuses
from pybernetes.controllers.job import indexes
from pybernetes.controllers.job.ending import FINAL, SUCCESS, End
from pybernetes.controllers.job.tracking import Tally
from pybernetes.controllers.job.view import View
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

_SUSPENDED: Final = "Suspended"
_ALWAYS: Final = ("ready", "terminating", "uncountedTerminatedPods")


def write(view: View, tally: Tally, given_up: set[int], end: End | None) -> Iterable[Action]:
    """The status, and what is to be told of its changes."""
    status = _counts(view, tally, given_up)
    events = [*_suspension(view, status)] if end is None and not objects.is_deleting(view.job) else []
    if end is not None:
        _set(status, end.type, "True", end.reason, end.message, view.now)
        if _is_over(view, tally):
            events += _finish(view, status, end)
    told = statuses.compact(status, _ALWAYS)
    if statuses.differs(view.status, told) or not view.status:
        yield Update("jobs.batch", {**view.job, "status": told}, subresource="status")
        yield from events


def _counts(view: View, tally: Tally, given_up: set[int]) -> Obj:
    status = {
        **view.status,
        "active": len(view.active),
        "ready": sum(map(pods.is_ready, view.active)),
        "terminating": len(view.terminating),
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "uncountedTerminatedPods": tally.uncounted,
        "conditions": [*view.status.get("conditions", [])],
    }
    if not view.status.get("startTime") and not view.is_suspended:
        status["startTime"] = times.render(view.now)
    if view.is_indexed:
        status["completedIndexes"] = indexes.render(tally.completed)
    if view.limit_per_index is not None:
        status["failedIndexes"] = indexes.render(given_up)
    return status


def _is_over(view: View, tally: Tally) -> bool:
    """Does nothing run any more, and is all counted for good?"""
    return not (view.active or view.terminating or view.tracked or tally.uncounted)


def _finish(view: View, status: Obj, end: End) -> Iterable[Event]:
    _set(status, FINAL[end.type], "True", end.reason, end.message, view.now)
    if end.type != SUCCESS:
        yield Event(view.job, "Warning", end.reason, end.message)
        return
    status["completionTime"] = times.render(view.now)
    if view.completions is not None and status["succeeded"] > view.completions:
        text = "Too many succeeded pods running after completion count reached"
        yield Event(view.job, "Warning", "TooManySucceededPods", text)
    yield Event(view.job, "Normal", "Completed", "Job completed")


def _suspension(view: View, status: Obj) -> Iterable[Event]:
    """A Job that goes on again starts anew as far as its deadline is concerned."""
    known = objects.condition_is(view.job, _SUSPENDED)
    if view.is_suspended and not known:
        _set(status, _SUSPENDED, "True", "JobSuspended", "Job suspended", view.now)
        yield Event(view.job, "Normal", "Suspended", "Job suspended")
    elif known and not view.is_suspended:
        _set(status, _SUSPENDED, "False", "JobResumed", "Job resumed", view.now)
        status["startTime"] = times.render(view.now)
        yield Event(view.job, "Normal", "Resumed", "Job resumed")


def _set(status: Obj, type_: str, value: str, reason: str, message: str, now: float) -> None:  # noqa: PLR0917
    """Set a condition in its place; one that says the same already stays."""
    at = times.render(now)
    made = {
        "type": type_, "status": value, "lastProbeTime": at, "lastTransitionTime": at, "reason": reason,
        "message": message,
    }  # fmt: skip
    conditions: list[Obj] = status["conditions"]
    place = next((i for i, c in enumerate(conditions) if c["type"] == type_), None)
    if place is None:
        conditions.append(made)
    elif conditions[place].get("status") != value:
        conditions[place] = made
