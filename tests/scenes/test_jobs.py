"""Jobs and CronJobs in a whole cluster, on a clock that is turned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

JOBS, CRON_JOBS = "jobs.batch", "cronjobs.batch"
START = 1_700_000_040.0
"""A whole minute: 22:14:00."""


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
async def turned(clock: VirtualClock) -> AsyncIterator[Cluster]:
    async with Cluster(nodes=2, clock=clock) as made:
        yield made


async def seen(clock: VirtualClock, waiting: Coroutine[Any, Any, Any]) -> Any:
    """What is waited for, while time passes little by little: who has to try again does so."""
    task = asyncio.create_task(waiting)
    while not task.done():
        await clock.advance(0.01)
    return await task


def job_spec(*command: str, **spec: Any) -> Obj:
    container = {"name": "main", "image": "web:v1", "command": [*command]}
    return {**spec, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}


def job(*command: str, **spec: Any) -> Obj:
    metadata = {"name": "work", "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job_spec(*command, **spec)}


def cron_job(schedule: str, *command: str, **spec: Any) -> Obj:
    metadata = {"name": "tick", "namespace": "default"}
    template = {"spec": job_spec(*command)}
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata,
        "spec": {"schedule": schedule, "jobTemplate": template, **spec},
    }  # fmt: skip


def has(type_: str) -> Any:
    return lambda obj: objects.condition_is(obj, type_)


def counts(field: str, number: int) -> Any:
    return lambda obj: objects.get(obj, "status", field) == number


# ── Jobs ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_job_runs_to_its_end_and_its_pods_stay_until_it_is_deleted(cluster: Cluster) -> None:
    await cluster.create(JOBS, job(completions=3, parallelism=2, completionMode="Indexed"))
    done = (await cluster.until(JOBS, "work", has("Complete")))["status"]
    assert (done["succeeded"], done["completedIndexes"], done["uncountedTerminatedPods"]) == (3, "0-2", {})
    pods = await cluster.list("pods", "job-name=work")
    assert {objects.labels(pod)["batch.kubernetes.io/job-completion-index"] for pod in pods} == {"0", "1", "2"}
    assert {pod["status"]["phase"] for pod in pods} == {"Succeeded"}
    await cluster.until_events("work", "Completed", lambda told: told == ["Job completed"])
    await cluster.client.delete(JOBS, "work", "default", propagation="Foreground")
    await cluster.until_gone(JOBS, "work")
    assert await cluster.list("pods") == []


async def test_a_job_takes_as_long_as_it_sleeps(turned: Cluster, clock: VirtualClock) -> None:
    await turned.create(JOBS, job("sh", "-c", "echo start; sleep 30"))
    await seen(clock, turned.until(JOBS, "work", counts("ready", 1)))
    await clock.advance(29)
    assert not objects.condition_is(await turned.client.get(JOBS, "work", "default"), "Complete")
    await clock.advance(2)
    done = await seen(clock, turned.until(JOBS, "work", has("Complete")))
    took = times.parse(done["status"]["completionTime"]) - times.parse(done["status"]["startTime"])
    assert took in (30, 31)


async def test_a_job_that_takes_too_long_is_stopped(turned: Cluster, clock: VirtualClock) -> None:
    await turned.create(JOBS, job("sleep", "600", completions=6, parallelism=2, activeDeadlineSeconds=8))
    await seen(clock, turned.until(JOBS, "work", counts("active", 2)))
    await clock.advance(9)
    failed = await seen(clock, turned.until(JOBS, "work", has("Failed")))
    told = objects.condition(failed, "Failed") or {}
    assert (told["reason"], told["message"]) == ("DeadlineExceeded", "Job was active longer than specified deadline")
    assert "active" not in failed["status"]
    await seen(clock, turned.until_events("work", "DeadlineExceeded", bool))
    await seen(clock, turned.until_all("pods", lambda pods: not pods))


async def test_a_failed_pod_is_tried_again_after_ten_seconds(turned: Cluster, clock: VirtualClock) -> None:
    await turned.create(JOBS, job("sleep", "600", backoffLimit=1))
    for tries in (1, 2):
        pods = await seen(clock, turned.until_all("pods", runs_beside(tries - 1)))
        await fail(turned, clock, next(filter(has("Ready"), pods)))
        await clock.advance(9)
        assert len(await turned.list("pods")) == tries
        await clock.advance(2)
    failed = await seen(clock, turned.until(JOBS, "work", has("Failed")))
    assert failed["status"]["failed"] == 2
    await seen(clock, turned.until_events("work", "BackoffLimitExceeded", bool))


def runs_beside(others: int) -> Any:
    def holds(pods: Sequence[Obj]) -> bool:
        return len(pods) == others + 1 and any(map(has("Ready"), pods))

    return holds


async def fail(turned: Cluster, clock: VirtualClock, pod: Obj) -> None:
    """End a pod as a kubelet does whose container has failed."""
    at = times.render(clock.time())
    state = {"terminated": {"exitCode": 1, "finishedAt": at}}
    status = {
        "phase": "Failed",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": at}],
        "containerStatuses": [{"name": "main", "state": state}],
    }
    await turned.patch("pods", objects.name(pod), {"status": status}, subresource="status")


async def test_a_suspended_job_waits_and_goes_on(cluster: Cluster) -> None:
    await cluster.create(JOBS, job(suspend=True))
    await cluster.until(JOBS, "work", has("Suspended"))
    assert await cluster.list("pods") == []
    await cluster.patch(JOBS, "work", {"spec": {"suspend": False}})
    await cluster.until(JOBS, "work", has("Complete"))
    await cluster.until_events("work", "Resumed", lambda told: told == ["Job resumed"])


@pytest.mark.parametrize("policy", ["Failed", "TerminatingOrFailed"])
async def test_a_pod_that_somebody_deletes_counts_as_failed_and_is_replaced(cluster: Cluster, policy: str) -> None:
    await cluster.create(JOBS, job("sleep", "600", podReplacementPolicy=policy))
    (first,) = await cluster.until_all("pods", runs_beside(0))
    await cluster.client.delete("pods", objects.name(first), "default")
    await cluster.until_all("pods", lambda pods: runs_beside(0)(pods) and objects.uid(pods[0]) != objects.uid(first))
    await cluster.until(JOBS, "work", lambda obj: counts("failed", 1)(obj) and counts("active", 1)(obj))


async def test_pods_that_outlive_their_job_bear_no_finalizer(cluster: Cluster) -> None:
    await cluster.create(JOBS, job("sleep", "600", parallelism=2, completions=2))
    await cluster.until_all("pods", lambda pods: len(pods) == 2 and all(map(has("Ready"), pods)))
    await cluster.client.delete(JOBS, "work", "default", propagation="Orphan")
    await cluster.until_gone(JOBS, "work")
    await cluster.until_all("pods", lambda pods: len(pods) == 2 and not any(map(objects.finalizers, pods)))


async def test_a_finished_job_goes_when_its_time_is_over(turned: Cluster, clock: VirtualClock) -> None:
    await turned.create(JOBS, job(ttlSecondsAfterFinished=100))
    await seen(clock, turned.until(JOBS, "work", has("Complete")))
    await clock.advance(98)
    assert len(await turned.list(JOBS)) == 1
    await clock.advance(3)
    await seen(clock, turned.until_gone(JOBS, "work"))
    assert await turned.list("pods") == []


# ── CronJobs ─────────────────────────────────────────────────────────────────────────────────────────────


def name(moment: float) -> str:
    return f"tick-{int(moment) // 60}"


async def test_an_hour_passes_and_every_moment_in_it_has_had_its_job(turned: Cluster, clock: VirtualClock) -> None:
    """22:14 UTC is 7:14 in Seoul."""
    schedule = cron_job("*/10 7 * * *", timeZone="Asia/Seoul", successfulJobsHistoryLimit=2)
    await turned.create(CRON_JOBS, schedule)
    due = [name(START + 360 + number * 600) for number in range(4)]
    for _ in range(5):
        await clock.advance(600)
    told = await seen(clock, turned.until_events("tick", "SuccessfulCreate", lambda told: len(told) == 4))
    assert told == [f"Created job {each}" for each in due]
    kept = await seen(clock, turned.until_all(JOBS, lambda jobs: len(jobs) == 2))
    assert sorted(map(objects.name, kept)) == due[2:]
    status = (await turned.client.get(CRON_JOBS, "tick", "default"))["status"]
    assert status["lastScheduleTime"] == "2023-11-14T22:50:00Z"
    assert status["lastSuccessfulTime"] >= status["lastScheduleTime"]
    assert "active" not in status


async def test_a_job_that_runs_is_listed_and_keeps_the_next_one_waiting(turned: Cluster, clock: VirtualClock) -> None:
    await turned.create(CRON_JOBS, cron_job("* * * * *", "sleep", "150", concurrencyPolicy="Forbid"))
    await clock.advance(61)
    listed = await seen(clock, turned.until(CRON_JOBS, "tick", lambda obj: objects.get(obj, "status", "active")))
    assert [ref["name"] for ref in listed["status"]["active"]] == [name(START + 60)]
    await clock.advance(120)
    assert [objects.name(job) for job in await turned.list(JOBS)] == [name(START + 60)]
    await seen(clock, turned.until_events("tick", "JobAlreadyActive", bool))
    await clock.advance(60)
    await seen(clock, turned.until(JOBS, name(START + 180), bool))
    await seen(clock, turned.until_events("tick", "SawCompletedJob", bool))


async def test_a_suspended_cron_job_makes_nothing_and_takes_its_jobs_along_when_it_goes(
    turned: Cluster, clock: VirtualClock
) -> None:
    owner = await turned.create(CRON_JOBS, cron_job("* * * * *", "sleep", "600", suspend=True))
    manual = job("sleep", "600")
    manual["metadata"]["ownerReferences"] = [objects.owner_reference(owner)]
    await turned.create(JOBS, manual)
    await clock.advance(600)
    assert [objects.name(each) for each in await turned.list(JOBS)] == ["work"]
    await turned.patch(CRON_JOBS, "tick", {"spec": {"suspend": False}}, kind="merge")
    await seen(clock, turned.until(JOBS, name(START + 600), bool))
    await turned.client.delete(CRON_JOBS, "tick", "default", propagation="Background")
    await clock.advance(5)  # who comes in between with a write is asked again a little later
    await seen(clock, turned.until_all(JOBS, lambda jobs: not jobs))
    await seen(clock, turned.until_all("pods", lambda pods: not pods))
