"""The statuses of GatewayClasses, Gateways and HTTPRoutes, from what ``gateway.py`` read. Pure.

Rule: a condition keeps its time while its status stays; a status that says what is there already is not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.ingress.gateway import CONTROLLER, Listener, Parent, Reading

GROUP: Final = "gateway.networking.k8s.io"
CLASSES: Final = f"gatewayclasses.{GROUP}"
GATEWAYS: Final = f"gateways.{GROUP}"
ROUTES: Final = f"httproutes.{GROUP}"
_MESSAGES: Final = {
    "NoMatchingParent": "no listener of the Gateway has this name and port",
    "NotAllowedByListeners": "no listener admits routes of this namespace",
    "NoMatchingListenerHostname": "no listener has one of these host names",
    "UnsupportedValue": "a filter or a match is not supported",
    "BackendNotFound": "a Service that is referred to does not exist",
    "InvalidKind": "only Services can be backends",
    "RefNotPermitted": "a backend must lie in the route's own namespace",
    "PortUnavailable": "HTTP is served on port 80 and HTTPS on port 443",
    "UnsupportedProtocol": "only HTTP and HTTPS are served",
    "InvalidCertificateRef": "none of the Secrets holds a certificate that can be used",
    "AddressNotAssigned": "no node has an entrance that works",
}


def changes(reading: Reading, addresses: Sequence[str], now: str) -> Iterator[tuple[str, Obj, Obj]]:
    """(resource, object, its status) wherever the status is to be another."""
    for one in reading.classes:
        yield from _changed(CLASSES, one, {"conditions": [_condition(one, _there(one), "Accepted", "", now)]})
    for listeners in reading.listeners.values():
        if listeners:
            gateway = listeners[0].gateway
            yield from _changed(GATEWAYS, gateway, _gateway(gateway, listeners, addresses, now))
    routes = {id(parent.route): parent.route for parent in reading.parents}
    for route in routes.values():
        told = [parent for parent in reading.parents if parent.route is route]
        yield from _changed(ROUTES, route, {"parents": _parents(route, told, now)})


def _changed(resource: str, obj: Obj, status: Obj) -> Iterator[tuple[str, Obj, Obj]]:
    there = obj.get("status") or {}
    if any(there.get(key) != value for key, value in status.items()):
        yield resource, obj, status


def _gateway(gateway: Obj, listeners: Sequence[Listener], addresses: Sequence[str], now: str) -> Obj:
    there = _there(gateway)
    refused = next((listener.refusal for listener in listeners if listener.refusal), "")
    works = any(listener.works for listener in listeners)
    programmed = "" if works and addresses else "Invalid" if addresses else "AddressNotAssigned"
    return {
        "addresses": [{"type": "IPAddress", "value": address} for address in addresses],
        "conditions": [
            _condition(gateway, there, "Accepted", "ListenersNotValid" if refused else "", now, is_true=works),
            _condition(gateway, there, "Programmed", programmed, now),
        ],
        "listeners": [_listener(gateway, listener, bool(addresses), now) for listener in listeners],
    }


def _listener(gateway: Obj, listener: Listener, has_address: bool, now: str) -> Obj:
    known = objects.get(gateway, "status", "listeners", default=[])
    there = next((entry.get("conditions") or [] for entry in known if entry.get("name") == listener.name), [])
    programmed = "" if listener.works and has_address else "Invalid"
    return {
        "name": listener.name,
        "supportedKinds": [] if listener.refusal == "UnsupportedProtocol" else [{"group": GROUP, "kind": "HTTPRoute"}],
        "attachedRoutes": len(listener.attached),
        "conditions": [
            _condition(gateway, there, "Accepted", listener.refusal, now),
            _condition(gateway, there, "Programmed", programmed, now),
            _condition(gateway, there, "ResolvedRefs", listener.reference, now),
        ],
    }


def _parents(route: Obj, parents: Sequence[Parent], now: str) -> list[Obj]:
    """Those of other controllers stay as they are."""
    known: Sequence[Obj] = objects.get(route, "status", "parents", default=[])
    return [
        *(entry for entry in known if entry.get("controllerName") != CONTROLLER),
        *(_parent(route, parent, known, now) for parent in parents),
    ]


def _parent(route: Obj, parent: Parent, known: Sequence[Obj], now: str) -> Obj:
    mine = (e for e in known if e.get("controllerName") == CONTROLLER and e.get("parentRef") == parent.ref)
    there = next((entry.get("conditions") or [] for entry in mine), [])
    return {
        "parentRef": parent.ref,
        "controllerName": CONTROLLER,
        "conditions": [
            _condition(route, there, "Accepted", parent.refusal, now),
            _condition(route, there, "ResolvedRefs", parent.reference, now),
        ],
    }


def _there(obj: Obj) -> Sequence[Obj]:
    found: Sequence[Obj] = objects.get(obj, "status", "conditions", default=[])
    return found


def _condition(
    obj: Obj, there: Sequence[Obj], kind: str, reason: str, now: str, *, is_true: bool | None = None
) -> dict[str, Any]:
    """``reason`` is why it is not true; empty where it is."""
    status = "True" if (not reason if is_true is None else is_true) else "False"
    before = next((c for c in there if c.get("type") == kind), {})
    changed = before.get("lastTransitionTime") if before.get("status") == status else None
    return {
        "type": kind,
        "status": status,
        "reason": reason or kind,
        "message": _MESSAGES.get(reason, ""),
        "observedGeneration": objects.meta(obj).get("generation") or 1,
        "lastTransitionTime": changed or now,
    }
