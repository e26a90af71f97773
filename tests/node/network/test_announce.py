"""Load balancer addresses on the node network: one node answers, another when it cannot, and only for whom it may."""

from __future__ import annotations

import asyncio
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.network.announce import loop as announcing
from pybernetes.network.announce.loop import Announcer
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.proxy import loop as proxying
from pybernetes.network.proxy.loop import Proxy
from pybernetes.network.routes import Routes
from pybernetes.testing.feed import Feed

from .conftest import PREFIX, inside

pytestmark = pytest.mark.node
ADDRESS, EXTERNAL = "172.31.251.200", "172.31.251.210"
HEALTH = 31999
PODS = {"a": ("node1", "10.249.1.2"), "c": ("node2", "10.249.2.2")}


class Balanced:
    """Proxies, routes and announcers of both nodes, fed with the same objects."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.feeds: dict[str, Feed] = {name: Feed() for name in world.nodes}
        self.parts: dict[str, tuple[Any, ...]] = {}
        self.events: list[str] = []

    async def start(self, name: str, node: Any) -> None:
        feed = self.feeds[name]
        announcer = Announcer(feed, name, node.address, tell=lambda event: self.events.append(event.message))
        parts = Proxy(feed, name, pod_cidr=node.pod_cidr, address=node.address), Routes(feed, name), announcer
        self.parts[name] = parts
        for part in parts:
            node.start(part.run())
            await asyncio.wait_for(part.in_step.wait(), 10)

    def put(self, resource: str, obj: Obj) -> None:
        for name, node in self.world.nodes.items():
            node.run(self._put(name, resource, obj))

    async def _put(self, name: str, resource: str, obj: Obj) -> None:
        self.feeds[name].informer(resource).put(obj)
        for part in self.parts.get(name, ()):
            await asyncio.wait_for(part.in_step.wait(), 10)

    def nodes(self, **ready: bool) -> None:
        for each in self.world.nodes.values():
            self.put("nodes", node_object(each, ready=ready.get(each.name, True)))

    def service(self, pods: str = "ac", **spec: Any) -> None:
        whole = {
            "type": "LoadBalancer", "clusterIP": "10.96.9.9",
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30090}], **spec,
        }  # fmt: skip
        status = {"loadBalancer": {"ingress": [{"ip": ADDRESS, "ipMode": "VIP"}]}}
        self.put(SERVICES, {"metadata": {"namespace": "x", "name": "web"}, "spec": whole, "status": status})
        endpoints = [{"addresses": [PODS[p][1]], "nodeName": PODS[p][0], "conditions": {"ready": True}} for p in pods]
        self.put(SLICES, {
            "metadata": {"namespace": "x", "name": "web", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4", "endpoints": endpoints,
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        })  # fmt: skip

    def answering(self) -> list[str]:
        """The nodes that have the address."""
        return [n for n in self.world.nodes if f"inet {ADDRESS}/" in listed(n)]


def listed(namespace: str) -> str:
    argv = ["ip", "-n", f"{PREFIX}-{namespace}", "-4", "address", "show", "dev", "eth0"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def node_object(node: Any, *, ready: bool) -> Obj:
    return {
        "metadata": {"name": node.name},
        "spec": {"podCIDR": node.pod_cidr},
        "status": {
            "addresses": [{"type": "InternalIP", "address": node.address}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
        },
    }


@pytest.fixture(scope="module")
def balanced(world: Any) -> Iterator[Balanced]:
    found = Balanced(world)
    found.nodes()
    for name, node in world.nodes.items():
        node.run(found.start(name, node))
    yield found
    for name, node in world.nodes.items():
        for part in found.parts[name]:
            node.run(part.stop())
        node.run(announcing.cleanup(node.address))
        node.run(proxying.cleanup())


def test_one_node_answers_and_says_so_and_the_other_takes_over(balanced: Balanced) -> None:
    balanced.service()
    (first,) = balanced.answering()
    assert {balanced.world.call("host", ADDRESS, 80)[0] for _ in range(24)} == {"a", "c"}
    assert balanced.events == [f'announcing from node "{first}" with protocol "layer2"']
    balanced.nodes(**{first: False})
    assert balanced.answering() == [n for n in balanced.world.nodes if n != first]
    assert balanced.world.call("host", ADDRESS, 80)[0] in "ac"
    balanced.nodes()
    assert balanced.answering() == [first]
    assert balanced.world.call("host", ADDRESS, 80)[0] in "ac"


def test_a_local_policy_brings_the_address_to_a_node_with_an_endpoint_and_keeps_the_client(balanced: Balanced) -> None:
    for pod in "ac":
        balanced.service(pod, externalTrafficPolicy="Local", healthCheckNodePort=HEALTH)
        assert balanced.answering() == [PODS[pod][0]]
        assert balanced.world.call("host", ADDRESS, 80) == (pod, "172.31.251.1")


def test_a_load_balancer_can_ask_each_node_whether_it_has_an_endpoint(balanced: Balanced) -> None:
    balanced.service("c", externalTrafficPolicy="Local", healthCheckNodePort=HEALTH)

    def ask(node: str) -> tuple[int, Any]:
        url = f"http://{balanced.world.nodes[node].address}:{HEALTH}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    who = {"service": {"namespace": "x", "name": "web"}, "serviceProxyHealthy": True}
    assert inside("host", lambda: ask("node2")) == (200, {**who, "localEndpoints": 1})
    assert inside("host", lambda: ask("node1")) == (503, {**who, "localEndpoints": 0})
    balanced.service("c")
    with pytest.raises(ConnectionRefusedError):
        balanced.world.call("host", balanced.world.nodes["node2"].address, HEALTH)


def test_only_named_sources_may_use_the_balancers_address_but_all_the_node_port(balanced: Balanced) -> None:
    balanced.service(loadBalancerSourceRanges=["172.31.251.64/26"])
    with pytest.raises(TimeoutError):
        balanced.world.call("host", ADDRESS, 80, timeout=0.3)
    assert balanced.world.call("host", balanced.world.nodes["node1"].address, 30090)[0] in "ac"
    balanced.service(loadBalancerSourceRanges=["172.31.251.64/26", "172.31.251.1/32"])
    assert balanced.world.call("host", ADDRESS, 80)[0] in "ac"


def test_external_addresses_are_served_by_the_node_that_gets_the_packet(balanced: Balanced) -> None:
    balanced.service(externalIPs=[EXTERNAL])
    node = balanced.world.nodes["node2"].address
    subprocess.run(["ip", "-n", f"{PREFIX}-host", "route", "add", EXTERNAL, "via", node], check=True)
    assert {balanced.world.call("host", EXTERNAL, 80)[0] for _ in range(24)} == {"a", "c"}
    assert balanced.world.call("a", EXTERNAL, 80)[0] in "ac"


def test_an_address_that_no_service_has_any_more_is_answered_by_nobody(balanced: Balanced) -> None:
    balanced.service()
    balanced.put(SERVICES, {"metadata": {"namespace": "x", "name": "web"}, "spec": {"clusterIP": "10.96.9.9"}})
    assert balanced.answering() == []
