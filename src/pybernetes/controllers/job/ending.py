"""When a Job ends, and why.

Rule: first it is decided and written, as the condition FailureTarget or SuccessCriteriaMet; then what still runs is
deleted; and when nothing runs and everything is counted, the Job is Failed or Complete with the same reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from pybernetes.controllers import pods
from pybernetes.controllers.job import policies
from pybernetes.controllers.job.tracking import Tally
from pybernetes.controllers.job.view import View
from pybernetes.meta import objects, times

FAILURE: Final = "FailureTarget"
SUCCESS: Final = "SuccessCriteriaMet"
FINAL: Final = {FAILURE: "Failed", SUCCESS: "Complete"}


class End(NamedTuple):
    """``type`` is FAILURE or SUCCESS."""

    type: str
    reason: str
    message: str


def of(view: View, tally: Tally, given_up: set[int]) -> End | None:
    """The Job's end, decided earlier or now; None while it goes on. ``given_up`` indexes are not tried again."""
    return decided(view) or next(_found(view, tally, given_up), None)


def decided(view: View) -> End | None:
    """The end that was written earlier."""
    for type_ in (SUCCESS, FAILURE):
        told = objects.condition(view.job, type_)
        if told is not None and told.get("status") == "True":
            return End(type_, told.get("reason", ""), told.get("message", ""))
    return None


def _found(view: View, tally: Tally, given_up: set[int]) -> Iterator[End]:
    if told := _by_policy(view):
        yield End(FAILURE, "PodFailurePolicy", told)
    if _is_past_limit(view, tally):
        yield End(FAILURE, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if (left := deadline_in(view)) is not None and left <= 0:
        yield End(FAILURE, "DeadlineExceeded", "Job was active longer than specified deadline")
    yield from _by_index(view, tally, given_up)
    if view.is_indexed and (rule := policies.enough(view.job, tally.completed)) is not None:
        yield End(SUCCESS, "SuccessPolicy", f"Matched rules at index {rule}")
    if not view.active and _is_complete(view, tally):
        yield End(SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods")


def _by_policy(view: View) -> str:
    """Why a failed pod ends the Job; empty when none does."""
    if not view.spec.get("podFailurePolicy"):
        return ""
    verdicts = (policies.judge(view.job, pod) for pod in view.pods if pods.phase(pod) == "Failed")
    return next((verdict.message for verdict in verdicts if verdict.action == "FailJob"), "")


def _is_past_limit(view: View, tally: Tally) -> bool:
    limit = view.spec.get("backoffLimit")
    if limit is None:
        return False
    return tally.all_failed > limit or (_restarts_in_place(view) and _restarts(view) >= max(limit, 1))


def _restarts_in_place(view: View) -> bool:
    policy = objects.get(view.spec, "template", "spec", "restartPolicy")
    return bool(policy == "OnFailure")


def _restarts(view: View) -> int:
    """How often containers of pods that are not over were started again."""
    statuses = (
        status
        for pod in view.pods
        if pods.phase(pod) in ("Running", "Pending")
        for field in ("containerStatuses", "initContainerStatuses")
        for status in objects.get(pod, "status", field, default=[])
    )
    return sum(status.get("restartCount", 0) for status in statuses)


def deadline_in(view: View) -> float | None:
    """Seconds until the Job has been active for too long; None where there is no such limit, or it does not run."""
    limit, started = view.spec.get("activeDeadlineSeconds"), view.status.get("startTime")
    if limit is None or not started or view.is_suspended:
        return None
    return float(times.parse(started) + limit - view.now)


def _by_index(view: View, tally: Tally, given_up: set[int]) -> Iterable[End]:
    if view.limit_per_index is None or view.completions is None:
        return
    most = view.spec.get("maxFailedIndexes")
    if most is not None and len(given_up) > most:
        text = "Job has exceeded the specified maximal number of failed indexes"
        yield End(FAILURE, "MaxFailedIndexesExceeded", text)
    if given_up and not view.active and len(given_up | tally.completed) >= view.completions:
        yield End(FAILURE, "FailedIndexes", "Job has failed indexes")


def _is_complete(view: View, tally: Tally) -> bool:
    """Have so many pods succeeded as were asked for, or, where no number was, any?"""
    if view.completions is None:
        return tally.all_succeeded > 0
    return tally.all_succeeded >= view.completions
