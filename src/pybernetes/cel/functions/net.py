"""Addresses: Kubernetes's ``url``, ``ip`` and ``cidr`` libraries."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from pybernetes.cel.functions.function import Function, of, on
from pybernetes.cel.values import CelError, Opaque

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LINK_LOCAL_MULTICAST: Final = {4: ipaddress.ip_network("224.0.0.0/24"), 6: ipaddress.ip_network("ff02::/16")}
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Ip(Opaque):
    __slots__ = ("address",)
    type_name = "net.IP"

    def __init__(self, address: _Address) -> None:
        self.address = address

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ip) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)


class Cidr(Opaque):
    """A network and the address that was written with it: ``10.1.2.3/8`` is masked to ``10.0.0.0/8`` on demand."""

    __slots__ = ("address", "network")
    type_name = "net.CIDR"

    def __init__(self, address: _Address, network: _Network) -> None:
        self.address, self.network = address, network

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cidr) and (self.address, self.network) == (other.address, other.network)

    def __hash__(self) -> int:
        return hash((self.address, self.network))


class Url(Opaque):
    __slots__ = ("parts",)
    type_name = "kubernetes.URL"

    def __init__(self, parts: SplitResult) -> None:
        self.parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


# ── ip ───────────────────────────────────────────────────────────────────────────────────────────────────


def ip(text: str) -> Ip:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise CelError(
            f"IP Address '{text}' parse error during conversion from string: ParseAddr(\"{text}\")"
        ) from None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            raise CelError("IPv4-mapped IPv6 address is not allowed")
        if address.scope_id:
            raise CelError("IP address with zone value is not allowed")
    return Ip(address)


def is_ip(text: str) -> bool:
    try:
        ip(text)
    except CelError:
        return False
    return True


def is_canonical(text: str) -> bool:
    return str(ip(text).address) == text


def _is_link_local_multicast(one: Ip) -> bool:
    return one.address in _LINK_LOCAL_MULTICAST[one.address.version]


def _is_global_unicast(one: Ip) -> bool:
    """As Go's net/netip: private addresses are global too."""
    address = one.address
    broadcast = str(address) == "255.255.255.255"
    special = address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    return not special and not broadcast


# ── cidr ─────────────────────────────────────────────────────────────────────────────────────────────────


def cidr(text: str) -> Cidr:
    address, slash, bits = text.partition("/")
    if not slash or not bits.isdecimal():
        raise CelError(
            f"network address parse error during conversion from string: netip.ParsePrefix(\"{text}\"): no '/'"
        )
    try:
        return Cidr(ip(address).address, ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise CelError(f"network address parse error during conversion from string: {error}") from None


def is_cidr(text: str) -> bool:
    try:
        cidr(text)
    except CelError:
        return False
    return True


def _holds_ip(net: Cidr, one: Ip) -> bool:
    return one.address.version == net.network.version and one.address in net.network


def _holds_cidr(net: Cidr, other: Cidr) -> bool:
    if other.network.version != net.network.version or other.network.prefixlen < net.network.prefixlen:
        return False
    return other.address in net.network


def _masked(net: Cidr) -> Cidr:
    return Cidr(net.network.network_address, net.network)


# ── url ──────────────────────────────────────────────────────────────────────────────────────────────────


def url(text: str) -> Url:
    """An absolute URI or an absolute path, as Go's ``url.ParseRequestURI``."""
    try:
        parts = urlsplit(text)
        fits = (bool(parts.scheme) or text.startswith("/")) and " " not in text and (parts.port or 0) >= 0
    except ValueError:
        fits = False
    if not fits:
        raise CelError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return Url(parts)


def is_url(text: str) -> bool:
    try:
        url(text)
    except CelError:
        return False
    return True


def _host(one: Url) -> str:
    return one.parts.netloc.rpartition("@")[2]


def _host_name(one: Url) -> str:
    host = _host(one)
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _port(one: Url) -> str:
    return "" if one.parts.port is None else str(one.parts.port)


TABLE: Final[tuple[Function, ...]] = (
    of("ip", "string -> net.IP", ip),
    of("isIP", "string -> bool", is_ip),
    of("ip.isCanonical", "string -> bool", is_canonical),
    on("family", "net.IP -> int", lambda one: one.address.version),
    on("isUnspecified", "net.IP -> bool", lambda one: one.address.is_unspecified),
    on("isLoopback", "net.IP -> bool", lambda one: one.address.is_loopback),
    on("isLinkLocalMulticast", "net.IP -> bool", _is_link_local_multicast),
    on("isLinkLocalUnicast", "net.IP -> bool", lambda one: one.address.is_link_local),
    on("isGlobalUnicast", "net.IP -> bool", _is_global_unicast),
    on("string", "net.IP -> string", lambda one: str(one.address)),
    of("string", "net.IP -> string", lambda one: str(one.address)),
    of("cidr", "string -> net.CIDR", cidr),
    of("isCIDR", "string -> bool", is_cidr),
    on("containsIP", "net.CIDR, net.IP -> bool", _holds_ip),
    on("containsIP", "net.CIDR, string -> bool", lambda net, text: _holds_ip(net, ip(text))),
    on("containsCIDR", "net.CIDR, net.CIDR -> bool", _holds_cidr),
    on("containsCIDR", "net.CIDR, string -> bool", lambda net, text: _holds_cidr(net, cidr(text))),
    on("ip", "net.CIDR -> net.IP", lambda net: Ip(net.address)),
    on("masked", "net.CIDR -> net.CIDR", _masked),
    on("prefixLength", "net.CIDR -> int", lambda net: net.network.prefixlen),
    of("string", "net.CIDR -> string", lambda net: f"{net.address}/{net.network.prefixlen}"),
    of("url", "string -> kubernetes.URL", url),
    of("isURL", "string -> bool", is_url),
    on("getScheme", "kubernetes.URL -> string", lambda one: one.parts.scheme),
    on("getHost", "kubernetes.URL -> string", _host),
    on("getHostname", "kubernetes.URL -> string", _host_name),
    on("getPort", "kubernetes.URL -> string", _port),
    on("getEscapedPath", "kubernetes.URL -> string", lambda one: one.parts.path),
    on("getQuery", "kubernetes.URL -> map(string, list(string))", lambda one: parse_qs(one.parts.query, True)),
)
