"""Services, endpoints, ingresses and network policies."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def _cluster_ip(service: Obj) -> str:
    spec = service.get("spec") or {}
    return (spec.get("clusterIPs") or [spec.get("clusterIP")])[0] or cell.NONE


def _load_balancer(obj: Obj) -> list[str]:
    points = objects.get(obj, "status", "loadBalancer", "ingress", default=[])
    return [point.get("ip") or point.get("hostname") or "" for point in points]


def _external_ip(service: Obj) -> str:
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return spec.get("externalName") or ""
    found = list(spec.get("externalIPs") or ())
    if spec.get("type") == "LoadBalancer":
        return ",".join([*_load_balancer(service), *found]) or "<pending>"
    return ",".join(found) or cell.NONE


def _service_port(port: Obj) -> str:
    number = f"{port.get('port')}:{port['nodePort']}" if port.get("nodePort") else f"{port.get('port')}"
    return f"{number}/{port.get('protocol', 'TCP')}"


SERVICES: Final = (
    cell.NAME,
    cell.text("Type", "spec", "type"),
    cell.computed("Cluster-IP", _cluster_ip),
    cell.computed("External-IP", _external_ip),
    cell.computed(
        "Port(s)",
        lambda obj: ",".join(map(_service_port, objects.get(obj, "spec", "ports", default=[]))) or cell.NONE,
    ),
    cell.AGE,
    cell.computed("Selector", lambda obj: cell.labels(objects.get(obj, "spec", "selector")), priority=1),
)


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _endpoints(obj: Obj) -> str:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [address.get("ip", "") for address in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            found += addresses
        for port in ports:
            found += [_host_port(address, port.get("port", 0)) for address in addresses]
    return cell.some(found)


ENDPOINTS: Final = (cell.NAME, cell.computed("Endpoints", _endpoints), cell.AGE)


def _slice_ports(obj: Obj) -> str:
    ports = [str(port["port"]) if port.get("port") is not None else "*" for port in obj.get("ports") or ()]
    return cell.some(ports, empty=cell.UNSET)


def _slice_endpoints(obj: Obj) -> str:
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return cell.some(found, empty=cell.UNSET)


ENDPOINT_SLICES: Final = (
    cell.NAME,
    cell.text("AddressType", "addressType"),
    cell.computed("Ports", _slice_ports),
    cell.computed("Endpoints", _slice_endpoints),
    cell.AGE,
)

# ── ingress, policies, addresses ─────────────────────────────────────────────────────────────────────────


def _hosts(ingress: Obj) -> str:
    hosts = [rule["host"] for rule in objects.get(ingress, "spec", "rules", default=[]) if rule.get("host")]
    return cell.some(hosts, empty="*")


INGRESSES: Final = (
    cell.NAME,
    cell.text("Class", "spec", "ingressClassName", default=cell.NONE),
    cell.computed("Hosts", _hosts),
    cell.computed("Address", lambda obj: ",".join(address for address in _load_balancer(obj) if address)),
    cell.computed("Ports", lambda obj: "80, 443" if objects.get(obj, "spec", "tls") else "80"),
    cell.AGE,
)


def _parameters(obj: Obj) -> str:
    ref = objects.get(obj, "spec", "parameters")
    if not ref:
        return cell.NONE
    kind = f"{ref['kind']}.{ref['apiGroup']}" if ref.get("apiGroup") else ref.get("kind", "")
    return f"{kind}/{ref.get('name', '')}"


INGRESS_CLASSES: Final = (
    cell.NAME,
    cell.text("Controller", "spec", "controller"),
    cell.computed("Parameters", _parameters),
    cell.AGE,
)
NETWORK_POLICIES: Final = (
    cell.NAME,
    cell.computed("Pod-Selector", lambda obj: cell.selector(objects.get(obj, "spec", "podSelector"))),
    cell.AGE,
)


def _parent(obj: Obj) -> str:
    ref = objects.get(obj, "spec", "parentRef", default={})
    words = (ref.get("group") or "", ref.get("resource"), ref.get("namespace"), ref.get("name"))
    resource = f"{words[1]}.{words[0]}" if words[0] else words[1]
    return "/".join(word for word in (resource, words[2], words[3]) if word)


IP_ADDRESSES: Final = (cell.NAME, cell.computed("ParentRef", _parent), cell.AGE)
SERVICE_CIDRS: Final = (
    cell.NAME,
    cell.computed("CIDRs", lambda obj: ",".join(objects.get(obj, "spec", "cidrs", default=[]))),
    cell.AGE,
)
