"""DaemonSets in a little world: in whatever order things happen, each node has its pod and the bounds hold."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers import history, pods
from pybernetes.controllers.daemonset import daemonpod
from pybernetes.controllers.daemonset import sync as daemonsets
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.podlife import PodLife
from pybernetes.testing.world import World

NODES = [f"n{number}" for number in range(6)]
TAINT = [{"key": "no", "value": "", "effect": "NoExecute"}]
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32)
ops = st.one_of(
    st.tuples(st.just("image"), st.sampled_from(["web:1", "web:2", "web:3"])),
    st.tuples(st.just("taint"), st.sampled_from(NODES)),
    st.tuples(st.just("untaint"), st.sampled_from(NODES)),
    st.tuples(st.just("delete"), st.integers(0, 5)),
)


class Daemons:
    """A DaemonSet ``web`` in a world of nodes."""

    def __init__(self, rolling: Obj, seed: int) -> None:
        self.world = World([daemonsets.CONTROLLER], [PodLife(node_of=daemonpod.node_of)])
        self.chance = random.Random(seed)
        for name in NODES:
            self.world.api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        self.world.api.create("daemonsets.apps", daemon_set(rolling))
        self.world.checks.append(self.check_at_most_one_of_a_template)
        self.settle()

    @property
    def owner(self) -> Obj:
        return self.world.api.get("daemonsets.apps", "web")

    def settle(self) -> None:
        self.world.run(self.chance.randrange)

    def on(self, node: str) -> list[Obj]:
        return [pod for pod in self.world.api.objects.list("pods") if daemonpod.node_of(pod) == node]

    def unavailable(self) -> int:
        return sum(not any(pods.is_ready(pod) and pods.is_active(pod) for pod in self.on(node)) for node in NODES)

    def change(self, what: str, value: Any) -> None:
        api = self.world.api
        if what == "image":
            containers = [{"name": "main", "image": value}]
            path = ("spec", "template", "spec", "containers")
            api.update("daemonsets.apps", objects.evolve(self.owner, path, containers))
        elif what == "delete":
            found = api.objects.list("pods")
            if found:
                api.delete("pods", "default", objects.name(found[value % len(found)]))
        else:
            node = api.get("nodes", value, "")
            api.update("nodes", objects.evolve(node, ("spec", "taints"), TAINT if what == "taint" else []))

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────

    def check_at_most_one_of_a_template(self) -> None:
        found = [pod for pod in self.world.api.objects.list("pods") if pods.is_active(pod)]
        marks = [(daemonpod.node_of(pod), objects.labels(pod)[history.HASH]) for pod in found]
        assert len(marks) == len(set(marks))

    def check_end(self) -> None:
        eligible = {name for name in NODES if not objects.get(self.world.api.get("nodes", name, ""), "spec", "taints")}
        found = self.world.api.objects.list("pods")
        assert sorted(map(daemonpod.node_of, found)) == sorted(eligible)
        revisions = self.world.api.objects.list(history.REVISIONS)
        newest = max(revisions, key=lambda each: each["revision"])
        wanted = self.owner["spec"]["template"]["spec"]["containers"]
        assert history.template(newest)["spec"]["containers"] == wanted
        assert {objects.labels(pod)[history.HASH] for pod in found} <= {objects.labels(newest)[history.HASH]}
        status, count = self.owner["status"], len(eligible)
        fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
        assert {status[field] for field in fields} == {count}
        assert status.get("updatedNumberScheduled", 0) == status.get("numberAvailable", 0) == count
        assert status["numberMisscheduled"] == 0


def daemon_set(rolling: Obj) -> Obj:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:0"}]}},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "revisionHistoryLimit": 10,
        },
    }


@given(
    rolling=st.one_of(
        st.builds(lambda n: {"maxUnavailable": n, "maxSurge": 0}, st.sampled_from([1, 2, 4, "34%"])),
        st.builds(lambda n: {"maxUnavailable": 0, "maxSurge": n}, st.sampled_from([1, 3, "50%"])),
    ),
    changes=st.lists(ops, max_size=6),
    seed=seeds,
)
@quick
def test_whatever_happens_every_eligible_node_has_one_pod_of_the_newest_template(
    rolling: Obj, changes: list[tuple[str, Any]], seed: int
) -> None:
    daemons = Daemons(rolling, seed)
    daemons.check_end()
    for change in changes:
        daemons.change(*change)
        for _ in range(daemons.chance.randrange(20)):
            if steps := daemons.world.steps():
                daemons.chance.choice(steps)()
    daemons.settle()
    daemons.check_end()


@given(most=st.integers(1, 4), images=st.lists(st.sampled_from(["web:1", "web:2"]), max_size=3), seed=seeds)
@quick
def test_no_more_nodes_than_allowed_are_without_a_pod_at_once(most: int, images: list[str], seed: int) -> None:
    daemons = Daemons({"maxUnavailable": most, "maxSurge": 0}, seed)

    def check() -> None:
        assert daemons.unavailable() <= most

    daemons.world.checks.append(check)
    for image in images:
        daemons.change("image", image)
        for _ in range(daemons.chance.randrange(30)):
            if steps := daemons.world.steps():
                daemons.chance.choice(steps)()
    daemons.settle()
    daemons.check_end()


@given(most=st.integers(1, 4), images=st.lists(st.sampled_from(["web:1", "web:2"]), max_size=3), seed=seeds)
@quick
def test_a_surge_leaves_no_node_without_a_pod_and_doubles_no_more_than_allowed(
    most: int, images: list[str], seed: int
) -> None:
    daemons = Daemons({"maxUnavailable": 0, "maxSurge": most}, seed)

    def check() -> None:
        assert daemons.unavailable() == 0
        assert sum(sum(map(pods.is_active, daemons.on(node))) > 1 for node in NODES) <= most

    daemons.world.checks.append(check)
    for image in images:
        daemons.change("image", image)
        daemons.settle()
        daemons.check_end()
