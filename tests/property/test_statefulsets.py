"""StatefulSets in a little world: in whatever order things happen, a name is one pod's alone, and order is kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers import history, pods
from pybernetes.controllers.statefulset import identity
from pybernetes.controllers.statefulset import sync as statefulsets
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.podlife import PodLife
from pybernetes.testing.world import World

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("replicas"), st.integers(0, 5)),
        st.tuples(st.just("image"), st.sampled_from(["web:1", "web:2"])),
        st.tuples(st.just("partition"), st.integers(0, 4)),
        st.tuples(st.just("start"), st.integers(0, 3)),
        st.tuples(st.just("delete"), st.integers(0, 5)),
    ),
    max_size=6,
)
_PATHS = {
    "replicas": ("spec", "replicas"),
    "image": ("spec", "template", "spec", "containers"),
    "partition": ("spec", "updateStrategy", "rollingUpdate", "partition"),
    "start": ("spec", "ordinals", "start"),
}


class Row:
    """A StatefulSet ``web`` in a world."""

    def __init__(self, seed: int, **spec: Any) -> None:
        self.world = World([statefulsets.CONTROLLER], [PodLife()])
        self.chance = random.Random(seed)
        self.before: set[int] = set()
        self.world.api.create("statefulsets.apps", stateful_set(**spec))
        self.world.checks.append(self.check_names)

    @property
    def owner(self) -> Obj:
        return self.world.api.get("statefulsets.apps", "web")

    @property
    def pods(self) -> Sequence[Obj]:
        return self.world.api.objects.list("pods")

    @property
    def wanted(self) -> range:
        start = objects.get(self.owner, "spec", "ordinals", "start", default=0)
        return range(start, start + self.owner["spec"]["replicas"])

    def change(self, what: str, value: Any) -> None:
        if what == "delete":
            if self.pods:
                self.world.api.delete("pods", "default", objects.name(self.pods[value % len(self.pods)]))
            return
        value = [{"name": "main", "image": value}] if what == "image" else value
        self.world.api.update("statefulsets.apps", objects.evolve(self.owner, _PATHS[what], value))

    def stir(self) -> None:
        for _ in range(self.chance.randrange(25)):
            if steps := self.world.steps():
                self.chance.choice(steps)()

    def settle(self) -> None:
        self.world.run(self.chance.randrange)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    def check_names(self) -> None:
        """Of a name there is one pod, and it has the claim of its name."""
        for pod in self.pods:
            claim = objects.get(pod, "spec", "volumes", 0, "persistentVolumeClaim", "claimName")
            assert claim == f"data-{objects.name(pod)}"
            assert self.world.api.objects.get("persistentvolumeclaims", "default", claim) is not None

    def check_order(self) -> None:
        """A pod is made when all before it are ready, and goes when none is above it."""
        now = {identity.ordinal(pod): pod for pod in self.pods}
        for made in now.keys() - self.before:
            below = (now.get(ordinal) for ordinal in self.wanted if ordinal < made)
            assert all(pod is not None and pods.is_ready(pod) for pod in below)
        going = [ordinal for ordinal, pod in now.items() if objects.is_deleting(pod)]
        assert len(going) <= 1
        self.before = set(now)

    def check_end(self) -> None:
        assert sorted(map(identity.ordinal, self.pods)) == list(self.wanted)
        status, count = self.owner["status"], len(self.wanted)
        assert {status.get(field, 0) for field in ("replicas", "readyReplicas", "availableReplicas")} == {count}
        start, partition = self.wanted.start, self.owner["spec"]["updateStrategy"]["rollingUpdate"]["partition"]
        update = status["updateRevision"]
        newest = self.world.api.get(history.REVISIONS, update)
        assert history.template(newest) == self.owner["spec"]["template"]
        for pod in self.pods:
            if identity.ordinal(pod) - start >= partition:
                assert objects.labels(pod)[history.HASH] == update
        if partition == 0:
            assert status["currentRevision"] == update
            assert status.get("updatedReplicas", 0) == status.get("currentReplicas", 0) == count


def stateful_set(**spec: Any) -> Obj:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 3,
            "serviceName": "web",
            "podManagementPolicy": "OrderedReady",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:0"}]}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}],
            "revisionHistoryLimit": 10,
            **spec,
        },
    }


@given(policy=st.sampled_from(["OrderedReady", "Parallel"]), changes=changes, seed=seeds)
@quick
def test_whatever_happens_the_row_is_filled_with_pods_of_the_right_revision(
    policy: str, changes: list[tuple[str, Any]], seed: int
) -> None:
    row = Row(seed, podManagementPolicy=policy)
    for change in changes:
        row.stir()
        row.change(*change)
    row.settle()
    row.check_end()


@given(sizes=st.lists(st.integers(0, 6), max_size=5), seed=seeds)
@quick
def test_an_ordered_set_grows_and_shrinks_one_by_one(sizes: list[int], seed: int) -> None:
    row = Row(seed)
    row.world.checks.append(row.check_order)
    for size in sizes:
        row.stir()
        row.change("replicas", size)
    row.settle()
    row.check_end()


@given(most=st.integers(1, 4), images=st.lists(st.sampled_from(["web:1", "web:2"]), max_size=3), seed=seeds)
@quick
def test_a_rollout_takes_no_more_pods_away_than_it_may(most: int, images: list[str], seed: int) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": most}}
    row = Row(seed, replicas=5, podManagementPolicy="Parallel", updateStrategy=rolling)
    row.settle()
    row.world.checks.append(lambda: check_available(row, 5 - most))
    for image in images:
        row.change("image", image)
        row.settle()
        row.check_end()


def check_available(row: Row, least: int) -> None:
    assert sum(pods.is_ready(pod) and not objects.is_deleting(pod) for pod in row.pods) >= least
