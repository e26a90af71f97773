"""Which node answers for a load balancer's address."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.network.announce import arp, model

NAMES = ["node-1", "node-2", "node-3"]


def node(name: str, address: str = "172.30.77.11", *, ready: str = "True", **labels: str) -> Obj:
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def service(*addresses: str, **spec: Any) -> Obj:
    ingress = [{"ip": each, "ipMode": "VIP"} for each in addresses]
    return {"spec": {"type": "LoadBalancer", **spec}, "status": {"loadBalancer": {"ingress": ingress}}}


def sliced(*nodes: str, **conditions: bool) -> Obj:
    return {"endpoints": [{"addresses": ["10.0.0.1"], "nodeName": n, "conditions": conditions} for n in nodes]}


def test_candidates_are_ready_on_the_network_and_not_excluded() -> None:
    nodes = [
        node("good"), node("late", ready="Unknown"), node("simulated", "100.64.1.1"),
        node("apart", **{"node.kubernetes.io/exclude-from-external-load-balancers": ""}),
    ]  # fmt: skip
    assert model.candidates(nodes, "172.30.77.0/24") == {"good"}


def test_an_address_stays_where_it_is_when_another_node_goes() -> None:
    addresses = [f"172.30.77.{n}" for n in range(200, 232)]
    before = model.answering(service(*addresses), [], set(NAMES))
    after = model.answering(service(*addresses), [], {"node-1", "node-2"})
    assert set(before.values()) == set(NAMES)
    assert all(after[a] == n for a, n in before.items() if n != "node-3")


def test_a_local_policy_needs_an_endpoint_on_the_node() -> None:
    local = service("172.30.77.200", externalTrafficPolicy="Local")
    assert model.answering(local, [sliced("node-2", ready=True)], set(NAMES)) == {"172.30.77.200": "node-2"}
    assert model.answering(local, [sliced("node-2", ready=False)], set(NAMES)) == {}


def test_a_balancer_elsewhere_needs_no_answer() -> None:
    proxied = service()
    proxied["status"]["loadBalancer"]["ingress"] = [{"ip": "192.0.2.1", "ipMode": "Proxy"}, {"hostname": "x"}]
    assert model.addresses(proxied) == []


def test_an_announcement_is_a_request_for_ones_own_address() -> None:
    hardware = bytes.fromhex("020000000001")
    data = arp.frame(hardware, "172.30.77.200")
    assert len(data) == 42
    assert data[:6] == b"\xff" * 6 and data[12:14] == b"\x08\x06"
    assert data[28:32] == data[38:42] == bytes([172, 30, 77, 200])
