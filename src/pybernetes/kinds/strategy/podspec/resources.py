"""Requests and limits of a container (validation.ValidateContainerResourceRequirements)."""

from __future__ import annotations

from typing import Any, Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names, quantity
from pybernetes.meta.objects import Obj

CONTAINER_RESOURCES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
_NATIVE: Final = "kubernetes.io/"
_HUGE_PAGES: Final = "hugepages-"
_STANDARD: Final = CONTAINER_RESOURCES | {
    "storage", "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
    "requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage",
}  # fmt: skip


def is_native(name: str) -> bool:
    """Kubernetes' own: without a domain, or in ``kubernetes.io``."""
    return "/" not in name or _NATIVE in name


def is_extended(name: str) -> bool:
    """A resource of some other domain: counted in whole numbers and never overcommitted."""
    return not is_native(name) and not name.startswith("requests.") and not names.qualified_name(f"requests.{name}")


def _may_overcommit(name: str) -> bool:
    return is_native(name) and not name.startswith(_HUGE_PAGES)


def resource_name(name: str, path: str) -> Errors:
    """validation.validateResourceName: what a quota or a node may count."""
    yield from check.complaints(path, name, names.qualified_name(name))
    if "/" not in name and name not in _STANDARD and not name.startswith((_HUGE_PAGES, f"requests.{_HUGE_PAGES}")):
        yield errors.invalid(path, name, "must be a standard resource type or fully qualified")


def _container_resource_name(name: str, path: str) -> Errors:
    yield from resource_name(name, path)
    if "/" not in name:
        if name not in CONTAINER_RESOURCES and not name.startswith(_HUGE_PAGES):
            yield errors.invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield errors.invalid(path, name, "doesn't follow extended resource name standard")


def quantity_of(name: str, value: Any, path: str) -> Errors:
    """One entry of a ResourceList."""
    bad = list(check.non_negative_quantity(value, path))
    yield from bad
    if not bad and is_extended(name) and quantity.parse(value) % 1:
        yield errors.invalid(path, quantity.canonical(value), "must be an integer")


def requirements(resources: Obj | None, path: str) -> Errors:
    """``resources`` of one container."""
    if not resources:
        return
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    bad = [*_entries(limits, f"{path}.limits"), *_entries(requests, f"{path}.requests")]
    yield from bad
    if bad:
        return
    for name, value in requests.items():
        yield from _within(name, value, limits.get(name), f"{path}.requests")


def _entries(values: Obj, path: str) -> Errors:
    for name, value in values.items():
        yield from _container_resource_name(name, f"{path}[{name}]")
        yield from quantity_of(name, value, f"{path}[{name}]")


def _within(name: str, request: Any, limit: Any, path: str) -> Errors:
    if limit is None:
        if not _may_overcommit(name):
            yield errors.required(
                path.replace(".requests", ".limits"), "Limit must be set for non overcommitable resources"
            )
        return
    asked, most = quantity.parse(request), quantity.parse(limit)
    shown, bound = quantity.canonical(request), quantity.canonical(limit)
    if asked != most and not _may_overcommit(name):
        yield errors.invalid(path, shown, f"must be equal to {name} limit of {bound}")
    elif asked > most:
        yield errors.invalid(path, shown, f"must be less than or equal to {name} limit of {bound}")
