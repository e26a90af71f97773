"""The autoscaler's arithmetic, as tables: what metrics propose, and what bounds and rates make of it."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.controllers.autoscaling import calculator, limits
from pybernetes.controllers.autoscaling.calculator import Goal, Groups, Measured, MetricError, Tolerance
from pybernetes.controllers.autoscaling.limits import Bounds
from pybernetes.controllers.autoscaling.memory import Changed, Memory, Recommended
from pybernetes.meta.objects import Obj

from . import build

REQUEST = 100
"""Thousandths of a core that each pod requests."""


def pods(ready: int, *, unready: int = 0, silent: int = 0) -> list[Obj]:
    """Old pods that are ready, some that are not, and some that are ready and of which nothing is measured."""
    made = []
    for number in range(ready + unready + silent):
        pod = build.pod(f"p{number}", ready=600)
        pod["spec"] = {"containers": [{"name": "main", "resources": {"requests": {"cpu": f"{REQUEST}m"}}}]}
        pod["status"]["startTime"] = build.ago(900)
        if ready <= number < ready + unready:
            pod["status"] |= {"phase": "Pending", "conditions": []}
        made.append(pod)
    return made


def used(*values: int) -> dict[str, Measured]:
    return {f"p{number}": Measured(value, build.NOW, 15) for number, value in enumerate(values)}


@pytest.mark.parametrize(
    "found, measured, target, replicas",
    [
        (pods(3), used(50, 50, 50), 50, 3),
        (pods(3), used(54, 54, 54), 50, 3),  # within a tenth
        (pods(3), used(100, 100, 100), 50, 6),
        (pods(3), used(60, 60, 60), 50, 4),
        (pods(4), used(10, 10, 10, 10), 50, 1),
        (pods(3, silent=1), used(100, 100, 100), 50, 6),  # the silent one is taken to use nothing
        (pods(3, silent=1), used(10, 10, 10), 50, 3),  # … or all it requests, when scaling in
        (pods(1, silent=3), used(60), 50, 4),  # which would turn the direction round: nothing changes
        (pods(2, unready=2), used(100, 100), 50, 4),  # those that are not ready dampen
        (pods(2, unready=2), used(60, 60), 50, 4),
        (pods(2, unready=2), used(10, 10), 50, 1),  # but not when scaling in
    ],
)
def test_replicas_by_utilization(found: list[Obj], measured: Any, target: int, replicas: int) -> None:
    groups = calculator.grouped(found, measured, "cpu", build.NOW)
    requests = calculator.requests(found, "cpu")
    assert calculator.by_utilization(Goal(len(found), target), measured, groups, requests).replicas == replicas


def test_the_utilization_is_what_all_use_of_what_all_request() -> None:
    groups = calculator.grouped(pods(2), used(30, 81), "cpu", build.NOW)
    found = calculator.by_utilization(Goal(2, 50), used(30, 81), groups, {"p0": 100, "p1": 100})
    assert (found.utilization, found.average) == (55, 55)


@pytest.mark.parametrize(
    "measured, target, replicas",
    [(used(10, 10), 10, 2), (used(20, 20), 10, 4), (used(5, 5), 10, 1), (used(0, 0), 10, 0), (used(10, 11), 10, 2)],
)
def test_replicas_by_an_amount_per_pod(measured: Any, target: int, replicas: int) -> None:
    groups = calculator.grouped(pods(2), measured, "", build.NOW)
    assert calculator.by_average(Goal(2, target), measured, groups).replicas == replicas


@pytest.mark.parametrize(
    "current, ready, value, replicas", [(2, 2, 100, 2), (2, 2, 250, 5), (0, 0, 250, 3), (3, 2, 20, 1)]
)
def test_replicas_by_one_number(current: int, ready: int, value: int, replicas: int) -> None:
    assert calculator.by_value(Goal(current, 100), ready, value).replicas == replicas


@pytest.mark.parametrize("current, value, replicas", [(3, 300, 3), (3, 320, 3), (3, 700, 7), (3, 0, 0), (0, 250, 3)])
def test_replicas_by_one_number_that_pods_share(current: int, value: int, replicas: int) -> None:
    assert calculator.by_value_per_pod(Goal(current, 100), current, value).replicas == replicas


def test_a_pod_that_starts_does_not_count_by_its_cpu() -> None:
    young, ending = build.pod("young", ready=5), build.pod("ending", metadata__deletionTimestamp=build.ago(1))
    young["status"]["startTime"] = build.ago(20)
    measured = {"young": Measured(99, build.NOW, 15), "ending": Measured(99, build.NOW, 15)}
    by_cpu = calculator.grouped([young, ending], measured, "cpu", build.NOW)
    assert by_cpu == Groups(0, frozenset({"young"}), frozenset(), frozenset({"ending"}))
    assert calculator.grouped([young], measured, "memory", build.NOW).ready == 1
    with pytest.raises(MetricError, match="did not receive metrics for targeted pods"):
        calculator.by_average(Goal(1, 10), measured, by_cpu)


def test_a_container_without_a_request_has_no_utilization() -> None:
    bare = build.pod("a", spec={"containers": [{"name": "main"}]})
    with pytest.raises(MetricError, match="missing request for cpu in container main of Pod a"):
        calculator.requests([bare], "cpu")
    assert calculator.requests([bare], "cpu", "other") == {"a": 0}


def test_a_tolerance_may_be_one_sided() -> None:
    assert Tolerance(up=0, down=0.5).holds(0.5)
    assert not Tolerance(up=0, down=0.5).holds(1.01)


# ── bounds and rates ─────────────────────────────────────────────────────────────────────────────────────


def memory(*recommended: tuple[float, int], changed: tuple[tuple[float, int], ...] = ()) -> Memory:
    """(seconds ago, replicas), (seconds ago, by how many)"""
    return Memory(
        [Recommended(build.NOW - ago, replicas) for ago, replicas in recommended],
        [Changed(build.NOW - ago, by) for ago, by in changed],
    )


@pytest.mark.parametrize(
    "known, current, wanted, replicas, able, limited",
    [
        (memory(), 2, 3, 3, "ReadyForNewScale", "DesiredWithinRange"),
        (memory(), 2, 9, 4, "ReadyForNewScale", "ScaleUpLimit"),
        (memory(), 5, 20, 10, "ReadyForNewScale", "TooManyReplicas"),
        (memory(), 3, 0, 1, "ReadyForNewScale", "TooFewReplicas"),
        (memory((200, 5)), 5, 2, 5, "ScaleDownStabilized", "DesiredWithinRange"),
        (memory((301, 5)), 5, 2, 2, "ReadyForNewScale", "DesiredWithinRange"),
    ],
)  # fmt: skip
def test_without_a_behavior(  # noqa: PLR0917
    known: Memory, current: int, wanted: int, replicas: int, able: str, limited: str
) -> None:
    found = limits.plain(known, current, wanted, Bounds(1, 10), build.NOW)
    assert (found.replicas, found.able.reason, found.limited.reason) == (replicas, able, limited)


def rules(*policies: tuple[str, int, int], select: str = "Max", window: int = 0) -> Obj:
    made = [{"type": kind, "value": value, "periodSeconds": period} for kind, value, period in policies]
    return {"policies": made, "selectPolicy": select, "stabilizationWindowSeconds": window}


UP = rules(("Pods", 4, 60), ("Percent", 100, 60))
DOWN = rules(("Percent", 100, 15), window=300)


@pytest.mark.parametrize(
    "known, current, wanted, behavior, replicas, reason",
    [
        (memory(), 2, 5, {"scaleUp": UP}, 5, "DesiredWithinRange"),
        (memory(), 2, 50, {"scaleUp": UP}, 6, "ScaleUpLimit"),
        (memory(), 10, 50, {"scaleUp": UP}, 20, "TooManyReplicas"),
        (memory(changed=((30, 4),)), 6, 50, {"scaleUp": UP}, 6, "ScaleUpLimit"),  # what was added counts
        (memory(changed=((61, 4),)), 6, 50, {"scaleUp": UP}, 12, "ScaleUpLimit"),
        (memory(), 2, 50, {"scaleUp": {**UP, "selectPolicy": "Min"}}, 4, "ScaleUpLimit"),
        (memory(), 2, 50, {"scaleUp": {**UP, "selectPolicy": "Disabled"}}, 2, "ScaleUpLimit"),
        (memory((30, 3)), 2, 8, {"scaleUp": {**UP, "stabilizationWindowSeconds": 60}}, 3, "DesiredWithinRange"),
        (memory(), 8, 1, {"scaleDown": rules(("Pods", 2, 60))}, 6, "ScaleDownLimit"),
        (memory(), 8, 1, {"scaleDown": rules(("Pods", 2, 60), ("Percent", 50, 60))}, 4, "ScaleDownLimit"),
        (memory(), 8, 1, {"scaleDown": rules(("Pods", 2, 60), ("Percent", 50, 60), select="Min")}, 6, "ScaleDownLimit"),
        (memory(), 8, 0, {"scaleDown": rules(("Percent", 100, 15))}, 1, "TooFewReplicas"),
        (memory((200, 7)), 8, 1, {"scaleDown": DOWN}, 7, "DesiredWithinRange"),
        (memory((200, 7)), 8, 1, {"scaleDown": rules(("Percent", 100, 15))}, 1, "DesiredWithinRange"),
    ],
)
def test_with_a_behavior(  # noqa: PLR0917
    known: Memory, current: int, wanted: int, behavior: Obj, replicas: int, reason: str
) -> None:
    found = limits.by_behavior(known, current, wanted, Bounds(1, 20), behavior, build.NOW)
    assert (found.replicas, found.limited.reason) == (replicas, reason)


def test_a_change_counts_once_the_target_has_it() -> None:
    known = Memory()
    known.begin(2, build.NOW)
    known.order(2, 5, build.NOW)
    known.begin(2, build.NOW + 15)
    assert known.change_since(0) == 0
    known.order(2, 5, build.NOW + 15)
    known.begin(5, build.NOW + 30)
    assert known.change_since(build.NOW) == 3
    assert list(known.since(0)) == [2]
