"""Services as the kernel does them, between real namespaces."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.proxy import loop
from pybernetes.network.routes import Routes
from pybernetes.testing.feed import Feed

pytestmark = pytest.mark.node
CLUSTER_IP, NODE_PORT = "10.96.7.7", 30080
PODS = {"a": ("node1", "10.249.1.2"), "b": ("node1", "10.249.1.3"), "c": ("node2", "10.249.2.2")}
EVERYWHERE = ("a", "b", "c", "node1", "node2")


@dataclasses.dataclass
class Services:
    """The proxies of both nodes, fed with the same objects."""

    world: Any
    feeds: dict[str, Feed]
    proxies: dict[str, loop.Proxy]

    def put(self, resource: str, obj: Obj) -> None:
        for name, node in self.world.nodes.items():
            node.run(self._put(name, resource, obj))

    async def _put(self, name: str, resource: str, obj: Obj) -> None:
        self.feeds[name].informer(resource).put(obj)
        await asyncio.wait_for(self.proxies[name].in_step.wait(), 10)

    def service(self, pods: str, **spec: Any) -> None:
        """A service ``web`` whose endpoints are the named pods."""
        port = {"name": "http", "port": 80, "protocol": "TCP", "nodePort": NODE_PORT}
        whole = {"type": "NodePort", "clusterIP": CLUSTER_IP, "clusterIPs": [CLUSTER_IP], "ports": [port], **spec}
        self.put(SERVICES, {"metadata": {"namespace": "default", "name": "web"}, "spec": whole})
        self.put(SLICES, sliced("web", pods, "TCP", 8080))

    def callers(self, where: str, address: str, port: int, times: int = 16) -> set[str]:
        return {self.world.call(where, address, port)[0] for _ in range(times)}


def sliced(owner: str, pods: str, protocol: str, port: int) -> Obj:
    endpoints = [{"addresses": [PODS[p][1]], "nodeName": PODS[p][0], "conditions": {"ready": True}} for p in pods]
    return {
        "metadata": {"namespace": "default", "name": owner, "labels": {"kubernetes.io/service-name": owner}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": port, "protocol": protocol}],
    }


def node_objects(world: Any) -> Iterator[Obj]:
    for node in world.nodes.values():
        yield {
            "metadata": {"name": node.name},
            "spec": {"podCIDR": node.pod_cidr, "podCIDRs": [node.pod_cidr]},
            "status": {"addresses": [{"type": "InternalIP", "address": node.address}]},
        }


@pytest.fixture(scope="module")
def services(world: Any) -> Iterator[Services]:
    found = Services(world, {}, {})
    routes = []
    for name, node in world.nodes.items():
        feed = found.feeds[name] = Feed()
        for obj in node_objects(world):
            feed.informer("nodes").put(obj)

        async def start(name: str = name, node: Any = node, feed: Feed = feed) -> tuple[loop.Proxy, Routes]:
            proxy, route = loop.Proxy(feed, name, pod_cidr=node.pod_cidr), Routes(feed, name)
            node.start(proxy.run())
            node.start(route.run())
            await asyncio.wait_for(proxy.in_step.wait(), 10)
            await asyncio.wait_for(route.in_step.wait(), 10)
            return proxy, route

        found.proxies[name], route = node.run(start())
        routes.append((node, route))
    yield found
    for name, proxy in found.proxies.items():
        world.nodes[name].run(proxy.stop())
    for node, route in routes:
        node.run(route.stop())


def test_pods_reach_each_other_across_nodes(services: Services) -> None:
    assert services.world.call("a", "10.249.2.2", 8080) == ("c", "10.249.1.2")
    assert services.world.call("c", "10.249.1.3", 8080) == ("b", "10.249.2.2")


@pytest.mark.parametrize("where", EVERYWHERE)
def test_a_cluster_address_is_served_by_all_endpoints_from_everywhere(services: Services, where: str) -> None:
    services.service("bc")
    assert services.callers(where, CLUSTER_IP, 80, 24) == {"b", "c"}


def test_a_pod_behind_a_cluster_address_sees_the_pod_that_calls(services: Services) -> None:
    services.service("c")
    assert services.world.call("a", CLUSTER_IP, 80) == ("c", "10.249.1.2")


@pytest.mark.parametrize("where", ["host", "a", "c", "node1", "node2"])
@pytest.mark.parametrize("node", ["node1", "node2"])
def test_a_node_port_answers_on_every_node_from_everywhere(services: Services, where: str, node: str) -> None:
    services.service("bc")
    assert services.callers(where, services.world.nodes[node].address, NODE_PORT, 24) == {"b", "c"}


def test_a_node_port_answers_on_the_loopback_of_its_node(services: Services) -> None:
    services.service("c")
    assert services.world.call("node1", "127.0.0.1", NODE_PORT)[0] == "c"


def test_a_pod_reaches_itself_through_its_service(services: Services) -> None:
    services.service("a")
    assert services.world.call("a", CLUSTER_IP, 80)[0] == "a"
    assert services.world.call("a", services.world.nodes["node2"].address, NODE_PORT)[0] == "a"


def test_a_client_stays_with_one_endpoint_where_asked(services: Services) -> None:
    services.service("abc", sessionAffinity="ClientIP")
    assert len(services.callers("node1", CLUSTER_IP, 80)) == 1
    assert len(services.callers("host", services.world.nodes["node1"].address, NODE_PORT)) == 1
    timeout = {"clientIP": {"timeoutSeconds": 5}}
    services.service("abc", sessionAffinity="ClientIP", sessionAffinityConfig=timeout)
    assert len(services.callers("node1", CLUSTER_IP, 80)) == 1
    services.service("abc")
    assert services.callers("node1", CLUSTER_IP, 80, 40) == {"a", "b", "c"}


@pytest.mark.parametrize("where", EVERYWHERE)
def test_without_endpoints_the_connection_is_refused(services: Services, where: str) -> None:
    services.service("")
    with pytest.raises(ConnectionRefusedError):
        services.world.call(where, CLUSTER_IP, 80)


def test_without_endpoints_a_node_port_is_refused(services: Services) -> None:
    services.service("")
    with pytest.raises(ConnectionRefusedError):
        services.world.call("host", services.world.nodes["node1"].address, NODE_PORT)


def test_a_port_that_a_service_does_not_have_is_refused(services: Services) -> None:
    services.service("bc")
    with pytest.raises(ConnectionRefusedError):
        services.world.call("a", CLUSTER_IP, 81)


def test_a_local_policy_shows_the_client_and_drops_where_no_endpoint_is(services: Services) -> None:
    services.service("c", externalTrafficPolicy="Local")
    nodes = services.world.nodes
    assert services.world.call("host", nodes["node2"].address, NODE_PORT) == ("c", "172.31.251.1")
    with pytest.raises(TimeoutError):
        services.world.call("host", nodes["node1"].address, NODE_PORT, timeout=0.3)
    assert services.world.call("a", nodes["node1"].address, NODE_PORT)[0] == "c"


def test_datagrams_go_to_the_new_endpoint_when_the_old_one_is_gone(services: Services) -> None:
    ports = [{"name": "http", "port": 53, "protocol": "UDP"}]
    spec = {"type": "ClusterIP", "clusterIP": "10.96.7.8", "ports": ports}
    services.put(SERVICES, {"metadata": {"namespace": "default", "name": "dns"}, "spec": spec})
    client = services.world.datagrams("a")
    for pod in ("b", "c", "b"):
        services.put(SLICES, sliced("dns", pod, "UDP", 5353))
        client.sendto(b"?", ("10.96.7.8", 53))
        assert client.recv(100) == pod.encode()


def test_a_proxy_that_starts_anew_takes_over_and_cleanup_leaves_nothing(services: Services) -> None:
    node = services.world.nodes["node1"]
    services.service("c")

    async def again() -> None:
        feed = services.feeds["node1"]
        proxy = loop.Proxy(feed, "node1", pod_cidr=node.pod_cidr)
        work = asyncio.ensure_future(proxy.run())
        await asyncio.wait_for(proxy.in_step.wait(), 10)
        await proxy.stop()
        await work

    node.run(again())
    assert services.world.call("a", CLUSTER_IP, 80)[0] == "c"
    node.run(loop.cleanup())
    with pytest.raises(OSError):
        services.world.call("a", CLUSTER_IP, 80, timeout=0.3)
