"""Field selectors: what ``--field-selector`` may ask of each kind besides its name and namespace.

Rule: a row is a path as clients write it and a function that answers its value as text, an absent one as upstream's
zero value does. Sources: each kind's ``ToSelectableFields`` and the label conversion functions of its versions.
Neighbours: the row files name these tables in ``Kind.fields``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

Fields: TypeAlias = Mapping[str, Callable[[Obj], str]]


def _shown(value: Any, zero: str) -> str:
    if value is None:
        return zero
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _at(path: str, zero: str = "") -> Callable[[Obj], str]:
    steps = path.split(".")
    return lambda obj: _shown(objects.get(obj, *steps), zero)


def _fields(*paths: str, **zeros: str) -> Fields:
    """Paths that read as they are written; ``zeros`` are paths (dots as ``__``) with the text of their zero value."""
    plain = {path: _at(path) for path in paths}
    return plain | {path.replace("__", "."): _at(path.replace("__", "."), zero) for path, zero in zeros.items()}


def _first_address(pod: Obj) -> str:
    addresses = objects.get(pod, "status", "podIPs", default=[])
    return str(addresses[0].get("ip", "") if addresses else objects.get(pod, "status", "podIP", default=""))


PODS: Final[Fields] = {
    **_fields(
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
        "status.nominatedNodeName", spec__hostNetwork="false",
    ),
    "status.podIP": _first_address,
}  # fmt: skip

_REGARDING: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")


def _event_source(event: Obj) -> str:
    source: str = objects.get(event, "source", "component", default="")
    return source or str(event.get("reportingComponent") or "")


EVENTS: Final[Fields] = {
    **_fields(*(f"involvedObject.{key}" for key in _REGARDING), "reason", "reportingComponent", "type"),
    "source": _event_source,
}

NODES: Final = _fields(spec__unschedulable="false")
NAMESPACES: Final = _fields("status.phase")
SECRETS: Final = _fields("type")
SERVICES: Final = _fields("spec.clusterIP", "spec.type")
REPLICAS: Final = _fields(status__replicas="0")
JOBS: Final = {"status.successful": _at("status.succeeded", "0")}
CERTIFICATE_SIGNING_REQUESTS: Final = _fields("spec.signerName")
RESOURCE_SLICES: Final = _fields("spec.nodeName", "spec.driver")
IP_ADDRESSES: Final = _fields("spec.parentRef.group", "spec.parentRef.resource")
EVENTS_V1: Final[Fields] = {
    **{f"regarding.{key}": _at(f"involvedObject.{key}") for key in _REGARDING},
    **{key: EVENTS[key] for key in ("reason", "type")},
    "reportingController": _at("reportingComponent"),
}
"""By the newer names, over the stored form: the registry filters what is stored."""
