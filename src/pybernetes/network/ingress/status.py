"""What the entrance says of itself: addresses in the status of Ingresses, and which node says it. Pure.

Rule 1: the entrance is where its Service has endpoints, and works where that node is ready.
Rule 2: the first of these nodes by name speaks for all; when it is gone, the next one does.
Neighbours: ``reporter.py`` performs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Event
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

NAMESPACE: Final = "ingress-nginx"
SERVICE: Final = "ingress-nginx-controller"
COMPONENT: Final = "nginx-ingress-controller"


def places(slices: Iterable[Obj], nodes: Iterable[Obj]) -> dict[str, str]:
    """Node → address of each place where the entrance works."""
    ready = {objects.name(node) for node in nodes if objects.condition_is(node, "Ready")}
    found = {
        endpoint.get("nodeName") or "": endpoint["addresses"][0]
        for endpoint_slice in slices
        for endpoint in endpoint_slice.get("endpoints") or ()
        if endpoint.get("addresses")
    }
    return {node: found[node] for node in sorted(found) if node in ready}


def wanted(service: Obj | None, addresses: Sequence[str]) -> Obj:
    """The status that Ingresses should have: the load balancer's addresses if there is one, else the nodes'."""
    balanced = objects.get(service or {}, "status", "loadBalancer", "ingress", default=[])
    told = [{k: entry[k] for k in ("ip", "hostname") if k in entry} for entry in balanced]
    return {"loadBalancer": {"ingress": told or [{"ip": address} for address in addresses]}}


def differs(ingress: Obj, status: Obj) -> bool:
    there = objects.get(ingress, "status", "loadBalancer", "ingress", default=[])
    told = [{k: v for k, v in entry.items() if k in ("ip", "hostname")} for entry in there]
    return bool(told != status["loadBalancer"]["ingress"])


def synced(ingress: Obj) -> Event:
    return Event(ingress, "Normal", "Sync", "Scheduled for sync")
