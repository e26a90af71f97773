from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, Create, Delete, Event, Update
from pybernetes.controllers.cronjob import CONTROLLER
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, ago

MINUTE = NOW // 60 * 60
"""The moment of ``* * * * *`` that is due at NOW, which is 20 s later."""
WAIT = After(MINUTE + 60 - NOW + 0.1)
NAME = f"web-{int(MINUTE) // 60}"


def cron_job(*, status: Obj | None = None, created: float = 30, **spec: Any) -> Obj:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {**build.metadata("web"), "creationTimestamp": ago(created)},
        "spec": {
            "schedule": "* * * * *",
            "concurrencyPolicy": "Allow",
            "suspend": False,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"template": build.template()}},
            **spec,
        },
        "status": status or {},
    }


def job(name: str, owner: Obj, *, end: str = "", age: float = 60) -> Obj:
    made: Obj = {"metadata": {**build.metadata(name), "ownerReferences": [objects.owner_reference(owner)]}}
    made["status"] = {"startTime": ago(age)}
    if end:
        made["status"]["conditions"] = [{"type": end, "status": "True", "lastTransitionTime": ago(1)}]
    if end == "Complete":
        made["status"]["completionTime"] = ago(1)
    return made


def active(*jobs: Obj) -> Obj:
    refs = [{"name": objects.name(each), "uid": objects.uid(each)} for each in jobs]
    return {"active": refs, "lastScheduleTime": times.render(MINUTE - 60)}


def plan(owner: Obj, *jobs: Obj, now: float = NOW) -> list[Any]:
    snapshot = build.Snapshot(**{"cronjobs.batch": [owner], "jobs.batch": jobs})
    return list(CONTROLLER.plan(snapshot, build.key(), now))


def only(plan: list[Any], kind: type) -> list[Any]:
    return [action for action in plan if isinstance(action, kind)]


def reasons(plan: list[Any]) -> list[str]:
    return [event.reason for event in only(plan, Event)]


def test_a_moment_that_is_due_becomes_a_job_that_its_name_and_annotation_tell() -> None:
    create, ask, after = plan(cron_job())
    made = create.obj
    assert made["metadata"]["name"] == NAME
    assert made["metadata"]["labels"] == {"a": "b"}
    assert made["metadata"]["annotations"] == {
        "batch.kubernetes.io/cronjob-scheduled-timestamp": times.render(MINUTE),
    }
    assert made["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert create.event.message == "Created job {name}"
    assert after == WAIT
    (update,) = ask.then([job(NAME, cron_job())])
    assert update.subresource == "status"
    assert update.obj["status"]["lastScheduleTime"] == times.render(MINUTE)
    assert [ref["name"] for ref in update.obj["status"]["active"]] == [NAME]


def test_a_name_that_somebody_else_has_loses_the_moment() -> None:
    ask = only(plan(cron_job()), Ask)[0]
    assert list(ask.then([job(NAME, replace_uid(cron_job()))])) == []


def replace_uid(owner: Obj) -> Obj:
    return objects.evolve(owner, ("metadata", "uid"), "other")


def test_a_moment_that_was_served_is_not_served_again() -> None:
    assert plan(cron_job(status={"lastScheduleTime": times.render(MINUTE)})) == [WAIT]


def test_nothing_is_due_before_the_first_moment_and_while_suspended() -> None:
    assert plan(cron_job(created=10)) == [WAIT]
    assert plan(cron_job(suspend=True)) == []


@pytest.mark.parametrize(("policy", "creates", "deletes"), [("Allow", 1, 0), ("Forbid", 0, 0), ("Replace", 1, 1)])
def test_a_job_that_still_runs_matters_as_the_policy_says(policy: str, creates: int, deletes: int) -> None:
    running = job("web-1", cron_job())
    actions = plan(cron_job(status=active(running), concurrencyPolicy=policy), running)
    assert len(only(actions, Create)) == creates
    assert [a.name for a in only(actions, Delete)] == ["web-1"] * deletes
    assert reasons(actions) == (["JobAlreadyActive"] if policy == "Forbid" else [])
    if policy == "Allow":
        (update,) = only(actions, Ask)[0].then([job(NAME, cron_job())])
        assert [ref["name"] for ref in update.obj["status"]["active"]] == ["web-1", NAME]


def test_of_many_missed_moments_the_last_is_made_up_for_and_a_hundred_are_told_of() -> None:
    actions = plan(cron_job(created=3 * 3600))
    assert [create.obj["metadata"]["name"] for create in only(actions, Create)] == [NAME]
    assert reasons(actions) == ["TooManyMissedTimes"]


def test_a_moment_beyond_its_deadline_is_missed() -> None:
    actions = plan(cron_job(created=3 * 3600, startingDeadlineSeconds=10))
    assert not only(actions, Create)
    assert reasons(actions) == ["MissSchedule"]
    assert "Tue, 14 Nov 2023 22:13:00 +0000" in only(actions, Event)[0].message


def test_a_job_that_has_ended_leaves_the_list_and_is_told_of() -> None:
    done = job("web-1", cron_job(), end="Complete")
    actions = plan(cron_job(status=active(done), suspend=True), done)
    assert [e.message for e in only(actions, Event)] == ["Saw completed job: web-1, condition: Complete"]
    status = only(actions, Update)[0].obj["status"]
    assert status == {"lastScheduleTime": times.render(MINUTE - 60), "lastSuccessfulTime": ago(1)}


def test_a_job_that_is_gone_and_one_that_nobody_knows_are_told_of() -> None:
    gone, manual = job("web-1", cron_job()), job("manual", cron_job())
    actions = plan(cron_job(status=active(gone), suspend=True), manual)
    assert reasons(actions) == ["UnexpectedJob", "MissingJob"]
    assert "active" not in only(actions, Update)[0].obj["status"]


def test_history_keeps_the_youngest_of_either_end() -> None:
    owner = cron_job(suspend=True, status={"lastSuccessfulTime": ago(1)})
    jobs = [job(f"good-{age}", owner, end="Complete", age=age) for age in (50, 40, 30, 20, 10)]
    jobs += [job(f"bad-{age}", owner, end="Failed", age=age) for age in (50, 40)]
    actions = plan(owner, *jobs)
    assert [a.name for a in only(actions, Delete)] == ["good-50", "good-40", "bad-50"]
    assert {a.propagation for a in only(actions, Delete)} == {"Background"}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_a_time_zone_that_is_none_is_told_of(zone: str) -> None:
    assert reasons(plan(cron_job(timeZone=zone))) == ["UnknownTimeZone"]


def test_a_job_wakes_its_cron_job() -> None:
    snapshot = build.Snapshot(**{"cronjobs.batch": [cron_job()]})
    assert list(CONTROLLER.inputs[1].keys(snapshot, None, job("x", cron_job()))) == [build.key()]


def test_a_cron_job_that_is_deleted_makes_nothing_more() -> None:
    owner = cron_job()
    owner["metadata"]["deletionTimestamp"] = ago(1)
    assert plan(owner) == []
