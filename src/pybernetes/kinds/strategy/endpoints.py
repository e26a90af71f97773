"""Endpoints and EndpointSlices (validation.ValidateEndpoints; pkg/apis/discovery)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.servicerules import not_special
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_PROTOCOLS: Final = ("SCTP", "TCP", "UDP")


def default(obj: Obj) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            fill.zero(port, "protocol", "TCP")


@check.listed
def validate(obj: Obj) -> Errors:
    for subset, at in check.each(obj.get("subsets"), "subsets"):
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield errors.required(at, "must specify `addresses` or `notReadyAddresses`")
        for key in ("addresses", "notReadyAddresses"):
            for address, where in check.each(subset.get(key), f"{at}.{key}"):
                yield from _address(address, where)
        ports = subset.get("ports") or []
        for port, where in check.each(ports, f"{at}.ports"):
            yield from _port(port, where, name_required=len(ports) > 1)


def _address(address: Obj, path: str) -> Errors:
    value = address.get("ip") or ""
    if check.is_ip(value):
        yield from not_special(value, f"{path}.ip")
    else:
        yield from check.ip_address(value, f"{path}.ip")
    for key, complain in (("hostname", names.dns1123_label), ("nodeName", names.dns1123_subdomain)):
        if name := address.get(key):
            yield from check.complaints(f"{path}.{key}", name, complain(name))


def _port(port: Obj, path: str, *, name_required: bool) -> Errors:
    if name := port.get("name"):
        yield from check.complaints(f"{path}.name", name, names.dns1123_label(name))
    elif name_required:
        yield errors.required(f"{path}.name")
    yield from check.port_number(port.get("port") or 0, f"{path}.port")
    yield from check.one_of(port.get("protocol"), f"{path}.protocol", _PROTOCOLS)


ENDPOINTS: Final = Strategy(default=default, validate=validate, has_generation=False, allow_create_on_update=True)

# ── slices ───────────────────────────────────────────────────────────────────────────────────────────────

_TYPES: Final = ("FQDN", "IPv4", "IPv6")
_ENDPOINTS_MAX, _ADDRESSES_MAX, _PORTS_MAX = 1000, 100, 20000


def default_slice(obj: Obj) -> None:
    for port in obj.get("ports") or ():
        fill.all_absent(port, name="", protocol="TCP")


@check.listed
def validate_slice(obj: Obj) -> Errors:
    kind = obj.get("addressType")
    yield from check.one_of(kind, "addressType", _TYPES)
    endpoints, ports = obj.get("endpoints") or [], obj.get("ports") or []
    if len(endpoints) > _ENDPOINTS_MAX:
        yield errors.too_many("endpoints", len(endpoints), _ENDPOINTS_MAX)
    for endpoint, at in check.each(endpoints, "endpoints"):
        yield from _endpoint(endpoint, kind or "", at)
    if len(ports) > _PORTS_MAX:
        yield errors.too_many("ports", len(ports), _PORTS_MAX)
    yield from check.unique((port.get("name", ""), f"{at}.name") for port, at in check.each(ports, "ports"))
    for port, at in check.each(ports, "ports"):
        yield from _slice_port(port, at)


def _slice_port(port: Obj, path: str) -> Errors:
    if name := port.get("name"):
        yield from check.complaints(f"{path}.name", name, names.dns1123_label(name))
    yield from check.one_of(port.get("protocol"), f"{path}.protocol", _PROTOCOLS)
    if port.get("port") is not None:
        yield from check.port_number(port["port"], f"{path}.port")
    if protocol := port.get("appProtocol"):
        yield from check.complaints(f"{path}.appProtocol", protocol, names.qualified_name(protocol))


def _endpoint(endpoint: Obj, kind: str, path: str) -> Errors:
    addresses: Sequence[str] = endpoint.get("addresses") or []
    if not addresses:
        yield errors.required(f"{path}.addresses", "must contain at least 1 address")
    elif len(addresses) > _ADDRESSES_MAX:
        yield errors.too_many(f"{path}.addresses", len(addresses), _ADDRESSES_MAX)
    for address, at in check.each(addresses, f"{path}.addresses"):
        yield from _typed_address(address, kind, at)
    if name := endpoint.get("hostname"):
        yield from check.complaints(f"{path}.hostname", name, names.dns1123_label(name))
    if name := endpoint.get("nodeName"):
        yield from check.complaints(f"{path}.nodeName", name, names.dns1123_subdomain(name))


def _typed_address(address: str, kind: str, path: str) -> Errors:
    if kind == "FQDN":
        yield from check.complaints(path, address, names.dns1123_subdomain(address.removesuffix(".")))
    elif not check.is_ip(address) or f"IPv{ipaddress.ip_address(address).version}" != kind:
        yield errors.invalid(path, address, f"must be an {kind} address")
    else:
        yield from not_special(address, path)


@check.listed
def validate_slice_update(new: Obj, old: Obj) -> Errors:
    yield from check.immutable(new.get("addressType"), old.get("addressType"), "addressType")


def _content_changed(new: Obj, old: Obj) -> bool:
    labels = [(obj.get("metadata") or {}).get("labels") or {} for obj in (new, old)]
    return labels[0] != labels[1] or any(new.get(key) != old.get(key) for key in ("endpoints", "ports"))


SLICE: Final = Strategy(
    default=default_slice,
    validate=validate_slice,
    validate_update=validate_slice_update,
    generation=_content_changed,
)
"""A slice has no spec: its generation grows with its endpoints, ports and labels."""
