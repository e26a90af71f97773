"""What one rule of a policy allows, as addresses, blocks and ports: all that a packet can be asked for. Pure.

Rule: the server of a node that stands for pods (DNS) is allowed as those pods would be, by the address and the port at
which it is met once the Service's address has been translated.
Neighbours: ``model.py`` has the words, ``render.py`` writes allowances in nftables' own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pybernetes.network.policy.model import Block, Direction, Pod, Policy, Port, Rule


@dataclass(frozen=True, slots=True)
class StandIn:
    """A server on the node, outside the pod network, in the place of pods behind a Service."""

    pod: Pod
    """As which policies shall see it: its namespace, labels and named ports; ``address`` is the server's own."""
    service_ip: str
    port: int
    """Where it listens for whatever its Service calls ``pod.ports``, by every protocol of these."""


@dataclass(frozen=True, slots=True)
class Allowance:
    anyone: bool
    by_selector: bool
    """Some peers are pods: those of ``addresses``, which may be none for now."""
    addresses: frozenset[str]
    blocks: tuple[Block, ...]
    every_port: bool
    ranges: tuple[tuple[str, int, int], ...]
    """(protocol, first, last), none of which overlap."""
    by_name: bool
    """Some ports are named: those of ``named``, which may be none for now."""
    named: frozenset[tuple[str, str, int]]
    """(address of the receiver, protocol, number)."""
    direct: frozenset[tuple[str, str, int]] = frozenset()
    """Receivers that are allowed whatever the peers say: the stand-ins."""


World = Mapping[str, Mapping[str, str]]
"""The labels of each namespace."""


def allowances(
    policy: Policy, direction: Direction, pods: Sequence[Pod], world: World, stand_ins: Sequence[StandIn] = ()
) -> tuple[Allowance, ...]:
    """What the rules of one direction allow, in their order. Ingress is received by the selected pods of this node."""
    chosen = [p for p in pods if p.is_local and policy.isolates(p, direction)] if direction == "ingress" else pods
    return tuple(
        replace(
            _allowance(policy, rule, pods, chosen, world),
            direct=frozenset(
                receiver
                for server in (stand_ins if direction == "egress" else ())
                for receiver in _standing_in(policy, rule, server, world)
            ),
        )
        for rule in policy.rules.get(direction, ())
    )


def _allowance(policy: Policy, rule: Rule, pods: Sequence[Pod], receivers: Sequence[Pod], world: World) -> Allowance:
    selecting = [peer for peer in rule.peers if peer.block is None]
    return Allowance(
        anyone=not rule.peers,
        by_selector=bool(selecting),
        addresses=frozenset(
            pod.address for pod in pods if any(peer.selects(policy.namespace, pod, world) for peer in selecting)
        ),
        blocks=tuple(peer.block for peer in rule.peers if peer.block is not None and ":" not in peer.block.network),
        every_port=not rule.ports,
        ranges=_merged((p.protocol, p.first, p.last) for p in rule.ports if not p.name),
        by_name=any(p.name for p in rule.ports),
        named=frozenset(_called(rule.ports, receivers)),
    )


def _called(ports: Sequence[Port], receivers: Sequence[Pod]) -> Iterable[tuple[str, str, int]]:
    wanted = {(port.name, port.protocol) for port in ports if port.name}
    for pod in receivers if wanted else ():
        for name, protocol, number in pod.ports:
            if (name, protocol) in wanted:
                yield pod.address, protocol, number


def _standing_in(policy: Policy, rule: Rule, server: StandIn, world: World) -> Iterable[tuple[str, str, int]]:
    meant = not rule.peers or any(
        peer.block.holds(server.service_ip) or peer.block.holds(server.pod.address)
        if peer.block and ":" not in peer.block.network
        else peer.selects(policy.namespace, server.pod, world)
        for peer in rule.peers
    )
    for name, protocol, number in server.pod.ports if meant else ():
        if not rule.ports or any(_covers(port, name, protocol, number) for port in rule.ports):
            yield server.pod.address, protocol, server.port


def _covers(port: Port, name: str, protocol: str, number: int) -> bool:
    if port.protocol != protocol:
        return False
    return port.name == name if port.name else port.first <= number <= port.last


def _merged(ranges: Iterable[tuple[str, int, int]]) -> tuple[tuple[str, int, int], ...]:
    """The same ports by the fewest ranges; a set of the kernel takes none that overlap."""
    found: list[tuple[str, int, int]] = []
    for protocol, first, last in sorted(ranges):
        if found and found[-1][0] == protocol and first <= found[-1][2] + 1:
            found[-1] = (protocol, found[-1][1], max(last, found[-1][2]))
        else:
            found.append((protocol, first, last))
    return tuple(found)
