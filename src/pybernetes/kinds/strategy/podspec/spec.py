"""A pod spec as a whole, and templates of pods (validation.ValidatePodSpec, ValidatePodTemplateSpec)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.strategy import check, objectmeta
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import containers, resources, scheduling, security, volumes
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
_DNS_POLICIES: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_NAMESERVERS_MAX, _SEARCHES_MAX, _SEARCH_CHARS_MAX = 3, 32, 2048


def template(obj: Obj | None, path: str) -> Errors:
    """A PodTemplateSpec."""
    obj = obj or {}
    yield from objectmeta.validate_labels_and_annotations(obj.get("metadata") or {}, path)
    yield from validate(obj.get("spec") or {}, f"{path}.spec")
    if obj.get("spec", {}).get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        yield errors.field_forbidden(f"{path}.spec.ephemeralContainers", text)


def validate(spec: Obj, path: str) -> Errors:
    """A PodSpec."""
    yield from volumes.volumes(spec.get("volumes"), f"{path}.volumes")
    yield from containers.validate(spec, path)
    yield from check.one_of(spec.get("restartPolicy"), f"{path}.restartPolicy", RESTART_POLICIES)
    yield from check.one_of(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS_POLICIES)
    yield from _dns_config(spec, f"{path}.dnsConfig")
    yield from check.labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from security.pod(spec, path)
    yield from scheduling.affinity(spec.get("affinity"), f"{path}.affinity")
    yield from scheduling.tolerations(spec.get("tolerations"), f"{path}.tolerations")
    yield from scheduling.spread_constraints(spec.get("topologySpreadConstraints"), f"{path}.topologySpreadConstraints")
    yield from _names(spec, path)
    yield from _deadline(spec.get("activeDeadlineSeconds"), f"{path}.activeDeadlineSeconds")
    yield from _gates(spec, path)
    yield from _host_aliases(spec, f"{path}.hostAliases")
    for name, value in (spec.get("overhead") or {}).items():
        yield from resources.quantity_of(name, value, f"{path}.overhead[{name}]")
    yield from _words(spec, path)


_SUBDOMAINS: Final = ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName")
_LABELS: Final = ("hostname", "subdomain")


def _names(spec: Obj, path: str) -> Errors:
    for key in _SUBDOMAINS:
        if value := spec.get(key):
            yield from check.complaints(f"{path}.{key}", value, names.dns1123_subdomain(value))
    for key in _LABELS:
        if value := spec.get(key):
            yield from check.complaints(f"{path}.{key}", value, names.dns1123_label(value))


def _words(spec: Obj, path: str) -> Errors:
    preemption = spec.get("preemptionPolicy")
    yield from check.one_of(preemption, f"{path}.preemptionPolicy", ("Never", "PreemptLowerPriority"), required=False)
    if (system := spec.get("os")) is not None:
        yield from check.one_of(system.get("name"), f"{path}.os.name", ("linux", "windows"))


def _deadline(value: int | None, path: str) -> Errors:
    return check.between(value, path, 1, check.INT32_MAX)


def _gates(spec: Obj, path: str) -> Errors:
    for gate, at in check.each(spec.get("readinessGates"), f"{path}.readinessGates"):
        kind = gate.get("conditionType") or ""
        yield from check.complaints(f"{at}.conditionType", kind, names.qualified_name(kind))
    pairs = []
    for gate, at in check.each(spec.get("schedulingGates"), f"{path}.schedulingGates"):
        name = gate.get("name") or ""
        yield from check.complaints(at, name, names.qualified_name(name))
        pairs.append((name, at))
    yield from check.unique(pairs)


def _host_aliases(spec: Obj, path: str) -> Errors:
    for alias, at in check.each(spec.get("hostAliases"), path):
        yield from check.ip_address(alias.get("ip") or "", f"{at}.ip")
        for name, where in check.each(alias.get("hostnames"), f"{at}.hostnames"):
            yield from check.complaints(where, name, names.dns1123_subdomain(name))


def _dns_config(spec: Obj, path: str) -> Errors:
    config = spec.get("dnsConfig")
    servers = (config or {}).get("nameservers") or []
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not servers:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield errors.required(f"{path}.nameservers", text)
            return
    if config is None:
        return
    if len(servers) > _NAMESERVERS_MAX:
        text = f"must not have more than {_NAMESERVERS_MAX} nameservers"
        yield errors.invalid(f"{path}.nameservers", servers, text)
    for server, at in check.each(servers, f"{path}.nameservers"):
        yield from check.ip_address(server, at)
    yield from _searches(config.get("searches") or [], f"{path}.searches")
    for option, at in check.each(config.get("options"), f"{path}.options"):
        if not option.get("name"):
            yield errors.required(at, "must not be empty")


def _searches(searches: list[str], path: str) -> Errors:
    if len(searches) > _SEARCHES_MAX:
        yield errors.invalid(path, searches, f"must not have more than {_SEARCHES_MAX} search paths")
    if len(" ".join(searches)) > _SEARCH_CHARS_MAX:
        text = f"must not have more than {_SEARCH_CHARS_MAX} characters (including spaces) in the search list"
        yield errors.invalid(path, searches, text)
    for search, at in check.each(searches, path):
        if search != ".":
            name = search.removesuffix(".")
            yield from check.complaints(at, search, names.dns1123_subdomain(name))
