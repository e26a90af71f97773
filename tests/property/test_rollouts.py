"""Rollouts in a little world: in whatever order things happen, the strategy's bounds hold and an end is reached."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers import pods, replicaset
from pybernetes.controllers.deployment import amounts, revision
from pybernetes.controllers.deployment import sync as deployments
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.podlife import PodLife
from pybernetes.testing.world import World

BAD = "web:bad"
"""An image whose pods never become ready."""
RECREATE: Obj = {"type": "Recreate"}
ops = st.one_of(
    st.tuples(st.just("image"), st.sampled_from(["web:1", "web:2", "web:3", BAD])),
    st.tuples(st.just("replicas"), st.integers(0, 8)),
    st.tuples(st.just("paused"), st.booleans()),
)
amount = st.one_of(st.integers(0, 4), st.sampled_from(["0%", "25%", "50%", "100%"]))
rolling = st.builds(
    lambda surge, unavailable: {
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    },
    amount, amount,
)  # fmt: skip
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def image(obj: Obj) -> str:
    spec = objects.get(obj, "spec", "template", "spec") or obj["spec"]
    return str(spec["containers"][0]["image"])


class Rollouts:
    """A Deployment ``web`` in a world, and what must hold at every instant."""

    def __init__(self, strategy: Obj, replicas: int, seed: int) -> None:
        self.world = World([deployments.CONTROLLER, replicaset.CONTROLLER], [PodLife(lambda pod: image(pod) != BAD)])
        self.chance = random.Random(seed)
        self.least, self.most = 0, 10**6
        self.world.api.create("deployments.apps", deployment(strategy, replicas))
        self.world.checks += [self.check_bounds]
        if strategy == RECREATE:
            self.world.checks.append(self.check_apart)
        self.settle()

    @property
    def deployment(self) -> Obj:
        return self.world.api.get("deployments.apps", "web")

    @property
    def sets(self) -> Sequence[Obj]:
        return self.world.api.objects.list("replicasets.apps")

    def active(self) -> list[Obj]:
        return [pod for pod in self.world.api.objects.list("pods") if pods.is_active(pod)]

    def available(self) -> int:
        return sum(map(pods.is_ready, self.active()))

    def change(self, field: str, value: Any) -> None:
        """Do as a user does, and note which bounds hold from now on."""
        before = self.deployment
        path = ("spec", field)
        if field == "image":
            path, value = ("spec", "template", "spec", "containers"), [{"name": "main", "image": value}]
        after = objects.evolve(before, path, value)
        self.most = max(map(amounts.max_replicas, (before, after)))
        self.least = min(*map(amounts.min_available, (before, after)), self.available())
        if field == "replicas" and self.available() < len(self.active()):
            self.least = 0  # shared out by size, a broken ReplicaSet keeps its part
        if after["spec"]["strategy"] == RECREATE:
            self.least = 0
        self.world.api.update("deployments.apps", after)

    def settle(self) -> None:
        self.world.run(self.chance.randrange)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    def check_bounds(self) -> None:
        assert len(self.active()) <= self.most
        assert self.available() >= self.least

    def check_apart(self) -> None:
        running = self.world.api.objects.list("pods")
        assert len({objects.labels(pod)[revision.HASH] for pod in running}) <= 1

    def check_end(self) -> None:
        """At a fixed point the revisions are in order, and a rollout that could be completed is."""
        numbers = [revision.number(each) for each in self.sets]
        assert len(set(numbers)) == len(numbers)
        owner = self.deployment
        if objects.get(owner, "spec", "paused"):
            return
        new = revision.find_new(owner, self.sets)
        assert new is not None
        assert revision.number(new) == max(numbers)
        assert objects.annotations(owner)[revision.REVISION] == objects.annotations(new)[revision.REVISION]
        if image(owner) != BAD:
            self.check_complete(owner, new)

    def check_complete(self, owner: Obj, new: Obj) -> None:
        wanted = amounts.replicas(owner)
        sizes = {objects.name(each): amounts.replicas(each) for each in self.sets}
        assert sizes == {name: wanted if name == objects.name(new) else 0 for name in sizes}
        counts = {
            field: owner["status"].get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")
        }
        assert set(counts.values()) == {wanted}
        assert len(self.active()) == wanted
        told = objects.condition(owner, "Progressing")
        assert told is not None
        assert told["reason"] == "NewReplicaSetAvailable"


def deployment(strategy: Obj, replicas: int) -> Obj:
    template = {
        "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "web:0"}]},
    }  # fmt: skip
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
            "strategy": strategy,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
        },
    }


@given(strategy=rolling, replicas=st.integers(0, 8), changes=st.lists(ops, max_size=5), seed=st.integers(0, 2**32))
@quick
def test_a_rolling_update_keeps_its_bounds_and_comes_to_an_end(
    strategy: Obj, replicas: int, changes: list[tuple[str, Any]], seed: int
) -> None:
    rollouts = Rollouts(strategy, replicas, seed)
    rollouts.check_end()
    for change in changes:
        rollouts.change(*change)
        rollouts.settle()
        rollouts.check_end()


@given(replicas=st.integers(0, 6), changes=st.lists(ops, max_size=5), seed=st.integers(0, 2**32))
@quick
def test_recreate_never_has_old_and_new_pods_together(replicas: int, changes: list[tuple[str, Any]], seed: int) -> None:
    rollouts = Rollouts(RECREATE, replicas, seed)
    for change in changes:
        rollouts.change(*change)
        rollouts.settle()
        rollouts.check_end()


@given(changes=st.lists(ops, min_size=1, max_size=8), seed=st.integers(0, 2**32))
@quick
def test_changes_in_the_middle_of_a_rollout_come_to_the_same_end(changes: list[tuple[str, Any]], seed: int) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    rollouts = Rollouts(strategy, 4, seed)
    rollouts.world.checks.clear()
    for change in changes:
        rollouts.change(*change)
        for _ in range(rollouts.chance.randrange(30)):
            if steps := rollouts.world.steps():
                rollouts.chance.choice(steps)()
    rollouts.settle()
    rollouts.check_end()


def test_an_undo_is_a_new_revision_of_the_old_replica_set() -> None:
    rollouts = Rollouts(RECREATE, 2, seed=0)
    first = rollouts.sets[0]
    for change in (("image", "web:1"), ("image", "web:0")):
        rollouts.change(*change)
        rollouts.settle()
    assert len(rollouts.sets) == 2
    again = rollouts.world.api.get("replicasets.apps", objects.name(first))
    assert revision.number(again) == 3
    assert objects.annotations(again)[revision.HISTORY] == "1"


def test_a_rollout_that_stands_still_has_timed_out_when_its_deadline_is_over() -> None:
    rollouts = Rollouts({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}, 2, seed=0)
    rollouts.change("image", BAD)
    rollouts.world.run(seconds=700)
    told = objects.condition(rollouts.deployment, "Progressing")
    assert told is not None
    assert (told["status"], told["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert rollouts.available() == 2
    scaled = [event.message for event in rollouts.world.events if event.reason == "ScalingReplicaSet"]
    assert [text.split(" from ")[1] for text in scaled] == ["0 to 2", "0 to 1"]
