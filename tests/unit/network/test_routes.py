"""Which routes a node needs to the pods of the others."""

from __future__ import annotations

from typing import Any

from pybernetes.network import routes


def node(**spec: Any) -> dict[str, Any]:
    addresses = [
        {"type": "Hostname", "address": "node-2"},
        {"type": "InternalIP", "address": "fd00::2"},
        {"type": "InternalIP", "address": "172.30.77.12"},
    ]
    return {"metadata": {"name": "node-2"}, "spec": spec, "status": {"addresses": addresses}}


def test_a_nodes_pods_lie_behind_its_internal_address() -> None:
    assert routes.of_node(node(podCIDR="10.244.2.0/24")) == {"10.244.2.0/24": "172.30.77.12"}
    both = node(podCIDRs=["10.244.2.0/24", "fd00:2::/64"], podCIDR="10.244.2.0/24")
    assert routes.of_node(both) == {"10.244.2.0/24": "172.30.77.12"}


def test_a_node_without_pods_or_address_needs_no_route() -> None:
    assert routes.of_node(node()) == {}
    assert routes.of_node({"metadata": {"name": "new"}, "spec": {"podCIDR": "10.244.2.0/24"}}) == {}


def test_only_what_differs_is_told() -> None:
    old = {"10.244.1.0/24": "172.30.77.11", "10.244.2.0/24": "172.30.77.12", "10.244.3.0/24": "172.30.77.13"}
    new = {"10.244.1.0/24": "172.30.77.11", "10.244.2.0/24": "172.30.77.22", "10.244.4.0/24": "172.30.77.14"}
    assert routes.commands(old, new) == [
        "route del 10.244.3.0/24 proto 141",
        "route replace 10.244.2.0/24 via 172.30.77.22 proto 141",
        "route replace 10.244.4.0/24 via 172.30.77.14 proto 141",
    ]
    assert routes.commands(new, new) == []
