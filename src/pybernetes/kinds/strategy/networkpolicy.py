"""NetworkPolicies (pkg/apis/networking: defaults, ValidateNetworkPolicy)."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_POLICY_TYPES: Final = ("Egress", "Ingress")
_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.absent(spec, "podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    for side in ("ingress", "egress"):
        for rule in spec.get(side) or ():
            for port in rule.get("ports") or ():
                fill.absent(port, "protocol", "TCP")


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from check.label_selector(spec.get("podSelector"), "spec.podSelector")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule, at in check.each(spec.get(side), f"spec.{side}"):
            for port, where in check.each(rule.get("ports"), f"{at}.ports"):
                yield from _policy_port(port, where)
            for peer, where in check.each(rule.get(peers), f"{at}.{peers}"):
                yield from _peer(peer, where)
    if len(spec["policyTypes"]) > len(_POLICY_TYPES):
        text = "may not specify more than two policyTypes"
        yield errors.invalid("spec.policyTypes", spec["policyTypes"], text)
    for kind, at in check.each(spec["policyTypes"], "spec.policyTypes"):
        yield from check.one_of(kind, at, _POLICY_TYPES)


def _policy_port(port: Obj, path: str) -> Errors:
    yield from check.one_of(port.get("protocol"), f"{path}.protocol", _PROTOCOLS, required=False)
    value, end = port.get("port"), port.get("endPort")
    if value is not None:
        yield from check.port(value, f"{path}.port")
    if end is None:
        return
    if value is None:
        yield errors.required(f"{path}.port", "must be specified when `endPort` is specified")
    elif isinstance(value, str):
        yield errors.invalid(f"{path}.endPort", end, "may not be specified when `port` is non-numeric")
    elif end < value:
        yield errors.invalid(f"{path}.endPort", end, "must be greater than or equal to `port`")
    else:
        yield from check.port_number(end, f"{path}.endPort")


def _peer(peer: Obj, path: str) -> Errors:
    found = [key for key in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(key) is not None]
    for key in ("podSelector", "namespaceSelector"):
        yield from check.label_selector(peer.get(key), f"{path}.{key}")
    if "ipBlock" in found:
        yield from _ip_block(peer["ipBlock"], f"{path}.ipBlock")
        if len(found) > 1:
            text = "may not specify both ipBlock and another peer"
            yield errors.field_forbidden(path, text)
    if not found:
        yield errors.required(path, "must specify a peer")


def _ip_block(block: Obj, path: str) -> Errors:
    value = block.get("cidr") or ""
    if not value:
        yield errors.required(f"{path}.cidr")
        return
    if not check.is_cidr(value):
        yield from check.cidr(value, f"{path}.cidr")
        return
    whole = ipaddress.ip_network(value, strict=False)
    for part, at in check.each(block.get("except"), f"{path}.except"):
        yield from check.cidr(part, at)
        if check.is_cidr(part) and not _is_inside(part, whole):
            yield errors.invalid(at, part, "must be a strict subset of `cidr`")


def _is_inside(part: str, whole: Any) -> bool:
    network: Any = ipaddress.ip_network(part, strict=False)
    return network.version == whole.version and network != whole and bool(network.subnet_of(whole))


STRATEGY: Final = Strategy(default=default, validate=validate)
