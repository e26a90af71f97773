"""NetworkPolicies: who may speak to whom. Pure.

Rule 1: a pod that some policy selects for a direction is isolated there; it may do what one of these policies allows.
Rule 2: a rule without peers allows everyone, one without ports everything; peers and ports of one rule must both hold.
Rule 3: a peer's podSelector alone means pods of the policy's own namespace; with a namespaceSelector, those of all
that it selects. ipBlock is compared with the address as the packet has it at the pod, after translation.
Rule 4: a named port is that of the pod which receives; policies do not reach pods of the host's network.
Neighbours: ``state.py`` holds what there is, ``allowance.py`` turns a policy's rules into addresses and ports.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector

Direction: TypeAlias = Literal["ingress", "egress"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
Key: TypeAlias = tuple[str, str]
"""(namespace, name)."""
_FINISHED: Final = ("Succeeded", "Failed")
PORT_LAST: Final = 65535


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the pod network that has an address."""

    namespace: str
    labels: Mapping[str, str]
    address: str
    ports: frozenset[tuple[str, str, int]] = frozenset()
    """(name, protocol, number) of its named ports; protocols are in nftables' words: tcp, udp, sctp."""
    is_local: bool = False
    """It runs on this node."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the IPv4 world."""

    network: str
    excepted: tuple[str, ...] = ()

    def holds(self, address: str) -> bool:
        found = ipaddress.ip_address(address)
        inside = found in ipaddress.ip_network(self.network, strict=False)
        return inside and not any(found in ipaddress.ip_network(e, strict=False) for e in self.excepted)


@dataclass(frozen=True, slots=True)
class Peer:
    """A block of addresses, or pods: those that ``pods`` selects in the policy's namespace or in ``namespaces``."""

    block: Block | None = None
    pods: LabelSelector = selectors.EVERYTHING
    namespaces: LabelSelector | None = None

    def selects(self, namespace: str, pod: Pod, namespace_labels: Mapping[str, Mapping[str, str]]) -> bool:
        """Is ``pod`` meant, by a policy of ``namespace``?"""
        if self.block is not None or not self.pods.matches(pod.labels):
            return False
        if self.namespaces is None:
            return pod.namespace == namespace
        return pod.namespace in namespace_labels and self.namespaces.matches(namespace_labels[pod.namespace])


@dataclass(frozen=True, slots=True)
class Port:
    """Numbers from ``first`` to ``last``, or the port called ``name``."""

    protocol: str
    first: int = 0
    last: int = PORT_LAST
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    peers: tuple[Peer, ...] = ()
    ports: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    namespace: str
    pods: LabelSelector
    rules: Mapping[Direction, tuple[Rule, ...]] = field(default_factory=dict)
    """The directions in which it isolates, and what it allows there."""

    def isolates(self, pod: Pod, direction: Direction) -> bool:
        return direction in self.rules and pod.namespace == self.namespace and self.pods.matches(pod.labels)


def policy(obj: Obj) -> Policy:
    """A NetworkPolicy as the server stores it, its defaults filled in."""
    spec: Obj = obj.get("spec") or {}
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    sides: tuple[tuple[Direction, str, str], ...] = (("ingress", "Ingress", "from"), ("egress", "Egress", "to"))
    return Policy(
        objects.namespace(obj),
        selectors.from_label_selector(spec.get("podSelector") or {}),
        {
            direction: tuple(_rule(rule or {}, peers) for rule in spec.get(direction) or ())
            for direction, type_, peers in sides
            if type_ in types
        },
    )


def _rule(rule: Obj, peers: str) -> Rule:
    return Rule(tuple(map(_peer, rule.get(peers) or ())), tuple(map(_port, rule.get("ports") or ())))


def _peer(peer: Obj) -> Peer:
    if block := peer.get("ipBlock"):
        return Peer(Block(block["cidr"], tuple(block.get("except") or ())))
    namespaces = peer.get("namespaceSelector")
    return Peer(
        None,
        selectors.from_label_selector(peer.get("podSelector") or {}),
        None if namespaces is None else selectors.from_label_selector(namespaces),
    )


def _port(port: Obj) -> Port:
    protocol, value = (port.get("protocol") or "TCP").lower(), port.get("port")
    if value is None:
        return Port(protocol)
    if isinstance(value, str):
        return Port(protocol, name=value)
    return Port(protocol, value, port.get("endPort") or value)


def pod(obj: Obj, node_name: str, address: str = "") -> Pod | None:
    """A pod as policies see it; None for one of the host's network, without an address or at its end.

    ``address`` is what is known of it before the API knows.
    """
    spec: Obj = obj.get("spec") or {}
    status: Obj = obj.get("status") or {}
    found = address or status.get("podIP") or ""
    if spec.get("hostNetwork") or found.count(".") != 3 or status.get("phase") in _FINISHED:
        return None
    local = spec.get("nodeName") == node_name
    return Pod(objects.namespace(obj), objects.labels(obj), found, frozenset(_named(spec)), local)


def _named(spec: Obj) -> Iterable[tuple[str, str, int]]:
    """Ports of containers, and of those init containers that stay."""
    stay = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in (*(spec.get("containers") or ()), *stay):
        for port in container.get("ports") or ():
            if port.get("name"):
                yield port["name"], (port.get("protocol") or "TCP").lower(), port["containerPort"]
