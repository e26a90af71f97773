"""Rows of ``networking.k8s.io/v1`` and ``discovery.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_networking = maker("networking.k8s.io", "v1", "io.k8s.api.networking")
_discovery = maker("discovery.k8s.io", "v1", "io.k8s.api.discovery")

NETWORKING: Final[tuple[Kind, ...]] = (
    _networking("IngressClass", "ingressclasses", namespaced=False),
    _networking("Ingress", "ingresses", "ing", status=True),
    _networking("IPAddress", "ipaddresses", "ip", namespaced=False),
    _networking("NetworkPolicy", "networkpolicies", "netpol"),
    _networking("ServiceCIDR", "servicecidrs", namespaced=False, status=True),
)

DISCOVERY: Final[tuple[Kind, ...]] = (_discovery("EndpointSlice", "endpointslices"),)
