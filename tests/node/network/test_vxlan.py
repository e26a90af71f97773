"""Pods of two nodes reach each other through VXLAN, with nothing in the clear between the nodes."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import Any

import pytest

from pybernetes.lib import process
from pybernetes.network import routes, vxlan
from pybernetes.network.links import find
from pybernetes.network.routes import Routes
from pybernetes.network.vxlan import Vxlan
from pybernetes.testing.feed import Feed

from .conftest import PREFIX

pytestmark = pytest.mark.node


def node_object(node: Any) -> dict[str, Any]:
    addresses = [{"type": "InternalIP", "address": node.address}]
    return {"metadata": {"name": node.name}, "spec": {"podCIDR": node.pod_cidr}, "status": {"addresses": addresses}}


async def begin(node: Any, feed: Feed) -> Routes:
    made = Routes(feed, node.name, vxlan=Vxlan(node.address, node.pod_cidr))
    node.start(made.run())
    await asyncio.wait_for(made.in_step.wait(), 10)
    return made


async def sent() -> int:
    """Packets that the device has taken."""
    told = (await process.run(["ip", "-json", "-s", "link", "show", "dev", vxlan.DEVICE])).stdout
    return int(json.loads(told)[0]["stats64"]["tx"]["packets"])


def test_pods_reach_each_other_through_the_device_and_nothing_is_left_behind(world: Any) -> None:
    feed = Feed()
    for node in world.nodes.values():
        feed.informer("nodes").put(node_object(node))
    works = [(node, node.run(begin(node, feed))) for node in world.nodes.values()]
    try:
        assert world.call("a", "10.249.2.2", 8080) == ("c", "10.249.1.2")
        assert world.call("c", "10.249.1.3", 8080) == ("b", "10.249.2.2")
        one = world.nodes["node1"]
        assert one.run(sent()) > 3
        assert one.run(find("10.249.1.0")).mtu == one.run(find(one.address)).mtu - vxlan.OVERHEAD_BYTES
    finally:
        for node, work in works:
            node.run(work.stop())
            node.run(routes.cleanup())
            node.run(vxlan.cleanup())
    argv = ["ip", "-n", f"{PREFIX}-node1", "link", "show", "type", "vxlan"]
    assert not subprocess.run(argv, check=True, capture_output=True).stdout


def test_a_peer_that_moves_is_reached_at_its_new_address(world: Any) -> None:
    node = world.nodes["node1"]

    async def story() -> list[str]:
        device = Vxlan(node.address, node.pod_cidr)
        await device.join({"10.249.2.0/24": "172.31.251.12", "10.249.3.0/24": "172.31.251.13"})
        await device.join({"10.249.2.0/24": "172.31.251.22"})
        told = (await process.run(["bridge", "fdb", "show", "dev", vxlan.DEVICE])).stdout.decode()
        told += (await process.run(["ip", "neigh", "show", "dev", vxlan.DEVICE])).stdout.decode()
        await vxlan.cleanup()
        return [" ".join(line.split()[:3]) for line in told.splitlines() if "172.31" in line or "lladdr" in line]

    assert node.run(story()) == ["02:50:ac:1f:fb:16 dst 172.31.251.22", "10.249.2.0 lladdr 02:50:ac:1f:fb:16"]
