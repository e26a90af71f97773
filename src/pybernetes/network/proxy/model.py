"""What a node must do with traffic to services: for each service port, where it is met and where it goes. Pure.

Rule 1 (pkg/proxy/topology.go): ready endpoints serve; where none is ready, those that still serve while they terminate.
Rule 2: a policy of Local keeps to the endpoints on this node; where it has none but others have, packets are dropped.
Rule 3: a port without any endpoint refuses.
Rule 4: hints narrow the endpoints only where every ready one has them and one of them means this node or its zone.
Rule 5: traffic from pods and from the node itself to an external address counts as internal to the cluster.
Neighbours: ``render.py`` turns service ports into nftables; ``loop.py`` feeds this from ``network/index.py``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

Fate: TypeAlias = Literal["serve", "reject", "drop"]
AFFINITY_SECONDS: Final = 10800
"""Default of ``sessionAffinityConfig.clientIP.timeoutSeconds``."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    address: str
    port: int
    is_local: bool = False
    """It runs on this node."""


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of one service. ``internal`` serves cluster IPs, ``external`` node ports and external addresses."""

    name: str
    """``namespace/service/protocol/port``."""
    protocol: str
    """In nftables' words: tcp, udp or sctp."""
    port: int
    cluster_ips: tuple[str, ...]
    external_ips: tuple[str, ...]
    """externalIPs, and the ingress addresses of a load balancer."""
    node_port: int
    affinity_seconds: int
    internal: tuple[Endpoint, ...]
    internal_fate: Fate
    external: tuple[Endpoint, ...]
    external_fate: Fate
    keeps_client: bool
    """externalTrafficPolicy Local: the endpoint sees the client's own address."""
    balanced_ips: tuple[str, ...] = ()
    """Those of ``external_ips`` that are a load balancer's."""
    source_ranges: tuple[str, ...] = ()
    """Who may use ``balanced_ips``; everybody where it is empty. None of them overlap."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    endpoint: Endpoint
    is_ready: bool
    is_serving: bool
    is_terminating: bool
    zones: tuple[str, ...]
    """The zones for which the hints mean it."""
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """``endpoints``: how many of this node can be used."""

    port: int
    endpoints: int


def service_ports(
    service: Obj | None, slices: Sequence[Obj], node_name: str, zone: str = ""
) -> tuple[ServicePort, ...]:
    """The ports of a service as a node in ``zone`` serves them; none for a headless service or an ExternalName."""
    spec = (service or {}).get("spec") or {}
    cluster_ips = _v4(spec.get("clusterIPs") or [spec.get("clusterIP") or ""])
    if service is None or not cluster_ips or spec.get("type") == "ExternalName":
        return ()
    return tuple(
        _service_port(service, port, cluster_ips, _of_port(slices, port, node_name), _Place(node_name, zone))
        for port in spec.get("ports") or ()
    )


def health_check(service: Obj | None, slices: Sequence[Obj], node_name: str) -> HealthCheck | None:
    """What a load balancer is to be told of this node; None for a service without a port for such questions."""
    spec = (service or {}).get("spec") or {}
    port = spec.get("healthCheckNodePort")
    if not port or spec.get("type") != "LoadBalancer" or spec.get("externalTrafficPolicy") != "Local":
        return None
    found = {
        c.endpoint.address
        for each in spec.get("ports") or ()
        for c in _of_port(slices, each, node_name)
        if c.endpoint.is_local and c.is_ready
    }
    return HealthCheck(port, len(found))


@dataclass(frozen=True, slots=True)
class _Place:
    node: str
    zone: str


def _service_port(
    service: Obj, port: Obj, cluster_ips: tuple[str, ...], candidates: Sequence[_Candidate], place: _Place
) -> ServicePort:
    spec: Obj = service["spec"]
    protocol = port.get("protocol") or "TCP"
    hinted = _hinted(candidates, place)
    only_local, keeps_client = (spec.get(f"{way}TrafficPolicy") == "Local" for way in ("internal", "external"))
    internal, internal_fate = _chosen(candidates if only_local else hinted, only_local)
    external, external_fate = _chosen(candidates if keeps_client else hinted, keeps_client)
    balanced = _balanced_ips(service)
    return ServicePort(
        name=f"{objects.namespace(service)}/{objects.name(service)}/{protocol.lower()}/{port['port']}",
        protocol=protocol.lower(),
        port=port["port"],
        cluster_ips=cluster_ips,
        external_ips=_v4([*(spec.get("externalIPs") or ()), *balanced]),
        node_port=port.get("nodePort") or 0 if spec.get("type") in ("NodePort", "LoadBalancer") else 0,
        affinity_seconds=_affinity_seconds(spec),
        internal=internal,
        internal_fate=internal_fate,
        external=external,
        external_fate=external_fate,
        keeps_client=keeps_client,
        balanced_ips=balanced,
        source_ranges=_source_ranges(spec.get("loadBalancerSourceRanges") or ()),
    )


def _hinted(candidates: Sequence[_Candidate], place: _Place) -> Sequence[_Candidate]:
    """Those that the hints mean for this place; all of them unless every ready one has a hint and one means us."""
    for here, hints in ((place.node, [c.nodes for c in candidates]), (place.zone, [c.zones for c in candidates])):
        near = [c for c, meant in zip(candidates, hints, strict=True) if here in meant]
        are_hinted = all(meant for c, meant in zip(candidates, hints, strict=True) if c.is_ready)
        if are_hinted and any(c.is_ready for c in near):
            return near
    return candidates


def _chosen(candidates: Sequence[_Candidate], only_local: bool) -> tuple[tuple[Endpoint, ...], Fate]:
    near = [c for c in candidates if c.endpoint.is_local] if only_local else candidates
    if usable := _usable(near):
        return usable, "serve"
    return (), "drop" if _usable(candidates) else "reject"


def _usable(candidates: Sequence[_Candidate]) -> tuple[Endpoint, ...]:
    ready = {c.endpoint for c in candidates if c.is_ready}
    return tuple(sorted(ready or {c.endpoint for c in candidates if c.is_serving and c.is_terminating}))


def _of_port(slices: Sequence[Obj], port: Obj, node_name: str) -> list[_Candidate]:
    """What stands behind one port of a service."""
    wanted = (port.get("name") or "", port.get("protocol") or "TCP")
    return [
        candidate
        for endpoint_slice in slices
        if endpoint_slice.get("addressType") == "IPv4"
        for port in endpoint_slice.get("ports") or ()
        if (port.get("name") or "", port.get("protocol") or "TCP") == wanted and port.get("port")
        for endpoint in endpoint_slice.get("endpoints") or ()
        for candidate in _of_endpoint(endpoint, port["port"], node_name)
    ]


def _of_endpoint(endpoint: Obj, port: int, node_name: str) -> Iterable[_Candidate]:
    conditions, hints = endpoint.get("conditions") or {}, endpoint.get("hints") or {}
    is_ready = _true_unless_said(conditions.get("ready"))
    zones, nodes = (tuple(h.get("name", "") for h in hints.get(key) or ()) for key in ("forZones", "forNodes"))
    for address in (endpoint.get("addresses") or ())[:1]:
        yield _Candidate(
            Endpoint(address, port, endpoint.get("nodeName") == node_name),
            is_ready,
            _true_unless_said(conditions.get("serving"), is_ready),
            bool(conditions.get("terminating")),
            zones,
            nodes,
        )


def _true_unless_said(value: Any, default: bool = True) -> bool:
    return default if value is None else bool(value)


def _balanced_ips(service: Obj) -> tuple[str, ...]:
    if objects.get(service, "spec", "type") != "LoadBalancer":
        return ()
    ingress = objects.get(service, "status", "loadBalancer", "ingress", default=[])
    return _v4(i.get("ip") or "" for i in ingress if i.get("ipMode") != "Proxy")


def _source_ranges(told: Iterable[str]) -> tuple[str, ...]:
    networks = [ipaddress.IPv4Network(each.strip(), strict=False) for each in told if ":" not in each]
    return tuple(map(str, ipaddress.collapse_addresses(networks)))


def _affinity_seconds(spec: Obj) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    seconds = objects.get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds", default=AFFINITY_SECONDS)
    return int(seconds)


def _v4(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for a in addresses if a.count(".") == 3))


# ── connections that outlive their endpoint ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, order=True)
class Stale:
    """UDP flows that the kernel still sends where they should no longer go; ``endpoint`` empty: any."""

    address: str
    port: int
    endpoint: str = ""


def stale(old: Sequence[ServicePort], new: Sequence[ServicePort]) -> set[Stale]:
    """UDP flows to forget: to endpoints that are gone, and those that began when there was no endpoint."""
    now = {port.name: port for port in new}
    return {
        found
        for port in old
        if port.protocol == "udp"
        for found in _stale_of(port, now.get(port.name))
    }  # fmt: skip


def _stale_of(old: ServicePort, new: ServicePort | None) -> Iterable[Stale]:
    before = {e.address for e in (*old.internal, *old.external)}
    after = {e.address for e in (*new.internal, *new.external)} if new else set()
    gone = before - after if before else ({""} if after else set())
    for address in (*old.cluster_ips, *old.external_ips):
        yield from (Stale(address, old.port, endpoint) for endpoint in gone)
    if old.node_port:
        yield from (Stale("", old.node_port, endpoint) for endpoint in gone)
