"""Where a backend's requests go: straight to the pods of its service, past the service's own address. Pure.

Rule 1: only endpoints that are ready; a pod that terminates gets no new request.
Rule 2: a service without selector has the endpoints that its slices tell, an ExternalName the name itself.
Neighbours: ``network/index.py`` keeps services and slices together; ``render.py`` gives each server a slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.index import Key, ServiceIndex
from pybernetes.network.ingress.model import Backend, Problem, Source

Server: TypeAlias = tuple[str, int]
"""(address or DNS name, port)."""


@dataclass(frozen=True, slots=True)
class Servers:
    """``why_none`` tells what is wrong where there is no server."""

    found: tuple[Server, ...] = ()
    why_none: str = ""


def key(backend: Backend) -> Key:
    return backend.namespace, backend.service


def servers(backend: Backend, index: ServiceIndex) -> Servers:
    """The servers of a backend in the order of their addresses."""
    if not backend.service:
        return Servers(why_none="no service is named")
    service = index.service(key(backend))
    if service is None:
        return Servers(why_none=f"there is no Service {backend.namespace}/{backend.service}")
    port = _port(service, backend.port)
    if port is None:
        return Servers(why_none=f"the Service {backend.service} has no port {backend.port}")
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return Servers(((str(spec.get("externalName") or ""), int(port["port"])),))
    found = tuple(sorted(set(_ready(index.slices(key(backend)), port.get("name") or ""))))
    return Servers(found, "" if found else f"no endpoint of the Service {backend.service} is ready")


def problem(backend: Backend, index: ServiceIndex, source: Source) -> Problem | None:
    """Why requests to this backend are answered with 503."""
    why = servers(backend, index).why_none
    return Problem(source, "NoServers", why) if why else None


def _port(service: Obj, wanted: str) -> Obj | None:
    ports: Sequence[Obj] = objects.get(service, "spec", "ports", default=[])
    return next((p for p in ports if wanted in (str(p.get("port")), p.get("name"))), None)


def _ready(slices: Sequence[Obj], port_name: str) -> Iterator[Server]:
    for endpoint_slice in slices:
        ports = [p["port"] for p in endpoint_slice.get("ports") or () if (p.get("name") or "") == port_name]
        if endpoint_slice.get("addressType") != "IPv4" or not ports or not ports[0]:
            continue
        for endpoint in endpoint_slice.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is not False and endpoint.get("addresses"):
                yield endpoint["addresses"][0], int(ports[0])
