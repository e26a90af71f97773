"""Network policies as an nftables table. Pure.

Theory of operation. A packet between pods passes the node's forward hook, after the proxy has rewritten its
destination. Two maps, ``ingress`` and ``egress``, send a packet from or to an isolated pod of this node to the chain of
the policies that select it, which ends in a drop; a policy's chain accepts what it allows. Leaving and arriving are two
base chains, for an accept in one must not spare a packet the other. A pod with other labels is one element of a set.
Rule 1: only pods in ``known`` may send or receive, so nothing flows before a pod's policies are in the kernel.
Rule 2: the node itself always reaches its pods (its packets pass the output hook, where nothing is asked), answers
pass, and so does a pod's traffic to itself. A pod's packets to its node pass the input hook, where its egress is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pybernetes.network.policy.allowance import Allowance
from pybernetes.network.policy.model import DIRECTIONS, Block, Direction, Key, Pod
from pybernetes.network.ruleset import Element, Fragment, Table

NAME: Final = "pybernetes-policy"
_NAME_MAX: Final = 60
_FAR_END: Final[Mapping[Direction, str]] = {"ingress": "ip saddr", "egress": "ip daddr"}


def table(pod_cidr: str) -> Table:
    """``pod_cidr``: this node's; an address of it that is no known pod's takes part in nothing."""
    return Table(
        NAME,
        f"""\
  set known {{ type ipv4_addr; }}
  set selves {{ type ipv4_addr . ipv4_addr; }}
  map ingress {{ type ipv4_addr : verdict; }}
  map egress {{ type ipv4_addr : verdict; }}
  chain leaving {{
    ct state established,related accept
    ip saddr {pod_cidr} ip saddr != @known drop
    ip saddr . ip daddr @selves accept
    ip saddr vmap @egress
  }}
  chain forward_out {{ type filter hook forward priority filter - 10; jump leaving; }}
  chain input_out {{ type filter hook input priority filter - 10; jump leaving; }}
  chain forward_in {{
    type filter hook forward priority filter - 5;
    ct state established,related accept
    ip daddr {pod_cidr} ip daddr != @known reject with icmp type host-unreachable
    ip saddr . ip daddr @selves accept
    ip daddr vmap @ingress
  }}
""",
    )


def of_pod(pod: Pod, isolating: Mapping[Direction, Sequence[Key]]) -> Fragment:
    """A pod of this node: that it is known, and the policies that isolate it."""
    elements: dict[Element, str] = {("known", pod.address): ""}
    chains: dict[str, Sequence[str]] = {}
    for direction in DIRECTIONS:
        if policies := [_chain(direction, key) for key in sorted(isolating.get(direction, ()))]:
            digest = hashlib.sha256(" ".join(policies).encode()).hexdigest()[:16]
            chains[f"{direction}-of/{digest}"] = [*(f"jump {name}" for name in policies), "drop"]
            elements[direction, pod.address] = f"goto {direction}-of/{digest}"
            elements["selves", f"{pod.address} . {pod.address}"] = ""
    return Fragment(chains, {}, elements)


def of_policy(key: Key, allowed: Mapping[Direction, Sequence[Allowance]]) -> Fragment:
    """A policy's chains, and the sets of pods and ports that its rules ask."""
    chains: dict[str, Sequence[str]] = {}
    sets: dict[str, str] = {}
    elements: dict[Element, str] = {}
    for direction, rules in allowed.items():
        name = _chain(direction, key)
        chains[name] = [
            line
            for index, rule in enumerate(rules)
            for line in _lines(rule, direction, f"{name}/{index}", sets, elements)
        ]
    return Fragment(chains, sets, elements)


def _chain(direction: Direction, key: Key) -> str:
    """A name that nftables takes: as it is, or its digest where it is too long."""
    whole = "/".join(key)
    return f"{direction}/{whole if len(whole) <= _NAME_MAX else hashlib.sha256(whole.encode()).hexdigest()[:32]}"


def _lines(
    rule: Allowance, direction: Direction, name: str, sets: dict[str, str], elements: dict[Element, str]
) -> Iterable[str]:
    ports = [*_ports(rule, name, sets, elements)]
    for peer in _peers(rule, direction, name, sets, elements):
        for port in ports:
            yield " ".join(filter(None, (peer, port, "accept")))
    if rule.direct:
        yield f"{_receivers(f'{name}/direct', rule.direct, sets, elements)} accept"


def _peers(
    rule: Allowance, direction: Direction, name: str, sets: dict[str, str], elements: dict[Element, str]
) -> Iterable[str]:
    if rule.anyone:
        yield ""
    if rule.by_selector:
        sets[f"{name}/pods"] = "type ipv4_addr"
        elements.update(dict.fromkeys(((f"{name}/pods", address) for address in rule.addresses), ""))
        yield f"{_FAR_END[direction]} @{name}/pods"
    for block in rule.blocks:
        yield _block(block, _FAR_END[direction])


def _block(block: Block, far_end: str) -> str:
    excepted = "".join(f" {far_end} != {each}" for each in block.excepted)
    return f"{far_end} {block.network}{excepted}"


def _ports(rule: Allowance, name: str, sets: dict[str, str], elements: dict[Element, str]) -> Iterable[str]:
    if rule.every_port:
        yield ""
    for protocol in dict.fromkeys(protocol for protocol, _, _ in rule.ranges):
        ranges = ", ".join(
            str(first) if first == last else f"{first}-{last}" for p, first, last in rule.ranges if p == protocol
        )
        yield f"meta l4proto {protocol} th dport {{ {ranges} }}"
    if rule.by_name:
        yield _receivers(f"{name}/ports", rule.named, sets, elements)


def _receivers(
    name: str, receivers: Iterable[tuple[str, str, int]], sets: dict[str, str], elements: dict[Element, str]
) -> str:
    """Packets to one of these addresses by its protocol and port."""
    sets[name] = "type ipv4_addr . inet_proto . inet_service"
    for address, protocol, number in receivers:
        elements[name, f"{address} . {protocol} . {number}"] = ""
    return f"ip daddr . meta l4proto . th dport @{name}"
