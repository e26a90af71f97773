"""Service ports as an nftables table. Pure.

Theory of operation. Two maps are the heart: ``services`` (address . protocol . port) and ``nodeports`` (protocol .
port) send a new connection to the chain of its service port, which picks an endpoint by chance and rewrites the
destination; the kernel remembers the choice per connection. One look-up, however many services there are.
Rule 1: packets that would come back by another way are marked and masqueraded: those from outside to a node port or an
external address, those from outside the pod network to a cluster IP, and a pod's own packets that return to itself.
Rule 2: what has no endpoint is not rewritten, so the filter chains still see the service's address and refuse it.
Rule 3: client affinity needs a chain and a timed set of clients per endpoint. The time is part of their names, since
the kernel cannot change it in a set that is in use.
A service gives a ``Fragment`` (``network/ruleset.py``: of two services that claim an address the first in order of keys
has it). Everything else in the table is fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.network.proxy.model import Endpoint, Fate, ServicePort
from pybernetes.network.ruleset import Element, Fragment, Table

MARK: Final = "0x4000"
_MARKED: Final = f"meta mark set meta mark or {MARK}"


def fragment(ports: Iterable[ServicePort], pod_cidr: str = "") -> Fragment:
    """The chains, sets and elements of a service. ``pod_cidr``: this node's; what its pods sent comes back to it."""
    chains: dict[str, Sequence[str]] = {}
    sets: dict[str, str] = {}
    elements: dict[Element, str] = {}
    for port in ports:
        _internal(port, pod_cidr, chains, sets, elements)
        _external(port, pod_cidr, chains, sets, elements)
        _guard(port, chains, elements)
        for endpoint in (*port.internal, *port.external):
            if endpoint.is_local:
                elements["hairpin", f"{endpoint.address} . {endpoint.address}"] = ""
    return Fragment(chains, sets, elements)


def _internal(
    port: ServicePort, pod_cidr: str, chains: dict[str, Sequence[str]], sets: dict[str, str],
    elements: dict[Element, str],
) -> None:  # fmt: skip
    """The way from a cluster IP to the endpoints."""
    for address in port.cluster_ips:
        key = f"{address} . {port.protocol} . {port.port}"
        elements["cluster_ips", address] = ""
        if port.internal_fate == "serve":
            elements["services", key] = f"goto svc/{port.name}"
        else:
            elements["refused", key] = _verdict(port.internal_fate)
    if port.internal:
        unlike_pods = (
            [f"ip daddr {{ {_listed(port.cluster_ips)} }} ip saddr != {pod_cidr} {_MARKED}"] if pod_cidr else []
        )
        chains[f"svc/{port.name}"] = [*unlike_pods, *_balance(port, "svc", port.internal, chains, sets)]


def _external(
    port: ServicePort, pod_cidr: str, chains: dict[str, Sequence[str]], sets: dict[str, str],
    elements: dict[Element, str],
) -> None:  # fmt: skip
    """The way from node ports, external addresses and load balancers to the endpoints."""
    keys = [("services", "refused", f"{a} . {port.protocol} . {port.port}") for a in port.external_ips]
    if port.node_port:
        keys.append(("nodeports", "refused_nodeports", f"{port.protocol} . {port.node_port}"))
    rules = _external_rules(port, pod_cidr, chains, sets) if keys else []
    if rules:
        chains[f"ext/{port.name}"] = rules
    for served, refused, key in keys:
        if rules:
            elements[served, key] = f"goto ext/{port.name}"
        if port.external_fate != "serve":
            elements[refused, key] = _verdict(port.external_fate)


def _guard(port: ServicePort, chains: dict[str, Sequence[str]], elements: dict[Element, str]) -> None:
    """Only those whom the Service names may use its load balancer's addresses."""
    if port.source_ranges and port.balanced_ips:
        chains[f"fw/{port.name}"] = [f"ip saddr != {{ {_listed(port.source_ranges)} }} drop"]
        for address in port.balanced_ips:
            elements["firewall", f"{address} . {port.protocol} . {port.port}"] = f"goto fw/{port.name}"


def _external_rules(
    port: ServicePort, pod_cidr: str, chains: dict[str, Sequence[str]], sets: dict[str, str]
) -> list[str]:
    inside = f"goto svc/{port.name}"
    if not port.keeps_client:
        if port.external == port.internal:
            return [_MARKED, inside] if port.internal else []
        return [_MARKED, *_balance(port, "ext", port.external, chains, sets)] if port.external else []
    from_inside = [f"fib saddr type local {_MARKED} {inside}"] if port.internal else []
    if pod_cidr and port.internal:
        from_inside.insert(0, f"ip saddr {pod_cidr} {inside}")
    return from_inside + (_balance(port, "ext", port.external, chains, sets) if port.external else [])


def _balance(
    port: ServicePort, kind: str, endpoints: Sequence[Endpoint], chains: dict[str, Sequence[str]], sets: dict[str, str]
) -> list[str]:
    """Rules that end at one of the endpoints."""
    if port.affinity_seconds:
        return _balance_by_client(port, kind, endpoints, chains, sets)
    layer = f"meta l4proto {port.protocol}"
    if len(endpoints) == 1:
        return [f"{layer} dnat to {endpoints[0].address}:{endpoints[0].port}"]
    table = ", ".join(f"{i} : {e.address} . {e.port}" for i, e in enumerate(endpoints))
    return [f"{layer} dnat ip to numgen random mod {len(endpoints)} map {{ {table} }}"]


def _balance_by_client(
    port: ServicePort, kind: str, endpoints: Sequence[Endpoint], chains: dict[str, Sequence[str]], sets: dict[str, str]
) -> list[str]:
    known, table = [], []
    for index, endpoint in enumerate(endpoints):
        name = f"{port.affinity_seconds}/{kind}/{port.name}/{endpoint.address}/{endpoint.port}"
        sets[f"clients/{name}"] = f"type ipv4_addr; flags dynamic,timeout; timeout {port.affinity_seconds}s"
        chains[f"ep/{name}"] = [
            f"update @clients/{name} {{ ip saddr }}",
            f"meta l4proto {port.protocol} dnat to {endpoint.address}:{endpoint.port}",
        ]
        known.append(f"ip saddr @clients/{name} goto ep/{name}")
        table.append(f"{index} : goto ep/{name}")
    return [*known, f"numgen random mod {len(endpoints)} vmap {{ {', '.join(table)} }}"]


def _verdict(fate: Fate) -> str:
    return "drop" if fate == "drop" else "goto refuse"


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────

_FIXED: Final = f"""\
  map services {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
  map nodeports {{ type inet_proto . inet_service : verdict; }}
  map refused {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
  map refused_nodeports {{ type inet_proto . inet_service : verdict; }}
  map firewall {{ type ipv4_addr . inet_proto . inet_service : verdict; }}
  set cluster_ips {{ type ipv4_addr; }}
  set hairpin {{ type ipv4_addr . ipv4_addr; }}
  chain refuse {{ reject; }}
  chain find {{
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto . th dport vmap @nodeports
  }}
  chain check {{
    ip daddr . meta l4proto . th dport vmap @refused
    fib daddr type local meta l4proto . th dport vmap @refused_nodeports
    ip daddr @cluster_ips reject
  }}
  chain guard {{ ct state new ip daddr . meta l4proto . th dport vmap @firewall; }}
  chain guard_prerouting {{ type filter hook prerouting priority -110; jump guard; }}
  chain guard_output {{ type filter hook output priority -110; jump guard; }}
  chain prerouting {{ type nat hook prerouting priority dstnat; jump find; }}
  chain nat_output {{ type nat hook output priority -100; jump find; }}
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    meta mark and {MARK} != 0 meta mark set meta mark xor {MARK} masquerade
    ct status dnat ip saddr . ip daddr @hairpin masquerade
  }}
  chain input {{ type filter hook input priority filter; ct state new jump check; }}
  chain forward {{ type filter hook forward priority filter; ct state new jump check; }}
  chain output {{ type filter hook output priority filter; ct state new jump check; }}
"""

TABLE: Final = Table("pybernetes-proxy", _FIXED)
