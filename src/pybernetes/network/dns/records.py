"""What the cluster's zone says: the answer to a question, out of Services and EndpointSlices. Pure.

Follows the DNS specification of Kubernetes, schema 1.1.0, and CoreDNS where that leaves room: a service's name leads to
its cluster IPs, a headless one's to its ready endpoints, ``_port._protocol`` before it to SRV records, and a dashed
address before ``<namespace>.pod`` to that address. A name that exists without records of the asked type is NODATA; a
name under which nothing lies is NXDOMAIN.
Neighbours: ``server.py`` speaks the wire, ``network/index.py`` holds the objects.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.index import Key, ServiceIndex

TTL_SECONDS: Final = 5
SPEC_VERSION: Final = "1.1.0"
Status: TypeAlias = Literal["ok", "nxdomain", "outside"]
"""``outside``: not a name of this zone. ``ok`` without records is NODATA."""


@dataclass(frozen=True, slots=True)
class Record:
    """``data``: an address, a name, a text; (priority, weight, port, target) for SRV."""

    name: str
    type: str
    data: Any
    ttl_seconds: int = TTL_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    status: Status
    records: Sequence[Record] = ()
    additional: Sequence[Record] = ()
    elsewhere: str = ""
    """A name outside the zone to which a CNAME leads; whoever can, follows it."""


@dataclass(frozen=True, slots=True)
class _Backend:
    """One address of a headless service and the name that it has beneath it."""

    address: str
    host: str
    ports: tuple[tuple[str, str, int], ...]
    """(name, protocol, number)."""


NXDOMAIN: Final = Answer("nxdomain")
NODATA: Final = Answer("ok")
OUTSIDE: Final = Answer("outside")


def lookup(index: ServiceIndex, domain: str, name: str, type_: str) -> Answer:
    """The answer for ``name`` (lower case, no dot at its end) in the zone ``domain``."""
    if name == domain:
        return _apex(domain, type_)
    if not name.endswith(f".{domain}"):
        return OUTSIDE
    labels = name.removesuffix(f".{domain}").split(".")
    match labels:
        case ["dns-version"]:
            return _told([Record(name, "TXT", SPEC_VERSION)], type_)
        case ["ns", "dns"]:
            return _told(_name_server(index, name), type_)
        case ["svc"] | ["pod"] | ["dns"]:
            return NODATA
        case [namespace, "svc" | "pod"]:
            return NODATA if any(key[0] == namespace for key in index) else NXDOMAIN
        case [dashed, _, "pod"]:
            return _pod(name, dashed, type_)
        case [*before, service, namespace, "svc"]:
            return _service(index, domain, before, (namespace, service), type_)
    return NXDOMAIN


def soa(domain: str) -> Record:
    """What an answer without records carries, so that resolvers know for how long nothing is there."""
    return Record(domain, "SOA", (f"ns.dns.{domain}", f"hostmaster.{domain}"))


def _apex(domain: str, type_: str) -> Answer:
    return _told([soa(domain), Record(domain, "NS", f"ns.dns.{domain}")], type_)


def _name_server(index: ServiceIndex, name: str) -> list[Record]:
    service = index.service(("kube-system", "kube-dns"))
    return _addresses(name, cluster_ips(service)) if service else []


def _told(records: Iterable[Record], type_: str) -> Answer:
    return Answer("ok", [r for r in records if type_ in (r.type, "ANY")])


def _addresses(name: str, addresses: Iterable[str]) -> list[Record]:
    return [Record(name, "AAAA" if ":" in address else "A", address) for address in addresses]


def _pod(name: str, dashed: str, type_: str) -> Answer:
    for address in (dashed.replace("-", "."), dashed.replace("-", ":")):
        try:
            return _told(_addresses(name, [str(ipaddress.ip_address(address))]), type_)
        except ValueError:
            continue
    return NXDOMAIN


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────


def _service(index: ServiceIndex, domain: str, before: Sequence[str], key: Key, type_: str) -> Answer:
    service = index.service(key)
    if service is None:
        return NXDOMAIN
    name = service_name(key, domain)
    if target := objects.get(service, "spec", "externalName", default=""):
        return _elsewhere(index, domain, name, str(target).rstrip(".").lower(), type_) if not before else NXDOMAIN
    if addresses := cluster_ips(service):
        return _clustered(service, name, addresses, before, type_)
    return _headless(backends(service, index.slices(key)), name, before, type_)


def _elsewhere(index: ServiceIndex, domain: str, name: str, target: str, type_: str) -> Answer:
    alias = Record(name, "CNAME", target)
    if type_ == "CNAME":
        return Answer("ok", [alias])
    if target == name:
        return Answer("ok", [alias])
    inside = lookup(index, domain, target, type_) if not _is_alias(index, domain, target) else NODATA
    if inside.status == "outside":
        return Answer("ok", [alias], elsewhere=target)
    return Answer("ok", [alias, *inside.records])


def _is_alias(index: ServiceIndex, domain: str, name: str) -> bool:
    """Does ``name`` lead on in turn? One step is followed, so that a circle of services does no harm."""
    found = _key_of(name, domain)
    service = index.service(found) if found else None
    return bool(objects.get(service, "spec", "externalName"))


def _key_of(name: str, domain: str) -> Key | None:
    parts = name.removesuffix(f".{domain}").split(".")
    return (parts[1], parts[0]) if len(parts) == 3 and parts[2] == "svc" else None


def _clustered(service: Obj, name: str, addresses: Sequence[str], before: Sequence[str], type_: str) -> Answer:
    hosts = _addresses(name, addresses)
    ports = [
        (p.get("name") or "", (p.get("protocol") or "TCP").lower(), p["port"]) for p in service["spec"].get("ports", ())
    ]
    if not before:
        found = _told(hosts, type_).records
        return _srv(name, ports, [(name, hosts)]) if type_ == "SRV" else Answer("ok", found)
    return _of_port(name, ports, [(name, hosts)], before, type_) or NXDOMAIN


def _headless(found: Sequence[_Backend], name: str, before: Sequence[str], type_: str) -> Answer:
    if not found:
        return NXDOMAIN
    if not before and type_ != "SRV":
        return _told(_addresses(name, dict.fromkeys(b.address for b in found)), type_)
    if len(before) == 1 and (of_host := [b for b in found if b.host == before[0]]):
        return _told(_addresses(f"{before[0]}.{name}", dict.fromkeys(b.address for b in of_host)), type_)
    ports = list(dict.fromkeys(port for backend in found for port in backend.ports))
    targets = [(f"{b.host}.{name}", _addresses(f"{b.host}.{name}", [b.address])) for b in found]
    return _srv(name, ports, targets) if not before else _of_port(name, ports, targets, before, type_) or NXDOMAIN


_Ports: TypeAlias = Sequence[tuple[str, str, int]]
_Targets: TypeAlias = Sequence[tuple[str, Sequence[Record]]]


def _of_port(name: str, ports: _Ports, targets: _Targets, before: Sequence[str], type_: str) -> Answer | None:
    """The answer for ``_port._protocol.<service>``, or None where no port is called so."""
    match before:
        case [protocol] if any(f"_{p[1]}" == protocol for p in ports):
            return NODATA
        case [port_name, protocol]:
            chosen = [p for p in ports if p[0] and (f"_{p[0]}", f"_{p[1]}") == (port_name, protocol)]
            if chosen:
                return _srv(f"{port_name}.{protocol}.{name}", chosen, targets) if type_ in ("SRV", "ANY") else NODATA
    return None


def _srv(name: str, ports: _Ports, targets: _Targets) -> Answer:
    weight = max(1, 100 // max(1, len(ports) * len(targets)))
    records = [Record(name, "SRV", (0, weight, port[2], target)) for port in ports for target, _ in targets]
    return Answer("ok", records, [host for _, hosts in targets for host in hosts])


def service_name(key: Key, domain: str) -> str:
    return f"{key[1]}.{key[0]}.svc.{domain}"


def cluster_ips(service: Obj) -> list[str]:
    """The cluster IPs of a service; none for a headless one."""
    spec = service.get("spec") or {}
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [address for address in addresses if address and address != "None"]


def backends(service: Obj, slices: Sequence[Obj]) -> list[_Backend]:
    """The endpoints of a headless service that may be told of: the ready ones, or all where it says so."""
    unready_too = bool(objects.get(service, "spec", "publishNotReadyAddresses"))
    return [backend for one in slices for backend in _backends_of(one, unready_too)]


def _backends_of(endpoint_slice: Obj, unready_too: bool) -> Iterator[_Backend]:
    ports = tuple(
        (p.get("name") or "", (p.get("protocol") or "TCP").lower(), p["port"])
        for p in endpoint_slice.get("ports") or ()
        if p.get("port")
    )
    for endpoint in endpoint_slice.get("endpoints") or ():
        if unready_too or (endpoint.get("conditions") or {}).get("ready") is not False:
            for address in endpoint.get("addresses") or ():
                host = endpoint.get("hostname") or re.sub(r"[.:]", "-", address)
                yield _Backend(address, host, ports)


# ── addresses back to names ──────────────────────────────────────────────────────────────────────────────


def reverse_names(index: ServiceIndex, domain: str, key: Key) -> dict[str, str]:
    """Address → name: of a service's cluster IPs, or of a headless service's endpoints."""
    service = index.service(key)
    if service is None:
        return {}
    name = service_name(key, domain)
    if addresses := cluster_ips(service):
        return dict.fromkeys(addresses, name)
    return {b.address: f"{b.host}.{name}" for b in backends(service, index.slices(key))}


def address_of(name: str) -> str | None:
    """The address that a name of in-addr.arpa or ip6.arpa stands for; None for any other name."""
    try:
        if name.endswith(".in-addr.arpa"):
            return str(ipaddress.IPv4Address(".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))))
        if name.endswith(".ip6.arpa"):
            digits = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
            return str(ipaddress.IPv6Address(":".join(digits[i : i + 4] for i in range(0, 32, 4))))
    except ValueError:
        return None
    return None
