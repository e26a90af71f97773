"""Routes to other nodes' pods come and go with the Nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pybernetes.lib.clock import Timer, VirtualClock
from pybernetes.meta.objects import Obj
from pybernetes.network import routes
from pybernetes.testing.feed import Feed

pytestmark = pytest.mark.node
MINE, OTHER = ("node1", "172.31.251.11", "10.249.1.0/24"), ("node2", "172.31.251.12", "10.249.2.0/24")


class Watched(VirtualClock):
    """Tells when somebody wants to be called later."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        self.asked.set()
        return super().call_later(seconds, callback)


def node(name: str, address: str, pod_cidr: str) -> Obj:
    addresses = [{"type": "InternalIP", "address": address}]
    return {"metadata": {"name": name}, "spec": {"podCIDR": pod_cidr}, "status": {"addresses": addresses}}


def test_routes_follow_the_nodes_and_leave_out_ones_own(world: Any) -> None:
    async def story() -> None:
        feed = Feed()
        nodes = feed.informer("nodes")
        nodes.put(node(*MINE))
        work = routes.Routes(feed, "node1")
        task = asyncio.ensure_future(work.run())

        async def settled() -> dict[str, str]:
            await asyncio.wait_for(work.in_step.wait(), 10)
            return await routes.present()

        assert await settled() == {}
        nodes.put(node(*OTHER))
        assert await settled() == {"10.249.2.0/24": "172.31.251.12"}
        nodes.put(node("node2", "172.31.251.13", "10.249.2.0/24"))
        assert await settled() == {"10.249.2.0/24": "172.31.251.13"}
        nodes.remove(node("node2", "172.31.251.13", "10.249.2.0/24"))
        assert await settled() == {}
        nodes.put(node(*OTHER))
        await settled()
        await work.stop()
        await task
        assert await routes.present() == {"10.249.2.0/24": "172.31.251.12"}
        await routes.cleanup()
        assert await routes.present() == {}

    world.nodes["node1"].run(story())


def test_a_node_that_cannot_be_reached_is_tried_again(world: Any) -> None:
    async def story() -> None:
        clock, feed = Watched(), Feed()
        feed.informer("nodes").put(node("node9", "192.0.2.9", "10.249.9.0/24"))
        work = routes.Routes(feed, "node1", clock=clock)
        task = asyncio.ensure_future(work.run())
        await asyncio.wait_for(clock.asked.wait(), 10)
        assert not work.in_step.is_set()
        feed.informer("nodes").put(node("node9", "172.31.251.19", "10.249.9.0/24"))
        await asyncio.wait_for(work.in_step.wait(), 10)
        assert await routes.present() == {"10.249.9.0/24": "172.31.251.19"}
        await work.stop()
        await task
        await routes.cleanup()

    world.nodes["node1"].run(story())
