"""Who must go for a pod of higher priority, and who may stay."""

from __future__ import annotations

from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo
from pybernetes.scheduler.decide import decide
from pybernetes.scheduler.nominations import Nominations
from pybernetes.scheduler.preempt import Candidate, preempt

from .build import cluster, cordoned, node, pod, told

URGENT = pod("urgent", cpu="2", priority=100)


def old(name: str, on: str, minutes: int = 0, **spec: Any) -> Obj:
    """A placed pod of one cpu, begun so many minutes past nine."""
    spec = {"cpu": "1", "priority": 0, **spec}
    return objects.evolve(pod(name, on=on, **spec), ("status", "startTime"), f"2026-01-01T09:{minutes:02}:00Z")


def chosen(asking: Obj, nodes: list[Obj], pods: list[Obj], budgets: tuple[Obj, ...] = ()) -> Candidate:
    made, info = cluster(nodes, pods), podinfo.of(asking)
    found = preempt(made, info, decide(made, info, 0.0), budgets=budgets).chosen
    assert found is not None
    assert [str(p) for n in nodes for p in made.pods_on(n["metadata"]["name"])].sort() == [
        *map(_full_name, pods)
    ].sort()
    return found


def _full_name(pod: Obj) -> str:
    return f"{objects.namespace(pod)}/{objects.name(pod)}"


def names(candidate: Candidate) -> list[str]:
    return [victim.name for victim in candidate.victims]


def test_only_as_many_go_as_must_and_the_least_important_of_them() -> None:
    pods = [old("a", "n", 1), old("b", "n", 2), old("c", "n", 3), old("high", "n", 4, priority=50)]
    assert names(chosen(URGENT, [node("n")], pods)) == ["b", "c"]


def test_the_node_with_the_least_important_victims_is_chosen() -> None:
    nodes = [node("n1", cpu="2"), node("n2", cpu="2"), node("n3", cpu="2")]
    pods = [
        old("a", "n1", cpu="2", priority=20),
        old("b", "n2", cpu="2", priority=10),
        old("c", "n3", cpu="2", priority=30),
    ]
    assert chosen(URGENT, nodes, pods).node == "n2"


def test_fewer_victims_then_younger_ones() -> None:
    nodes = [node("n1", cpu="2"), node("n2", cpu="2"), node("n3", cpu="2")]
    pods = [old("a", "n1"), old("b", "n1"), old("c", "n2", 5, cpu="2"), old("d", "n3", 9, cpu="2")]
    assert names(chosen(URGENT, nodes, pods)) == ["d"]


def test_pods_under_a_budget_are_spared_where_others_can_go() -> None:
    guarded = objects.evolve(old("guarded", "n", 9, cpu="2"), ("metadata", "labels"), {"app": "db"})
    budget = {
        "metadata": {"namespace": "default", "name": "db"},
        "spec": {"selector": {"matchLabels": {"app": "db"}}},
        "status": {"disruptionsAllowed": 0},
    }
    pods = [guarded, old("plain", "n", 1, cpu="2")]
    assert names(chosen(URGENT, [node("n")], pods)) == ["guarded"]
    assert names(chosen(URGENT, [node("n")], pods, (budget,))) == ["plain"]


def test_why_preemption_is_of_no_use() -> None:
    nodes = [cordoned(node("n1")), node("n2"), node("n3")]
    equal = old("equal", "n2", cpu="4", priority=100)
    pods = [equal, old("low", "n3"), old("too-big", "n3", cpu="3", priority=100)]
    assert told(URGENT, nodes, pods) == (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. "
        "preemption: 0/3 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )


def test_while_a_victim_ends_no_others_are_taken() -> None:
    ending = objects.evolve(old("a", "n", cpu="4"), ("metadata", "deletionTimestamp"), "2026-01-01T09:00:00Z")
    made, info = cluster([node("n")], [ending]), podinfo.of(URGENT)
    found = preempt(made, info, decide(made, info, 0.0), nominated="n")
    assert found.why_not == "not eligible due to a terminating pod on the nominated node."


def test_a_room_is_kept_from_lower_priorities_only() -> None:
    nominations = Nominations()
    urgent = podinfo.of(URGENT)
    nominations.put(urgent, "n")
    assert [p.node_name for p in nominations.kept_from(podinfo.of(pod("low")))] == ["n"]
    assert not nominations.kept_from(podinfo.of(pod("higher", priority=101)))
    assert not nominations.kept_from(urgent)
    assert [str(p) for p in nominations.below(101, "n")] == ["default/urgent"]
