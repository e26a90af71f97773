"""Network policies as the kernel enforces them: all pods to all pods, on one node and across two."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.policy import loop
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.loop import POLICIES, Policies
from pybernetes.network.policy.model import Pod
from pybernetes.network.routes import Routes
from pybernetes.testing.feed import Feed

pytestmark = pytest.mark.node
PODS = {"a": ("node1", "10.249.1.2"), "b": ("node1", "10.249.1.3"), "c": ("node2", "10.249.2.2")}
NAMESPACES = {"a": "x", "b": "x", "c": "y"}


class Guarded:
    """The policies of both nodes, fed with the same objects; pods a and b are of namespace x, c is of y."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.feeds: dict[str, Feed] = {}
        self.policies: dict[str, Policies] = {}
        self.routes: dict[str, Routes] = {}

    async def start(self, name: str, node: Any) -> None:
        feed, server = self.feeds[name], Pod("kube-system", {}, node.address, frozenset({("dns", "udp", 53)}))
        policies = self.policies[name] = Policies(feed, name, node.pod_cidr, stand_ins=[StandIn(server, "", 10053)])
        routes = self.routes[name] = Routes(feed, name)
        node.start(policies.run())
        node.start(routes.run())
        await asyncio.wait_for(policies.in_step.wait(), 10)
        await asyncio.wait_for(routes.in_step.wait(), 10)

    def put(self, resource: str, obj: Obj) -> None:
        for name, node in self.world.nodes.items():
            node.run(self._tell(name, resource, obj))

    def remove(self, resource: str, obj: Obj) -> None:
        for name, node in self.world.nodes.items():
            node.run(self._tell(name, resource, obj, gone=True))

    async def _tell(self, name: str, resource: str, obj: Obj, *, gone: bool = False) -> None:
        informer = self.feeds[name].informer(resource)
        (informer.remove if gone else informer.put)(obj)
        await asyncio.wait_for(self.policies[name].in_step.wait(), 10)

    def reaches(self, source: str, target: str) -> bool:
        try:
            return bool(self.world.call(source, PODS[target][1], 8080, timeout=0.15)[0] == target)
        except (TimeoutError, OSError):
            return False

    def reached(self) -> set[str]:
        """Pairs ``ab``: a reaches b."""
        return {f"{s}{t}" for s, t in itertools.product("abc", repeat=2) if s != t and self.reaches(s, t)}


def pod(name: str) -> Obj:
    node, address = PODS[name]
    ports = [{"name": "web", "containerPort": 8080}]
    return {
        "metadata": {"namespace": NAMESPACES[name], "name": name, "uid": name, "labels": {"pod": name}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "ports": ports}]},
        "status": {"podIP": address, "phase": "Running"},
    }


def policy(namespace: str, **spec: Any) -> Obj:
    return {"metadata": {"namespace": namespace, "name": "p"}, "spec": {"podSelector": {}, **spec}}


@pytest.fixture(scope="module")
def guarded(world: Any) -> Iterator[Guarded]:
    found = Guarded(world)
    for name, node in world.nodes.items():
        feed = found.feeds[name] = Feed()
        for one in world.nodes.values():
            addresses = [{"type": "InternalIP", "address": one.address}]
            feed.informer("nodes").put(
                {"metadata": {"name": one.name}, "spec": {"podCIDR": one.pod_cidr}, "status": {"addresses": addresses}}
            )
        for namespace in "xy":
            feed.informer("namespaces").put({"metadata": {"name": namespace, "labels": {"ns": namespace}}})
        for each in PODS:
            feed.informer("pods").put(pod(each))
        node.run(found.start(name, node))
    yield found
    for name, node in world.nodes.items():
        node.run(found.policies[name].stop())
        node.run(found.routes[name].stop())
        node.run(loop.cleanup())


@pytest.fixture
def only(guarded: Guarded) -> Iterator[Any]:
    """Puts policies that are gone when the test is over."""
    put: list[Obj] = []

    def apply(*policies: Obj) -> set[str]:
        for one in policies:
            guarded.put(POLICIES, one)
            put.append(one)
        return guarded.reached()

    yield apply
    for one in put:
        guarded.remove(POLICIES, one)


ALL = {"ab", "ac", "ba", "bc", "ca", "cb"}
WEB = [{"protocol": "TCP", "port": "web"}]


def test_without_policies_everybody_reaches_everybody(guarded: Guarded) -> None:
    assert guarded.reached() == ALL


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, ALL - {"ba", "ca", "ab", "cb"}),
        ({"ingress": [{}]}, ALL),
        ({"ingress": [{"from": [{"podSelector": {}}]}]}, ALL - {"ca", "cb"}),
        ({"ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"ns": "y"}}}]}]}, ALL - {"ab", "ba"}),
        ({"ingress": [{"from": [{"ipBlock": {"cidr": "10.249.0.0/16", "except": ["10.249.1.3/32"]}}]}]}, ALL - {"ba"}),
        ({"ingress": [{"ports": WEB}]}, ALL),
        ({"ingress": [{"ports": [{"protocol": "TCP", "port": 8000, "endPort": 8080}]}]}, ALL),
        ({"ingress": [{"ports": [{"protocol": "UDP", "port": 8080}]}]}, ALL - {"ba", "ca", "ab", "cb"}),
        ({"podSelector": {"matchLabels": {"pod": "a"}}, "policyTypes": ["Egress"]}, ALL - {"ab", "ac"}),
        ({"policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": {}}]}]}, ALL - {"ac", "bc"}),
        ({"policyTypes": ["Egress"], "egress": [{"ports": WEB}]}, ALL),
    ],
)  # fmt: skip
def test_pods_of_the_namespace_are_held_to_its_policy(only: Any, spec: Obj, expected: set[str]) -> None:
    assert only(policy("x", **spec)) == expected


def test_both_ends_must_agree(only: Any) -> None:
    out = policy("x", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}])
    assert only(out, policy("y")) == ALL - {"ac", "bc"}


def test_a_node_reaches_its_own_pods_whatever_the_policy(guarded: Guarded, only: Any) -> None:
    only(policy("x", policyTypes=["Ingress", "Egress"]))
    assert guarded.world.call("node1", PODS["a"][1], 8080)[0] == "a"
    with pytest.raises((TimeoutError, OSError)):
        guarded.world.call("node2", PODS["a"][1], 8080, timeout=0.15)


def test_a_pod_that_may_not_leave_does_not_reach_its_node_either_but_what_stands_for_pods(
    guarded: Guarded, only: Any
) -> None:
    node = guarded.world.nodes["node1"]

    def bound(port: int) -> socket.socket:
        server = guarded.world.datagrams("node1")
        server.bind((node.address, port))
        server.settimeout(0.2)
        return server

    dns, other = bound(10053), bound(10054)
    client = guarded.world.datagrams("a")
    only(policy("x", policyTypes=["Egress"], egress=[{"ports": [{"protocol": "UDP", "port": 53}]}]))
    client.sendto(b"?", (node.address, 10054))
    client.sendto(b"?", (node.address, 10053))
    assert dns.recv(10) == b"?"
    with pytest.raises(TimeoutError):
        other.recv(10)


def test_a_pod_takes_part_only_once_it_is_admitted(guarded: Guarded) -> None:
    guarded.remove("pods", pod("a"))
    assert guarded.reached() == {"bc", "cb"}
    young = objects.evolve(pod("a"), ("status",), {"phase": "Pending"})
    guarded.put("pods", young)
    assert guarded.reached() == {"bc", "cb"}
    node = guarded.world.nodes["node1"]
    node.run(guarded.policies["node1"].admit(("x", "a"), "a", PODS["a"][1]))
    assert guarded.reached() == ALL
    guarded.put("pods", pod("a"))
    assert guarded.reached() == ALL
