"""Who has to go when a node runs short, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import eviction
from pybernetes.node.eviction import DISK_PRESSURE, MEMORY_PRESSURE, Reading, Shortage, Usage
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.testing import onenode

from .build import main, pod
from .scene import Scene

MI = 1 << 20
THRESHOLDS = {"memory.available": "100Mi", "nodefs.available": "10%"}


def named(name: str, resources: Obj | None = None, **spec: Any) -> Obj:
    made = pod(main(resources=resources or {}), **spec)
    return made | {"metadata": {"name": name, "namespace": "ns", "uid": name}}


def asking(request: str, limit: str = "") -> Obj:
    return {"requests": {"memory": request}} | ({"limits": {"memory": limit}} if limit else {})


def order(pods: list[Obj], used: dict[str, int]) -> list[str]:
    usages = {name: [Usage("c", number * MI)] for name, number in used.items()}
    return [objects.name(p) for p in eviction.ranked(pods, usages, "memory")]


def test_a_threshold_is_met_by_quantity_or_by_percentage() -> None:
    readings = {"memory.available": Reading(99 * MI, 1000 * MI), "nodefs.available": Reading(100, 1000)}
    assert eviction.shortages(THRESHOLDS, readings) == [Shortage("memory.available", 100 * MI, 99 * MI)]
    readings = {"memory.available": Reading(100 * MI, 1000 * MI), "nodefs.available": Reading(99, 1000)}
    assert [s.condition for s in eviction.shortages(THRESHOLDS, readings)] == [DISK_PRESSURE]


def test_the_class_of_service_decides_by_what_it_guarantees() -> None:
    best_effort, above = named("best-effort"), named("above", asking("100Mi"))
    below, guaranteed = named("below", asking("400Mi")), named("guaranteed", asking("300Mi", "300Mi"))
    pods = [guaranteed, below, above, best_effort]
    used = {"best-effort": 250, "above": 250, "below": 250, "guaranteed": 299}
    assert order(pods, used) == ["best-effort", "above", "guaranteed", "below"]


def test_among_those_above_their_requests_the_priority_counts_first() -> None:
    high, low = named("high", priority=1000), named("low", priority=1)
    within = named("within", asking("500Mi"), priority=0)
    assert order([within, high, low], {"high": 900, "low": 10, "within": 400}) == ["low", "high", "within"]


def test_what_the_node_cannot_do_without_stays() -> None:
    critical = named("critical", priority=eviction.CRITICAL_PRIORITY)
    static = named("static")
    static["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    done = named("done") | {"status": {"phase": "Succeeded"}}
    assert order([critical, static, done, named("other")], {}) == ["other"]


def test_the_message_names_what_was_short_and_who_used_more_than_asked_for() -> None:
    usages = {"p": [Usage("c", 300 * MI)]}
    said = eviction.message(Shortage("memory.available", 100 * MI, 40 * MI), named("p"), usages)
    assert said == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 40Mi. "
        "Container c was using 300Mi, request is 0, has larger consumption of memory. "
    )


def test_a_condition_holds_for_five_minutes_after_its_threshold_was_last_met() -> None:
    met = eviction.last_met({}, [Shortage("memory.available", 2, 1)], 1000.0)
    assert set(met) == {MEMORY_PRESSURE}
    assert set(eviction.last_met(met, [], 1299.0)) == {MEMORY_PRESSURE}
    assert eviction.last_met(met, [], 1300.0) == {}


@pytest.mark.parametrize(
    ("conditions", "resources", "taken"),
    [
        ((), {}, True),
        ((MEMORY_PRESSURE,), {}, False),
        ((MEMORY_PRESSURE,), {"requests": {"memory": "1Mi"}}, True),
        ((DISK_PRESSURE,), {"requests": {"memory": "1Mi"}}, False),
    ],
)
def test_a_node_under_pressure_is_choosy(conditions: tuple[str, ...], resources: Obj, taken: bool) -> None:
    assert (eviction.refused(named("p", resources), conditions) == "") is taken


def test_a_pod_beyond_its_own_limits_of_disk_goes_whatever_the_node_has() -> None:
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]
    limited = named("p", {"limits": {"ephemeral-storage": "2Mi"}}, volumes=volumes)
    assert eviction.has_local_limits(limited)
    assert not eviction.has_local_limits(named("p", volumes=[{"name": "v", "emptyDir": {}}]))
    assert eviction.over_limits(limited, [Usage("c", disk=MI)], {"v": MI}) == ""
    told = eviction.over_limits(limited, [Usage("c", disk=MI)], {"v": MI + 1})
    assert told == 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". '
    told = eviction.over_limits(limited, [Usage("c", disk=2 * MI), Usage("", disk=MI)], {})
    assert told == "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. "
    two = named("p", {"limits": {"ephemeral-storage": "2Mi"}})
    two["spec"]["containers"].append(main("d"))
    told = eviction.over_limits(two, [Usage("c", disk=3 * MI)], {})
    assert told == 'Container c exceeded its local ephemeral storage limit "2Mi". '


async def test_the_pod_at_fault_fails_and_the_node_says_so(tmp_path: Path) -> None:
    clock = VirtualClock()
    runtime = MemoryRuntime(clock, images=["web:1"])
    config = replace(onenode.config(tmp_path), capacity={"memory": "2Ti"}, eviction={"memory.available": "1Ti"})
    scene = Scene(runtime, config, clock)
    await scene.start()
    hungry = {"name": "hungry", "image": "web:1", "resources": {"requests": {"memory": "10Mi"}}}
    await scene.pod("modest", {**hungry, "name": "modest"})
    await scene.pod("greedy", hungry)
    await scene.ready("modest")
    runtime.memory["hungry"] = 50 * MI
    evicted = await scene.turn(10, lambda found: found["status"]["phase"] == "Failed", "greedy")
    assert evicted["status"]["reason"] == "Evicted"
    assert evicted["status"]["message"].startswith("The node was low on resource: memory. Threshold quantity: 1Ti")
    assert objects.condition_is(evicted, "DisruptionTarget")
    assert (await scene.said("greedy", "The node was low"))["reason"] == "Evicted"
    assert objects.condition_is(await scene.admin.get("pods", "modest", "default"), "Ready")
    node = await scene.admin.get("nodes", onenode.NODE)
    assert objects.condition_is(node, "MemoryPressure")
    await scene.stop()


async def test_who_fills_the_disk_goes_when_it_is_full(tmp_path: Path) -> None:
    clock = VirtualClock()
    thresholds: dict[str, str] = {}
    config = replace(onenode.config(tmp_path), eviction=thresholds)
    scene = Scene(MemoryRuntime(clock, images=["web:1"]), config, clock)
    await scene.start()
    volumes = [{"name": "v", "emptyDir": {}}]
    await scene.pod("modest", {"name": "modest", "image": "web:1"}, volumes=volumes)
    pod = await scene.pod("greedy", {"name": "greedy", "image": "web:1"}, volumes=volumes)
    await scene.ready("modest")
    await scene.ready("greedy")
    folder = config.kubelet / "pods" / objects.uid(pod) / "volumes" / "kubernetes.io~empty-dir" / "v"
    (folder / "f").write_bytes(b"x" * MI)
    thresholds["nodefs.available"] = "100%"
    await clock.advance(10)
    evicted = await scene.until("greedy", lambda found: found["status"]["phase"] == "Failed")
    assert evicted["status"]["message"].startswith("The node was low on resource: ephemeral-storage.")
    assert objects.condition_is(await scene.admin.get("nodes", onenode.NODE), "DiskPressure")
    await scene.stop()
