"""Services: defaults and what an update keeps or drops (core/v1/defaults.go, registry/core/service/strategy.go).

Rule: nothing here allocates. Addresses and node ports are handed out by the registry's allocators; ``prepare_update``
carries over what the old object was given, and drops what the new type has no use for.
Neighbours: ``servicerules.py`` judges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import fill, servicerules
from pybernetes.kinds.strategy.servicerules import (
    externally_accessible,
    needs_cluster_ip,
    needs_health_check,
    needs_node_port,
    spec_of,
)
from pybernetes.meta.objects import Obj

_AFFINITY_SECONDS: Final = 10800


def default(service: Obj) -> None:
    """SetDefaults_Service."""
    spec = fill.child(service, "spec")
    fill.all_zero(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = fill.child(fill.child(spec, "sessionAffinityConfig"), "clientIP")
        fill.absent(client, "timeoutSeconds", _AFFINITY_SECONDS)
    for port in spec.get("ports") or ():
        fill.zero(port, "protocol", "TCP")
        fill.zero(port, "targetPort", port.get("port"))
    _default_policies(service, spec)


def _default_policies(service: Obj, spec: Obj) -> None:
    if externally_accessible(service):
        fill.zero(spec, "externalTrafficPolicy", "Cluster")
    if spec["type"] != "ExternalName":
        fill.absent(spec, "internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        fill.absent(spec, "allocateLoadBalancerNodePorts", True)
    for ingress in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        if ingress.get("ip"):
            fill.absent(ingress, "ipMode", "VIP")


def prepare_create(service: Obj) -> None:
    """A new Service has no load balancer yet; its two ways to say an address agree."""
    service["status"] = {"loadBalancer": {}}
    align_addresses(service)


def align_addresses(service: Obj) -> None:
    """``clusterIPs`` follows ``clusterIP`` where a client says only the older field."""
    spec = spec_of(service)
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def prepare_update(new: Obj, old: Obj) -> None:
    """normalizeClusterIPs, patchAllocatedValues and dropTypeDependentFields."""
    _follow_cluster_ip(spec_of(new), spec_of(old))
    _keep_allocated(new, old)
    _drop_unused(new, old)


def _follow_cluster_ip(new: Obj, old: Obj) -> None:
    """A client that changes only one of ``clusterIP`` and ``clusterIPs`` means both."""
    address, addresses = new.get("clusterIP"), new.get("clusterIPs")
    if address and not old.get("clusterIP") and not addresses:
        new["clusterIPs"] = [address]
    elif old.get("clusterIP") and address != old["clusterIP"] and addresses == old.get("clusterIPs"):
        if address:
            new["clusterIPs"] = [address]
        else:
            new.pop("clusterIPs", None)


def _keep_allocated(new: Obj, old: Obj) -> None:
    fresh, former = spec_of(new), spec_of(old)
    if needs_cluster_ip(new) and needs_cluster_ip(old):
        for key in ("clusterIP", "clusterIPs"):
            if not fresh.get(key) and former.get(key):
                fresh[key] = former[key]
    if needs_node_port(new) and needs_node_port(old):
        _keep_node_ports(fresh, former)
    if needs_health_check(new) and needs_health_check(old) and former.get("healthCheckNodePort"):
        fill.zero(fresh, "healthCheckNodePort", former["healthCheckNodePort"])


def _keep_node_ports(new: Obj, old: Obj) -> None:
    known = {port.get("name", ""): port.get("nodePort") for port in old.get("ports") or ()}
    used = {port.get("nodePort") for port in new.get("ports") or ()} & set(known.values())
    for port in new.get("ports") or ():
        before = known.get(port.get("name", ""))
        if not port.get("nodePort") and before and before not in used:
            port["nodePort"] = before
            used.add(before)


_DEPENDENT: Final[tuple[tuple[Callable[[Obj], bool], tuple[str, ...]], ...]] = (
    (needs_cluster_ip, ("clusterIP", "clusterIPs")),
    (needs_cluster_ip, ("ipFamilies",)),
    (needs_cluster_ip, ("ipFamilyPolicy",)),
    (needs_cluster_ip, ("internalTrafficPolicy",)),
    (needs_health_check, ("healthCheckNodePort",)),
    (externally_accessible, ("externalTrafficPolicy",)),
    (lambda service: spec_of(service).get("type") == "LoadBalancer", ("allocateLoadBalancerNodePorts",)),
    (lambda service: spec_of(service).get("type") == "LoadBalancer", ("loadBalancerClass",)),
)
"""(who needs it, fields): dropped when the new object does not need them and says no more than the old one said."""


def _drop_unused(new: Obj, old: Obj) -> None:
    fresh, former = spec_of(new), spec_of(old)
    for needs, keys in _DEPENDENT:
        if needs(old) and not needs(new) and all(fresh.get(key) == former.get(key) for key in keys):
            fill.drop(fresh, *keys)
    if needs_node_port(old) and not needs_node_port(new) and _node_ports(fresh) <= _node_ports(former):
        for port in fresh.get("ports") or ():
            port.pop("nodePort", None)


def _node_ports(spec: Obj) -> set[int]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate_name=servicerules.validate_name,
    validate=servicerules.validate,
    validate_update=servicerules.validate_update,
    validate_status_update=servicerules.validate_status_update,
    warnings=servicerules.warnings,
    has_generation=False,
    allow_create_on_update=True,
)
