"""Which node answers for an address of a load balancer on the nodes' own network. Pure.

Rule 1: one node per address, the one that ranks highest by a digest of both names: so each node decides alone, all
agree, and a node that goes moves only the addresses that it had.
Rule 2: candidates are Ready, not excluded by label, and on the network itself.
Rule 3: under externalTrafficPolicy Local only nodes with an endpoint that can be used are candidates.
Neighbours: ``loop.py`` performs; ``controllers/loadbalancer.py`` gives Services their addresses.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network import routes

EXCLUDED: Final = "node.kubernetes.io/exclude-from-external-load-balancers"


def addresses(service: Obj) -> list[str]:
    """The addresses for which a node must answer; none where the balancer is elsewhere (ipMode Proxy)."""
    if objects.get(service, "spec", "type") != "LoadBalancer":
        return []
    ingress = objects.get(service, "status", "loadBalancer", "ingress", default=[])
    return [i["ip"] for i in ingress if i.get("ip", "").count(".") == 3 and i.get("ipMode") != "Proxy"]


def candidates(nodes: Iterable[Obj], network: str) -> set[str]:
    """The names of the nodes that could answer on ``network`` (a CIDR)."""
    return {objects.name(node) for node in nodes if _can_answer(node, ipaddress.ip_network(network))}


def _can_answer(node: Obj, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    address = routes.internal_ip(node)
    on_network = bool(address) and ipaddress.ip_address(address) in network
    return on_network and objects.condition_is(node, "Ready") and EXCLUDED not in objects.labels(node)


def answering(service: Obj, slices: Sequence[Obj], nodes: set[str]) -> dict[str, str]:
    """Address → the node that answers for it; an address for which nobody can is left out."""
    able = nodes & set(_with_endpoints(slices)) if _is_local(service) else nodes
    return {address: max(able, key=lambda name: _rank(name, address)) for address in addresses(service)} if able else {}


def _is_local(service: Obj) -> bool:
    return bool(objects.get(service, "spec", "externalTrafficPolicy") == "Local")


def _with_endpoints(slices: Sequence[Obj]) -> Iterator[str]:
    for each in slices:
        for endpoint in each.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            if conditions.get("ready") is not False or conditions.get("serving"):
                yield endpoint.get("nodeName") or ""


def _rank(node: str, address: str) -> bytes:
    return hashlib.sha256(f"{node}/{address}".encode()).digest()
