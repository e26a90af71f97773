"""Variables that tell containers of services: ``REDIS_SERVICE_HOST`` and docker's link variables. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_MASTER: Final = ("default", "kubernetes")


def of_pod(pod: Obj, services: Iterable[Obj]) -> dict[str, str]:
    """Name → value for the services that ``pod`` is told of: its namespace's, unless it does not want links, and
    always the API server's own."""
    links = objects.get(pod, "spec", "enableServiceLinks", default=True)
    own = objects.namespace(pod)
    chosen: dict[str, Obj] = {}
    for service in services:
        key = (objects.namespace(service), objects.name(service))
        if (links and key[0] == own) or (key == _MASTER and key[1] not in chosen):
            chosen[key[1]] = service
    out: dict[str, str] = {}
    for _, service in sorted(chosen.items()):
        out |= _of_service(service)
    return out


def _of_service(service: Obj) -> dict[str, str]:
    address = objects.get(service, "spec", "clusterIP", default="")
    ports = objects.get(service, "spec", "ports", default=[])
    if address in ("", "None") or not ports:
        return {}
    prefix = objects.name(service).upper().replace("-", "_")
    out = {f"{prefix}_SERVICE_HOST": address, f"{prefix}_SERVICE_PORT": str(ports[0]["port"])}
    for port in ports:
        if port.get("name"):
            out[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
    return out | _links(prefix, address, ports)


def _links(prefix: str, address: str, ports: list[Obj]) -> dict[str, str]:
    out: dict[str, str] = {}
    host = f"[{address}]" if ":" in address else address
    for index, port in enumerate(ports):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{host}:{port['port']}"
        if index == 0:
            out[f"{prefix}_PORT"] = url
        base = f"{prefix}_PORT_{port['port']}_{protocol}"
        out |= {base: url, f"{base}_PROTO": protocol.lower()}
        out |= {f"{base}_PORT": str(port["port"]), f"{base}_ADDR": address}
    return out
