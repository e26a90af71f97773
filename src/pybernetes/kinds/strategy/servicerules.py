"""What a Service may say (validation.ValidateService, ValidateServiceUpdate)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_TYPES: Final = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_FAMILIES: Final = ("IPv4", "IPv6")
_FAMILY_POLICIES: Final = ("PreferDualStack", "RequireDualStack", "SingleStack")
_POLICIES: Final = ("Cluster", "Local")
_DISTRIBUTIONS: Final = ("PreferClose", "PreferSameNode", "PreferSameZone")
_AFFINITY_SECONDS_MAX: Final = 86400
_KUBELET_PORT: Final = 10250
_ONLY_LOAD_BALANCER: Final = "may only be used when `type` is 'LoadBalancer'"
HEADLESS: Final = "None"


def spec_of(service: Obj) -> Obj:
    found: Obj = service.get("spec") or {}
    return found


def needs_cluster_ip(service: Obj) -> bool:
    return spec_of(service).get("type") in ("ClusterIP", "NodePort", "LoadBalancer")


def needs_node_port(service: Obj) -> bool:
    spec = spec_of(service)
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_check(service: Obj) -> bool:
    spec = spec_of(service)
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def externally_accessible(service: Obj) -> bool:
    spec = spec_of(service)
    return spec.get("type") in ("LoadBalancer", "NodePort") or (
        spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))
    )


def validate_name(name: str, is_prefix: bool) -> Sequence[str]:
    return names.dns1035_label(name, is_prefix=is_prefix)


@check.listed
def validate(service: Obj) -> Errors:
    """ValidateService."""
    spec = spec_of(service)
    yield from _type(spec)
    yield from _ports(spec)
    yield from check.labels(spec.get("selector"), "spec.selector")
    yield from _affinity(spec)
    yield from _addresses(spec)
    yield from _external_addresses(spec)
    yield from _source_ranges(spec)
    yield from _traffic(service, spec)
    yield from _load_balancer_only(spec)


def _type(spec: Obj) -> Errors:
    kind, headless = spec.get("type"), spec.get("clusterIP") == HEADLESS
    yield from check.one_of(kind, "spec.type", _TYPES)
    if not spec.get("ports") and not headless and kind != "ExternalName":
        yield errors.required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        addresses = spec.get("clusterIPs") or [HEADLESS]
        yield errors.invalid("spec.clusterIPs[0]", addresses[0], f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_name(spec)


def _external_name(spec: Obj) -> Errors:
    if spec.get("clusterIP"):
        yield errors.field_forbidden("spec.clusterIPs", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    yield from check.required_name(name, "spec.externalName", names.dns1123_subdomain)


# ── ports ────────────────────────────────────────────────────────────────────────────────────────────────


def _ports(spec: Obj) -> Errors:
    ports, kind = list(check.each(spec.get("ports"), "spec.ports")), spec.get("type")
    for port, at in ports:
        yield from _port(port, at, name_required=len(ports) > 1)
        if kind == "LoadBalancer" and port.get("port") == _KUBELET_PORT:
            text = f"may not expose port {_KUBELET_PORT} externally since it is used by kubelet"
            yield errors.invalid(at, port["port"], text)
        if port.get("nodePort") and kind == "ClusterIP":
            yield errors.field_forbidden(f"{at}.nodePort", "may not be used when `type` is 'ClusterIP'")
        if port.get("nodePort") and kind == "ExternalName":
            yield errors.field_forbidden(f"{at}.nodePort", "may not be used when `type` is 'ExternalName'")
    yield from check.unique((port["name"], f"{at}.name") for port, at in ports if port.get("name"))
    yield from _repeated(ports, "nodePort", ".nodePort")
    yield from _repeated(ports, "port", "")


def _port(port: Obj, path: str, *, name_required: bool) -> Errors:
    if name := port.get("name"):
        yield from check.complaints(f"{path}.name", name, names.dns1123_label(name))
    elif name_required:
        yield errors.required(f"{path}.name")
    yield from check.port_number(port.get("port") or 0, f"{path}.port")
    yield from check.one_of(port.get("protocol"), f"{path}.protocol", _PROTOCOLS)
    yield from check.port(port.get("targetPort"), f"{path}.targetPort")
    if protocol := port.get("appProtocol"):
        yield from check.complaints(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def _repeated(ports: Sequence[tuple[Obj, str]], key: str, suffix: str) -> Errors:
    """The same number twice is fine only under different protocols."""
    seen: set[tuple[object, object]] = set()
    for port, at in ports:
        number = port.get(key)
        pair = (port.get("protocol"), number)
        if number and pair in seen:
            shown = number if suffix else {"protocol": pair[0], "port": number}
            yield errors.duplicate(at + suffix, shown)
        seen.add(pair)


# ── addresses ────────────────────────────────────────────────────────────────────────────────────────────


def _addresses(spec: Obj) -> Errors:
    address, addresses = spec.get("clusterIP"), spec.get("clusterIPs") or []
    if addresses and address != addresses[0]:
        yield errors.invalid("spec.clusterIPs[0]", addresses, "first value must match `clusterIP`")
    for value, at in check.each(addresses, "spec.clusterIPs"):
        if value == HEADLESS:
            if len(addresses) > 1:
                yield errors.invalid(at, value, "'None' must be the first and only value")
        elif not check.is_ip(value):
            yield errors.invalid(at, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
    yield from check.unique((v, at) for v, at in check.each(spec.get("ipFamilies"), "spec.ipFamilies"))
    for family, at in check.each(spec.get("ipFamilies"), "spec.ipFamilies"):
        yield from check.one_of(family, at, _FAMILIES)
    yield from check.one_of(spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy", _FAMILY_POLICIES, required=False)


def _external_addresses(spec: Obj) -> Errors:
    for address, at in check.each(spec.get("externalIPs"), "spec.externalIPs"):
        if check.is_ip(address):
            yield from not_special(address, at)
        else:
            yield from check.ip_address(address, at)


def not_special(address: str, path: str) -> Errors:
    """ValidateNonSpecialIP: an address that can be reached from elsewhere."""
    ip = ipaddress.ip_address(address)
    if ip.is_unspecified:
        yield errors.invalid(path, address, f"may not be unspecified ({address})")
    if ip.is_loopback:
        yield errors.invalid(path, address, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if ip.is_link_local:
        yield errors.invalid(path, address, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if ip.is_multicast and (ip in _LINK_LOCAL_MULTICAST_4 or ip in _LINK_LOCAL_MULTICAST_6):
        yield errors.invalid(path, address, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


_LINK_LOCAL_MULTICAST_4: Final = ipaddress.ip_network("224.0.0.0/24")
_LINK_LOCAL_MULTICAST_6: Final = ipaddress.ip_network("ff02::/16")


def _source_ranges(spec: Obj) -> Errors:
    path = "spec.LoadBalancerSourceRanges"
    ranges = spec.get("loadBalancerSourceRanges")
    if ranges and spec.get("type") != "LoadBalancer":
        yield errors.field_forbidden(path, _ONLY_LOAD_BALANCER)
    for value, at in check.each(ranges, path):
        yield from check.cidr(value.strip(), at)


# ── policies ─────────────────────────────────────────────────────────────────────────────────────────────


def _affinity(spec: Obj) -> Errors:
    affinity, config, path = (
        spec.get("sessionAffinity"),
        spec.get("sessionAffinityConfig"),
        "spec.sessionAffinityConfig",
    )
    yield from check.one_of(affinity, "spec.sessionAffinity", ("ClientIP", "None"))
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= _AFFINITY_SECONDS_MAX:
            text = f"must be greater than 0 and less than {_AFFINITY_SECONDS_MAX}"
            yield errors.invalid(f"{path}.clientIP.timeoutSeconds", seconds, text)
    elif affinity == "None" and config is not None:
        yield errors.field_forbidden(path, "must not be set when session affinity is None")


def _traffic(service: Obj, spec: Obj) -> Errors:
    external, path = spec.get("externalTrafficPolicy"), "spec.externalTrafficPolicy"
    if external and not externally_accessible(service):
        yield errors.invalid(path, external, "may only be set for externally-accessible services")
    else:
        yield from check.one_of(external, path, _POLICIES, required=False)
    internal = spec.get("internalTrafficPolicy")
    if internal is None and spec.get("type") != "ExternalName":
        yield errors.required("spec.internalTrafficPolicy")
    yield from check.one_of(internal, "spec.internalTrafficPolicy", _POLICIES, required=False)
    if spec.get("healthCheckNodePort") and not needs_health_check(service):
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield errors.invalid("spec.healthCheckNodePort", spec["healthCheckNodePort"], text)
    distribution = spec.get("trafficDistribution")
    yield from check.one_of(distribution, "spec.trafficDistribution", _DISTRIBUTIONS, required=False)


def _load_balancer_only(spec: Obj) -> Errors:
    if spec.get("type") == "LoadBalancer":
        if name := spec.get("loadBalancerClass"):
            yield from check.complaints("spec.loadBalancerClass", name, names.qualified_name(name))
        return
    for key in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
        if spec.get(key) is not None:
            yield errors.field_forbidden(f"spec.{key}", _ONLY_LOAD_BALANCER)


# ── updates ──────────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    """A Service keeps its primary address while it has one, and its load balancer's class."""
    fresh, former = spec_of(new), spec_of(old)
    if needs_cluster_ip(new) and needs_cluster_ip(old) and former.get("clusterIP"):
        addresses = fresh.get("clusterIPs") or []
        if not addresses:
            yield errors.invalid("spec.clusterIPs[0]", addresses, "primary clusterIP can not be unset")
        elif addresses[0] != former["clusterIP"]:
            yield errors.invalid("spec.clusterIPs[0]", addresses, "may not change once set")
    if fresh.get("type") == former.get("type") == "LoadBalancer":
        name, before = fresh.get("loadBalancerClass"), former.get("loadBalancerClass")
        if before and name != before:
            yield errors.invalid("spec.loadBalancerClass", name, "may not change once set")


@check.listed
def validate_status_update(new: Obj, old: Obj) -> Errors:
    """ValidateLoadBalancerStatus."""
    ingress = ((new.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    for point, at in check.each(ingress, "status.loadBalancer.ingress"):
        if point.get("ip"):
            yield from check.ip_address(point["ip"], f"{at}.ip")
        if name := point.get("hostname"):
            yield from check.complaints(f"{at}.hostname", name, names.dns1123_subdomain(name))
            if check.is_ip(name):
                yield errors.invalid(f"{at}.hostname", name, "must be a DNS name, not an IP address")


def warnings(service: Obj, old: Obj | None) -> Sequence[str]:
    """pkg/api/service/warnings.go."""
    spec = spec_of(service)
    out = []
    if spec.get("loadBalancerIP"):
        out.append("spec.loadBalancerIP is deprecated, use load balancer annotations instead")
    if spec.get("clusterIP") == HEADLESS:
        if spec.get("loadBalancerIP"):
            out.append("spec.loadBalancerIP is ignored for headless services")
        if spec.get("externalIPs"):
            out.append('spec.externalIPs is ignored when spec.clusterIP is "None"')
        if spec.get("sessionAffinity") not in (None, "None"):
            out.append("spec.SessionAffinity is ignored for headless services")
    return out
