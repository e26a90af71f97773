from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

CLOCK_START = 1_700_000_000.0


@pytest.fixture
async def clock() -> VirtualClock:
    return VirtualClock(CLOCK_START)


@pytest.fixture
async def cluster(clock: VirtualClock) -> AsyncIterator[Cluster]:
    async with Cluster(nodes=2, clock=clock) as made:
        yield made


def mute_node(name: str, now: float) -> Obj:
    """A node that says once that it is ready, and then never again."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": times.render(now)}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
        "status": {"conditions": [ready], "capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
    }  # fmt: skip


def pod(name: str, **spec: Any) -> Obj:
    spec = {"containers": [{"name": "main", "image": "web:v1"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def keys_of(node: Obj, effect: str) -> list[str]:
    return [t["key"] for t in objects.get(node, "spec", "taints", default=[]) if t["effect"] == effect]


async def test_a_silent_node_loses_its_pods_when_they_tolerate_it_no_longer(
    cluster: Cluster, clock: VirtualClock
) -> None:
    await cluster.create("nodes", mute_node("mute", clock.time()))
    await cluster.create("pods", pod("stuck", nodeName="mute"))
    await clock.advance(30)
    assert objects.condition_is(await cluster.client.get("nodes", "mute"), "Ready")
    await clock.advance(11)
    lost = await cluster.until("nodes", "mute", lambda n: keys_of(n, "NoExecute"), namespace="")
    ready = objects.condition(lost, "Ready") or {}
    assert (ready["status"], ready["message"]) == ("Unknown", "Kubelet stopped posting node status.")
    assert keys_of(lost, "NoSchedule") == keys_of(lost, "NoExecute") == ["node.kubernetes.io/unreachable"]

    await clock.advance(290)
    assert not objects.is_deleting(await cluster.client.get("pods", "stuck", "default"))
    await clock.advance(15)
    evicted = await cluster.until("pods", "stuck", objects.is_deleting)
    assert (objects.condition(evicted, "DisruptionTarget") or {})["reason"] == "DeletionByTaintManager"
    told = await cluster.until_events("stuck", "TaintManagerEviction", bool)
    assert told == ["Marking for deletion Pod default/stuck"]
    assert all(objects.condition_is(node, "Ready") for node in await cluster.list("nodes", namespace="")
               if objects.name(node) != "mute")  # fmt: skip


async def test_a_new_node_takes_pods_when_it_is_ready_and_a_cordoned_one_none(
    cluster: Cluster, clock: VirtualClock
) -> None:
    made = await cluster.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "new"}})
    assert keys_of(made, "NoSchedule") == ["node.kubernetes.io/not-ready"]
    status = mute_node("new", clock.time())["status"]
    await cluster.client.patch("nodes", "new", {"status": status}, subresource="status")
    await cluster.until("nodes", "new", lambda n: not keys_of(n, "NoSchedule"), namespace="")
    await cluster.client.patch("nodes", "new", {"spec": {"unschedulable": True}})
    await cluster.until(
        "nodes", "new", lambda n: keys_of(n, "NoSchedule") == ["node.kubernetes.io/unschedulable"], namespace=""
    )


async def test_whoever_makes_a_node_that_says_it_is_simulated_has_it_simulated(
    cluster: Cluster, clock: VirtualClock
) -> None:
    large = {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": "large", "labels": {"pybernetes.io/simulated": "true"}},
        "spec": {"podCIDR": "10.250.0.0/24"},
        "status": {"capacity": {"cpu": "128", "memory": "1Ti", "pods": "500"}},
    }  # fmt: skip
    await cluster.create("nodes", large)
    made = await cluster.until("nodes", "large", lambda n: objects.condition_is(n, "Ready"), namespace="")
    assert made["status"]["allocatable"]["cpu"] == "128"
    await cluster.create("pods", pod("web", nodeName="large"))
    found = await cluster.until("pods", "web", lambda p: objects.condition_is(p, "Ready"))
    assert found["status"]["podIP"] == "10.250.0.2"
    await clock.advance(100)
    assert objects.condition_is(await cluster.client.get("nodes", "large"), "Ready")
    await cluster.client.delete("nodes", "large")
    await clock.advance(60)
    await cluster.until_gone("pods", "web")


async def test_pods_of_simulated_nodes_are_ready_again_when_their_node_is_heard(
    cluster: Cluster, clock: VirtualClock
) -> None:
    await cluster.create("pods", pod("web", nodeName="node-1"))
    await cluster.until("pods", "web", lambda p: objects.condition_is(p, "Ready"))
    lost = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    await cluster.client.patch(
        "nodes", "node-1", {"status": {"conditions": [lost]}}, kind="strategic", subresource="status"
    )
    await cluster.until("nodes", "node-1", lambda n: objects.condition_is(n, "Ready"), namespace="")
    await cluster.until("pods", "web", lambda p: objects.condition_is(p, "Ready"))


async def test_a_resource_that_is_given_to_a_node_by_hand_is_scheduled_by() -> None:
    async with Cluster(nodes=2) as cluster:
        given = {"status": {"capacity": {"example.com/dongle": "1"}}}
        await cluster.client.patch("nodes", "node-2", given, subresource="status")
        asking = pod("asking", containers=[
            {"name": "main", "image": "web:v1", "resources": {"limits": {"example.com/dongle": "1"}}}
        ])  # fmt: skip
        await cluster.create("pods", asking)
        placed = await cluster.until("pods", "asking", lambda it: objects.get(it, "spec", "nodeName"))
        assert placed["spec"]["nodeName"] == "node-2"
