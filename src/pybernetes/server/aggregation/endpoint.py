"""Where a server behind this one listens, and why it cannot be reached. Pure.

Source: kube-aggregator/pkg/controllers/status/remote. Neighbour: ``remotes.py`` asks for discovery what is found here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

HTTPS_PORT = 443


class Unavailable(Exception):
    """``reason`` and the message are those of the condition."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reference:
    """``spec.service`` of an APIService."""

    namespace: str
    name: str
    port: int

    @classmethod
    def of(cls, api_service: Obj) -> Reference:
        service = api_service["spec"]["service"]
        return cls(service["namespace"], service["name"], int(service.get("port") or HTTPS_PORT))

    @property
    def host(self) -> str:
        """The name that the other server's certificate must bear."""
        return f"{self.name}.{self.namespace}.svc"

    def __str__(self) -> str:
        return f'service/{self.name} in "{self.namespace}"'


Address: TypeAlias = tuple[str, int]


def addresses(reference: Reference, service: Obj | None, endpoints: Obj | None) -> list[Address]:
    """Where the service's ready endpoints listen. Raises Unavailable."""
    if service is None:
        raise Unavailable("ServiceNotFound", f"{reference} is not present")
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return [(str(spec.get("externalName")), reference.port)]
    ports = [port for port in spec.get("ports") or () if port.get("port") == reference.port]
    if not ports:
        raise Unavailable("ServicePortError", f"{reference} is not listening on port {reference.port}")
    if endpoints is None:
        raise Unavailable("EndpointsNotFound", f"cannot find endpoints for {reference}")
    name = ports[0].get("name") or ""
    found = [
        (str(address["ip"]), int(port["port"]))
        for subset in objects.get(endpoints, "subsets", default=())
        for port in subset.get("ports") or ()
        if (port.get("name") or "") == name
        for address in subset.get("addresses") or ()
    ]
    if not found:
        raise Unavailable("MissingEndpoints", f'endpoints for {reference} have no addresses with port name "{name}"')
    return found
