"""Ingresses and IngressClasses (pkg/apis/networking: defaults, validation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_SEQUENCES: Final = ("//", "/./", "/../", "%2f", "%2F")
_BAD_SUFFIXES: Final = ("/..", "/.")


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield errors.invalid("spec", spec.get("rules") or [], "either `defaultBackend` or `rules` must be specified")
    if (backend := spec.get("defaultBackend")) is not None:
        yield from _backend(backend, "spec.defaultBackend")
    for rule, at in check.each(spec.get("rules"), "spec.rules"):
        yield from _rule(rule, at)
    for tls, at in check.each(spec.get("tls"), "spec.tls"):
        for host, where in check.each(tls.get("hosts"), f"{at}.hosts"):
            yield from check.complaints(where, host, _host(host))
        if name := tls.get("secretName"):
            yield from check.complaints(f"{at}.secretName", name, names.dns1123_subdomain(name))
    if name := spec.get("ingressClassName"):
        yield from check.complaints("spec.ingressClassName", name, names.dns1123_subdomain(name))


def _host(host: str) -> Sequence[str]:
    if "*" in host:
        return names.wildcard_dns1123_subdomain(host)
    return names.dns1123_subdomain(host)


def _rule(rule: Obj, path: str) -> Errors:
    if host := rule.get("host"):
        if check.is_ip(host):
            yield errors.invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from check.complaints(f"{path}.host", host, _host(host))
    http = rule.get("http")
    if http is None:
        return
    if not http.get("paths"):
        yield errors.required(f"{path}.http.paths")
    for item, at in check.each(http.get("paths"), f"{path}.http.paths"):
        yield from _path(item, at)


def _path(item: Obj, path: str) -> Errors:
    kind, value = item.get("pathType"), item.get("path") or ""
    if kind is None:
        yield errors.required(f"{path}.pathType", "pathType must be specified")
    elif kind not in _PATH_TYPES:
        yield errors.not_supported(f"{path}.pathType", kind, _PATH_TYPES)
    elif kind != "ImplementationSpecific":
        if not value.startswith("/"):
            yield errors.invalid(f"{path}.path", value, "must be an absolute path")
        for bad in _BAD_SEQUENCES:
            if bad in value:
                yield errors.invalid(f"{path}.path", value, f"must not contain '{bad}'")
        for bad in _BAD_SUFFIXES:
            if value.endswith(bad):
                yield errors.invalid(f"{path}.path", value, f"cannot end with '{bad}'")
    elif value and not value.startswith("/"):
        yield errors.invalid(f"{path}.path", value, "must be an absolute path")
    yield from _backend(item.get("backend") or {}, f"{path}.backend")


def _backend(backend: Obj, path: str) -> Errors:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield errors.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        for key in ("kind", "name"):
            if not resource.get(key):
                yield errors.required(f"{path}.resource.{key}", f"{key} is required")
    elif service is None:
        yield errors.required(path, "resource or service backend is required")
    else:
        yield from _service_backend(service, f"{path}.service")


def _service_backend(service: Obj, path: str) -> Errors:
    yield from check.required_name(service.get("name") or "", f"{path}.name", names.dns1035_label)
    port = service.get("port") or {}
    name, number = port.get("name"), port.get("number")
    if name and number:
        yield errors.invalid(f"{path}.port", port, "cannot set both port name & port number")
    elif name:
        yield from check.complaints(f"{path}.port.name", name, names.port_name(name))
    elif number:
        yield from check.port_number(number, f"{path}.port.number")
    else:
        yield errors.required(f"{path}.port", "port name or number is required")


def warnings(obj: Obj, old: Obj | None) -> Sequence[str]:
    annotation = "kubernetes.io/ingress.class"
    if old is None and annotation in ((obj.get("metadata") or {}).get("annotations") or {}):
        return [f"annotation \"{annotation}\" is deprecated, please use 'spec.ingressClassName' instead"]
    return ()


STRATEGY: Final = Strategy(validate=validate, warnings=warnings)

# ── ingress classes ──────────────────────────────────────────────────────────────────────────────────────

_CONTROLLER_MAX: Final = 250


def default_class(obj: Obj) -> None:
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters is not None:
        fill.absent(parameters, "scope", "Cluster")


@check.listed
def validate_class(obj: Obj) -> Errors:
    controller, path = (obj.get("spec") or {}).get("controller") or "", "spec.controller"
    if len(controller) > _CONTROLLER_MAX:
        yield errors.too_long(path, _CONTROLLER_MAX)
    yield from domain_prefixed(controller, path)


def domain_prefixed(value: str, path: str) -> Errors:
    """validation.IsDomainPrefixedPath: ``example.com/some/path``."""
    domain, slash, rest = value.partition("/")
    if not value:
        yield errors.required(path)
    elif not slash or not domain or not rest:
        yield errors.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        yield from check.complaints(path, domain, names.dns1123_subdomain(domain))


@check.listed
def validate_class_update(new: Obj, old: Obj) -> Errors:
    before, after = (old.get("spec") or {}).get("controller"), (new.get("spec") or {}).get("controller")
    yield from check.immutable(after, before, "spec.controller")


CLASS: Final = Strategy(default=default_class, validate=validate_class, validate_update=validate_class_update)
