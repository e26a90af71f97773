from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pybernetes.control.leader import Elector
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.tasks import Tasks
from pybernetes.testing.cluster import Cluster

LEASES = "leases.coordination.k8s.io"


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.stop()


async def test_one_leads_and_another_when_the_first_is_gone(tasks: Tasks) -> None:
    clock = VirtualClock()
    async with Cluster(nodes=0, clock=clock) as cluster:
        leading: list[str] = []

        def candidate(name: str) -> asyncio.Task[None]:
            async def lead() -> None:
                leading.append(name)
                try:
                    await asyncio.Event().wait()
                finally:
                    leading.remove(name)

            elector = Elector(cluster.client, clock, "work", name)
            return tasks.start(elector.run(lead), name)

        first = candidate("a")
        await clock.advance(1)
        candidate("b")
        await clock.advance(60)
        assert leading == ["a"]
        first.cancel()
        await clock.advance(9)
        assert leading == []
        await clock.advance(20)
        assert leading == ["b"]
        lease = await cluster.client.get(LEASES, "work", "kube-system")
        assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("b", 1)


async def test_whoever_comes_back_under_its_name_goes_on_at_once(tasks: Tasks) -> None:
    clock = VirtualClock()
    async with Cluster(nodes=0, clock=clock) as cluster:
        led = 0

        async def lead() -> None:
            nonlocal led
            led += 1

        for _ in range(2):
            task = tasks.start(Elector(cluster.client, clock, "work", "a").run(lead), "a")
            await clock.advance(1)
            task.cancel()
        assert led == 2
