"""Rows of ``networking.k8s.io/v1`` and ``discovery.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import network
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import address, endpoints, ingress, networkpolicy

_networking = maker("networking.k8s.io", "v1", "io.k8s.api.networking")
_discovery = maker("discovery.k8s.io", "v1", "io.k8s.api.discovery")

NETWORKING: Final[tuple[Kind, ...]] = (
    _networking(
        "IngressClass",
        "ingressclasses",
        namespaced=False,
        strategy=ingress.CLASS,
        columns=network.INGRESS_CLASSES,
    ),
    _networking(
        "Ingress",
        "ingresses",
        "ing",
        status=True,
        strategy=ingress.STRATEGY,
        columns=network.INGRESSES,
    ),
    _networking(
        "IPAddress",
        "ipaddresses",
        "ip",
        namespaced=False,
        strategy=address.ADDRESS,
        columns=network.IP_ADDRESSES,
        fields=fields.IP_ADDRESSES,
    ),
    _networking(
        "NetworkPolicy",
        "networkpolicies",
        "netpol",
        strategy=networkpolicy.STRATEGY,
        columns=network.NETWORK_POLICIES,
    ),
    _networking(
        "ServiceCIDR",
        "servicecidrs",
        namespaced=False,
        status=True,
        strategy=address.CIDR,
        columns=network.SERVICE_CIDRS,
    ),
)

DISCOVERY: Final[tuple[Kind, ...]] = (
    _discovery(
        "EndpointSlice",
        "endpointslices",
        strategy=endpoints.SLICE,
        columns=network.ENDPOINT_SLICES,
    ),
)
