"""ClusterIPs and node ports: what a Service gets from the cluster's ranges, and gives back when it goes.

Rule: taking is synchronous and happens just before the write, so two requests never get the same; whatever a failed
write took is given back. What is taken follows from the Services in the cache and is read from there at first use.
Sources: pkg/registry/core/service/storage/alloc.go, ipallocator and portallocator. The cluster has one family, IPv4.
Neighbours: ``kinds/strategy/service.py`` carries over what a Service had, ``pool.py`` is a range of numbers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.servicerules import (
    HEADLESS,
    needs_cluster_ip,
    needs_health_check,
    needs_node_port,
    spec_of,
)
from pybernetes.lib.entropy import Entropy
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj
from pybernetes.server.registry.pool import Full, Pool

_FAMILY: Final = "IPv4"
_OTHER_FAMILY: Final = "IPv6"


@dataclass(frozen=True, slots=True)
class ServiceNetwork:
    """Where Services get their addresses and node ports from; the ports are inclusive."""

    cidr: str = "10.96.0.0/12"
    first_port: int = 30000
    last_port: int = 32767


class Refused(Exception):
    """What was asked for cannot be had."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True)
class Holdings:
    """Addresses (as integers) and node ports."""

    addresses: set[int] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)


class Allocator:
    def __init__(self, network: ServiceNetwork, entropy: Entropy) -> None:
        self._network = ipaddress.IPv4Network(network.cidr)
        first = int(self._network.network_address) + 1
        last = int(self._network.broadcast_address) - 1
        size, ports = last - first + 1, network.last_port - network.first_port + 1
        self._addresses = Pool(first, last, min(max(16, size // 16), 256), entropy)
        self._ports = Pool(network.first_port, network.last_port, min(max(16, ports // 32), 128), entropy)

    def occupy(self, services: Sequence[Obj]) -> None:
        """Take what stored Services hold."""
        for service in services:
            held = holdings(service)
            for address in held.addresses:
                self._addresses.take(address)
            for port in held.ports:
                self._ports.take(port)

    def release(self, old: Obj, new: Obj | None = None) -> None:
        """Give back what ``old`` held and ``new`` does not."""
        had, has = holdings(old), holdings(new) if new is not None else Holdings()
        self.give_back(Holdings(had.addresses - has.addresses, had.ports - has.ports))

    def give_back(self, held: Holdings) -> None:
        self._addresses.give_back(held.addresses)
        self._ports.give_back(held.ports)

    def allocate(self, new: Obj, old: Obj | None) -> Holdings:
        """Fill in what ``new`` needs and ``old`` did not have; what has been taken. Raises Refused, having taken
        nothing."""
        had, taken = holdings(old) if old is not None else Holdings(), Holdings()
        try:
            if needs_cluster_ip(new):
                _set_families(spec_of(new))
                self._take_address(spec_of(new), had, taken)
            if needs_node_port(new):
                self._take_ports(spec_of(new).get("ports") or [], had, taken)
            if needs_health_check(new):
                self._take_health_check(spec_of(new), had, taken)
        except Refused:
            self.give_back(taken)
            raise
        return taken

    # ── addresses ────────────────────────────────────────────────────────────────────────────────────────

    def _take_address(self, spec: Obj, had: Holdings, taken: Holdings) -> None:
        asked = spec.get("clusterIP") or ""
        if asked == HEADLESS:
            spec["clusterIPs"] = [HEADLESS]
            return
        if not asked:
            spec["clusterIP"] = asked = self._any_address(taken)
        elif (number := _number(asked)) not in had.addresses:
            self._certain_address(asked, number, taken)
        if not spec.get("clusterIPs"):
            spec["clusterIPs"] = [asked]

    def _any_address(self, taken: Holdings) -> str:
        try:
            number = self._addresses.take_any()
        except Full as full:
            text = "failed to allocate a serviceIP: range is full"
            raise Refused(errors.invalid("spec.clusterIPs", [], text)) from full
        taken.addresses.add(number)
        return str(ipaddress.IPv4Address(number))

    def _certain_address(self, asked: str, number: int, taken: Holdings) -> None:
        if number not in self._addresses:
            why = f"the provided IP ({asked}) is not in the valid range. The range of valid IPs is {self._network}"
        elif not self._addresses.take(number):
            why = "provided IP is already allocated"
        else:
            taken.addresses.add(number)
            return
        raise Refused(errors.invalid("spec.clusterIPs", [asked], f"failed to allocate IP {asked}: {why}"))

    # ── ports ────────────────────────────────────────────────────────────────────────────────────────────

    def _take_ports(self, ports: Sequence[Obj], had: Holdings, taken: Holdings) -> None:
        """One port number under two protocols shares its node port."""
        shared = {port.get("port"): port["nodePort"] for port in ports if port.get("nodePort")}
        for index, port in enumerate(ports):
            at = f"spec.ports[{index}].nodePort"
            asked = port.get("nodePort") or shared.get(port.get("port"))
            if not asked:
                asked = self._any_port(at, taken)
            elif asked not in had.ports and asked not in taken.ports:
                self._certain_port(asked, at, taken)
            port["nodePort"] = shared[port.get("port")] = asked

    def _take_health_check(self, spec: Obj, had: Holdings, taken: Holdings) -> None:
        at, asked = "spec.healthCheckNodePort", spec.get("healthCheckNodePort")
        if not asked:
            spec["healthCheckNodePort"] = self._any_port(at, taken)
        elif asked not in had.ports:
            self._certain_port(asked, at, taken)

    def _any_port(self, path: str, taken: Holdings) -> int:
        try:
            number = self._ports.take_any()
        except Full as full:
            raise Refused(errors.invalid(path, 0, "failed to allocate a nodePort: range is full")) from full
        taken.ports.add(number)
        return number

    def _certain_port(self, asked: int, path: str, taken: Holdings) -> None:
        if asked not in self._ports:
            why = "provided port is not in the valid range. The range of valid ports is "
            raise Refused(errors.invalid(path, asked, f"{why}{self._ports.first}-{self._ports.last}"))
        if not self._ports.take(asked):
            raise Refused(errors.invalid(path, asked, "provided port is already allocated"))
        taken.ports.add(asked)


def holdings(service: Obj) -> Holdings:
    """What a stored Service holds."""
    return Holdings(set(_addresses(service)), set(_ports(service)))


def _addresses(service: Obj) -> Iterator[int]:
    if needs_cluster_ip(service):
        spec = spec_of(service)
        for address in spec.get("clusterIPs") or [spec.get("clusterIP") or HEADLESS]:
            if address != HEADLESS and check.is_ip(address):
                yield _number(address)


def _ports(service: Obj) -> Iterator[int]:
    if needs_node_port(service):
        yield from (port["nodePort"] for port in spec_of(service).get("ports") or () if port.get("nodePort"))
    if needs_health_check(service) and (port := spec_of(service).get("healthCheckNodePort")):
        yield port


def _number(address: str) -> int:
    return int(ipaddress.ip_address(address))


def _set_families(spec: Obj) -> None:
    """One family, whatever is preferred; a headless Service without selector may have both (initIPFamilyFields)."""
    if spec.get("clusterIP") == HEADLESS and not spec.get("selector"):
        policy = spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        families = [_FAMILY] if policy == "SingleStack" else [_FAMILY, _OTHER_FAMILY]
        spec["ipFamilies"] = spec.get("ipFamilies") or families
        return
    policy = spec.setdefault("ipFamilyPolicy", "SingleStack")
    if policy == "RequireDualStack":
        raise Refused(
            errors.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")
        )
    spec["ipFamilies"] = spec.get("ipFamilies") or [_FAMILY]
    for index, family in enumerate(spec["ipFamilies"]):
        if family != _FAMILY:
            raise Refused(errors.invalid(f"spec.ipFamilies[{index}]", family, "not configured on this cluster"))
