"""Simulated nodes at the real API server, in process, over a store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.simulated.nodes import SimulatedNodes
from pybernetes.server.api import Api, Options
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

ROOT = User("root", groups=("system:masters",))
NAMES = ("sim-1", "sim-2")
CLOCK = SystemClock()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Of an API server with the namespaces that are needed and nothing else."""
    cache = WatchCache(MemoryStore(), CLOCK)
    await cache.start()
    api = Api(cache, table.builtin(), CLOCK, SeededEntropy(1), Options())
    await api.start()
    found = api.client(ROOT)
    for name in ("default", "kube-node-lease"):
        await found.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
    await found.create("serviceaccounts", account)
    yield found
    await api.stop()
    await cache.stop()


class Running:
    """Simulated nodes and their informers, from ``start`` to ``stop``."""

    def __init__(self, client: Client) -> None:
        self._manager = Manager(client, CLOCK, SeededEntropy(2))
        self._nodes = SimulatedNodes(client, self._manager, CLOCK, SeededEntropy(3), NAMES, _cidr)

    async def start(self) -> None:
        await self._manager.start()
        await self._nodes.start()

    async def stop(self) -> None:
        await self._nodes.stop()
        await self._manager.stop()


def _cidr(name: str) -> str:
    return f"100.64.{name[-1]}.0/24"


@pytest.fixture
async def running(client: Client) -> AsyncIterator[Running]:
    nodes = Running(client)
    await nodes.start()
    yield nodes
    await nodes.stop()


def pod(name: str, node: str = "sim-1", owner: Obj | None = None, **metadata: object) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "default", **({"ownerReferences": [owner]} if owner else {}), **metadata,
        },
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "web:1"}]},
    }  # fmt: skip


async def phase(client: Client, name: str, wanted: str) -> Obj:
    found = await wait.until(
        client, "pods", "default", name, lambda p: objects.get(p, "status", "phase") == wanted,
        timeout_seconds=5, clock=CLOCK,
    )  # fmt: skip
    assert found is not None
    return found


async def gone(client: Client, name: str) -> None:
    await wait.until(client, "pods", "default", name, lambda p: p is None, timeout_seconds=5, clock=CLOCK)


async def test_nodes_are_registered_with_leases(client: Client, running: Running) -> None:
    node = await client.get("nodes", "sim-2")
    assert objects.condition_is(node, "Ready")
    assert node["status"]["addresses"][0] == {"type": "InternalIP", "address": "100.64.2.1"}
    lease = await wait.until(
        client, "leases.coordination.k8s.io", "kube-node-lease", "sim-2", bool, timeout_seconds=5, clock=CLOCK
    )
    assert lease is not None
    assert lease["metadata"]["ownerReferences"][0]["uid"] == objects.uid(node)
    assert lease["spec"]["holderIdentity"] == "sim-2"


async def test_a_bound_pod_runs_with_an_address_of_its_own_and_vanishes_when_deleted(
    client: Client, running: Running
) -> None:
    for name in ("a", "b"):
        await client.create("pods", pod(name))
    first, second = await phase(client, "a", "Running"), await phase(client, "b", "Running")
    assert {first["status"]["podIP"], second["status"]["podIP"]} == {"100.64.1.2", "100.64.1.3"}
    assert objects.condition_is(first, "Ready")
    assert first["status"]["qosClass"] == "BestEffort"
    await client.delete("pods", "a", "default")
    await gone(client, "a")


async def test_a_pod_of_another_node_is_left_alone(client: Client, running: Running) -> None:
    await client.create("pods", pod("theirs", "node-1"))
    await client.create("pods", pod("ours"))
    await phase(client, "ours", "Running")
    assert (await client.get("pods", "theirs", "default"))["status"]["phase"] == "Pending"


async def test_a_pod_of_a_job_succeeds(client: Client, running: Running) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "j1", "controller": True}
    await client.create("pods", pod("work", owner=job))
    found = await phase(client, "work", "Succeeded")
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


async def test_a_pod_with_a_finalizer_stays_until_its_owner_lets_it_go(client: Client, running: Running) -> None:
    await client.create("pods", pod("held", finalizers=["example.com/hold"]))
    await phase(client, "held", "Running")
    await client.delete("pods", "held", "default")
    found = await wait.until(
        client, "pods", "default", "held",
        lambda p: objects.get(p, "metadata", "deletionGracePeriodSeconds") == 0, timeout_seconds=5, clock=CLOCK,
    )  # fmt: skip
    assert found is not None
    await client.patch("pods", "held", {"metadata": {"finalizers": None}}, namespace="default")
    await gone(client, "held")


async def test_after_a_restart_deleted_pods_vanish_and_addresses_are_not_given_twice(client: Client) -> None:
    before = Running(client)
    await before.start()
    await client.create("pods", pod("old"))
    await client.create("pods", pod("doomed"))
    old = await phase(client, "old", "Running")
    await phase(client, "doomed", "Running")
    await before.stop()
    await client.delete("pods", "doomed", "default")
    for name in ("new-1", "new-2"):
        await client.create("pods", pod(name))
    after = Running(client)
    await after.start()
    await gone(client, "doomed")
    found = [await phase(client, name, "Running") for name in ("new-1", "new-2")]
    assert len({p["status"]["podIP"] for p in (old, *found)}) == 3
    await after.stop()


async def test_a_node_that_is_told_to_be_lost_says_that_it_is_not(client: Client, running: Running) -> None:
    lost = {"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]}}
    await client.patch("nodes", "sim-1", lost, subresource="status")
    node = await wait.until(
        client, "nodes", "", "sim-1", lambda n: n is not None and objects.condition_is(n, "Ready"),
        timeout_seconds=5, clock=CLOCK,
    )  # fmt: skip
    assert node is not None
    assert objects.condition_is(node, "DiskPressure", "False")
