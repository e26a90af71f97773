"""Jobs in a little world: in whatever order things happen, no pod is counted twice or too many are run."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers import jobstatus, pods
from pybernetes.controllers.job import indexes, orphans
from pybernetes.controllers.job import sync as jobs
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.testing.world import Step, World

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Running:
    """Pods run and end as ``outcome`` tells of the n-th end; what is deleted ends as Failed, and goes."""

    def __init__(self, outcome: Callable[[Obj], str]) -> None:
        self._outcome = outcome

    def steps(self, world: World) -> Iterable[Step]:
        for pod in world.api.objects.list("pods"):
            if pods.phase(pod) in pods.FINISHED:
                if objects.is_deleting(pod) and not objects.finalizers(pod):
                    yield partial(self._remove, world, pod)
            elif objects.is_deleting(pod):
                yield partial(self._phase, world, pod, "Failed")
            elif not pods.node(pod):
                yield partial(world.api.update, "pods", objects.evolve(pod, ("spec", "nodeName"), "n1"))
            else:
                yield partial(self._phase, world, pod, "")

    def _phase(self, world: World, pod: Obj, phase: str) -> None:
        at = times.render(world.now)
        status = {
            "phase": phase or self._outcome(pod),
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": at}],
        }
        world.api.update("pods", {**pod, "status": status}, "status")

    def _remove(self, world: World, pod: Obj) -> None:
        world.api.delete("pods", objects.namespace(pod), objects.name(pod), grace_period_seconds=0)


class Batch:
    """A Job ``work`` in a world, and what must hold at every instant."""

    def __init__(self, seed: int, failing: float, **spec: Any) -> None:
        self.chance = random.Random(seed)
        self.ended: dict[str, str] = {}
        self.is_interrupted = False
        """Were pods removed, of which some may have succeeded just then?"""
        self.most = spec.get("parallelism", 1)
        self.world = World([jobs.CONTROLLER, orphans.CONTROLLER], [Running(partial(self._outcome, failing))])
        self.world.api.create("jobs.batch", job(**spec))
        self.world.checks += [self.check_active, self.check_counts]

    @property
    def job(self) -> Obj:
        return self.world.api.get("jobs.batch", "work")

    def _outcome(self, failing: float, pod: Obj) -> str:
        outcome = "Failed" if self.chance.random() < failing else "Succeeded"
        self.ended[objects.uid(pod)] = outcome
        return outcome

    def counted(self, outcome: str) -> int:
        return sum(each == outcome for each in self.ended.values())

    def run(self, seconds: float = 100_000) -> None:
        self.world.run(self.chance.randrange, seconds=seconds)

    def check_active(self) -> None:
        active = [pod for pod in self.world.api.objects.list("pods") if pods.is_active(pod)]
        assert len(active) <= self.most
        held = [index for pod in active if (index := indexes.of(pod)) is not None]
        assert len(held) == len(set(held))

    def check_counts(self) -> None:
        status = self.job.get("status") or {}
        assert status.get("succeeded", 0) <= self.counted("Succeeded")
        wanted = self.job["spec"].get("completions")
        if wanted is not None:
            assert status.get("succeeded", 0) <= wanted

    def check_end(self, end: str) -> None:
        """It has ended so, and everything was counted exactly once."""
        found = jobstatus.end(self.job)
        assert found is not None
        assert found["type"] == end
        status = self.job["status"]
        if not self.is_interrupted:
            assert status.get("succeeded", 0) == self.counted("Succeeded")
        assert status.get("active", 0) == 0
        assert status["uncountedTerminatedPods"] == {}
        assert not any(map(objects.finalizers, self.world.api.objects.list("pods")))


def job(**spec: Any) -> Obj:
    labels = {"job": "work"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work", "namespace": "default"},
        "spec": {
            "parallelism": 1,
            "backoffLimit": 10**6,
            "completionMode": "NonIndexed",
            "suspend": False,
            "podReplacementPolicy": "TerminatingOrFailed",
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]},
            },
            **spec,
        },
    }  # fmt: skip


seeds = st.integers(0, 2**32)
sizes = {"completions": st.integers(1, 7), "parallelism": st.integers(1, 5)}
policies = st.sampled_from(["TerminatingOrFailed", "Failed"])


@given(seed=seeds, failing=st.sampled_from([0.0, 0.3]), mode=st.sampled_from(["NonIndexed", "Indexed"]), **sizes)
@quick
def test_a_job_completes_with_so_many_successes_as_were_asked_for(
    seed: int, failing: float, mode: str, completions: int, parallelism: int
) -> None:
    batch = Batch(seed, failing, completions=completions, parallelism=parallelism, completionMode=mode)
    batch.run()
    batch.check_end("Complete")
    assert batch.job["status"]["succeeded"] == completions
    assert batch.job["status"].get("failed", 0) == batch.counted("Failed")
    if mode == "Indexed":
        assert batch.job["status"]["completedIndexes"] == indexes.render(range(completions))


@given(seed=seeds, limit=st.integers(0, 4), policy=policies, **sizes)
@quick
def test_a_job_that_always_fails_ends_at_its_limit(
    seed: int, limit: int, policy: str, completions: int, parallelism: int
) -> None:
    batch = Batch(
        seed, 1.0, completions=completions, parallelism=parallelism, backoffLimit=limit, podReplacementPolicy=policy
    )
    batch.run()
    batch.check_end("Failed")
    end = jobstatus.end(batch.job)
    assert end is not None
    assert end["reason"] == "BackoffLimitExceeded"
    assert batch.job["status"]["failed"] >= limit + 1
    assert batch.counted("Failed") <= limit + parallelism


@given(seed=seeds, limit=st.integers(0, 2), **sizes)
@quick
def test_each_index_is_tried_as_often_as_it_may(seed: int, limit: int, completions: int, parallelism: int) -> None:
    batch = Batch(
        seed, 0.4, completions=completions, parallelism=parallelism, completionMode="Indexed",
        backoffLimitPerIndex=limit, maxFailedIndexes=completions,
    )  # fmt: skip
    batch.run()
    end, status = jobstatus.end(batch.job), batch.job["status"]
    assert end is not None
    done = indexes.parse(status.get("completedIndexes", ""), completions)
    failed = indexes.parse(status.get("failedIndexes", ""), completions)
    assert done | failed == set(range(completions))
    assert not done & failed
    batch.check_end("Failed" if failed else "Complete")
    assert batch.counted("Failed") <= completions * (limit + 1)
    assert status.get("failed", 0) == batch.counted("Failed")


@given(seed=seeds, turns=st.lists(st.booleans(), max_size=6), policy=policies, **sizes)
@quick
def test_stopping_and_going_on_loses_and_repeats_no_success(
    seed: int, turns: list[bool], policy: str, completions: int, parallelism: int
) -> None:
    batch = Batch(seed, 0.0, completions=completions, parallelism=parallelism, podReplacementPolicy=policy)
    batch.is_interrupted = True
    for suspend in [*turns, False]:
        if jobstatus.end(batch.job) is None:
            batch.world.api.update("jobs.batch", objects.evolve(batch.job, ("spec", "suspend"), suspend))
        for _ in range(batch.chance.randrange(40)):
            if steps := batch.world.steps():
                batch.chance.choice(steps)()
    batch.run()
    batch.check_end("Complete")
    assert batch.job["status"]["succeeded"] == completions
    assert batch.job["status"].get("failed", 0) == 0


@given(seed=seeds, **sizes)
@quick
def test_the_pods_of_a_job_that_is_gone_are_let_go(seed: int, completions: int, parallelism: int) -> None:
    batch = Batch(seed, 0.0, completions=completions, parallelism=parallelism)
    for _ in range(batch.chance.randrange(30)):
        if steps := batch.world.steps():
            batch.chance.choice(steps)()
    batch.world.checks.clear()
    batch.world.api.delete("jobs.batch", "default", "work")
    batch.run()
    assert not any(map(objects.finalizers, batch.world.api.objects.list("pods")))
