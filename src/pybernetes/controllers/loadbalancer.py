"""Addresses of Services of type LoadBalancer, out of the cluster's own pool. Without a pool they stay pending.

Rule 1: one key plans all Services, so that no two are given one address. Who has an address of the pool keeps it.
Rule 2: ``spec.loadBalancerIP`` asks for a certain one; if that is not to be had, the Service waits for it.
Rule 3: Services with a ``loadBalancerClass`` are someone else's, unless it is ours.
Neighbours: ``network/announce`` answers for the addresses on the node network, ``network/proxy`` serves them.
Reasons and messages are those of upstream's service controller (cloud-provider/controllers/service).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, Event, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers.addresspool import AddressPool
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

CLASS: Final = "pybernetes.io/layer2"
_ALL: Final = Key("", "addresses")


def controller(pool: AddressPool) -> Controller:
    """The row for one pool."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        return list(_plan(pool, snapshot.list("services")))

    return Controller(
        name="service-lb-controller",
        service_account="service-controller",
        inputs=(Input("services", _keys),),
        outputs=(Output("services/status", ("update",)),),
        plan=plan,
        workers=1,
    )


def _keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    if any(each is not None and (is_balanced(each) or address(each)) for each in (old, new)):
        yield _ALL


def is_balanced(service: Obj) -> bool:
    """Does the Service want an address of ours?"""
    spec = service.get("spec") or {}
    return spec.get("type") == "LoadBalancer" and spec.get("loadBalancerClass") in (None, "", CLASS)


def address(service: Obj) -> str:
    """What the Service was given, or empty."""
    return str(objects.get(service, "status", "loadBalancer", "ingress", 0, "ip", default=""))


def _plan(pool: AddressPool, services: Iterable[Obj]) -> Iterable[Action]:
    """Who was first keeps what it has; then those that ask for a certain address, then the others."""
    taken: set[str] = set()
    waiting: list[Obj] = []
    for service in sorted(services, key=_age):
        if not is_balanced(service):
            if address(service) and objects.get(service, "spec", "type") != "LoadBalancer":
                yield _told(service, "", "DeletedLoadBalancer", "Deleted load balancer")
        elif _may_keep(service, pool, taken):
            taken.add(address(service))
        else:
            waiting.append(service)
    for service in sorted(waiting, key=lambda each: not _asked(each)):
        yield from _assign(service, pool, taken)


def _age(service: Obj) -> tuple[str, str, str]:
    created = str(objects.meta(service).get("creationTimestamp", ""))
    return created, objects.namespace(service), objects.name(service)


def _asked(service: Obj) -> str:
    return str(objects.get(service, "spec", "loadBalancerIP", default=""))


def _may_keep(service: Obj, pool: AddressPool, taken: set[str]) -> bool:
    has = address(service)
    return bool(has) and has in pool and has not in taken and _asked(service) in ("", has)


def _assign(service: Obj, pool: AddressPool, taken: set[str]) -> Iterable[Action]:
    found, complaint = _choose(_asked(service), pool, taken)
    if found:
        taken.add(found)
        yield _event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer")
        yield _told(service, found, "EnsuredLoadBalancer", "Ensured load balancer")
        return
    text = f"Error syncing load balancer: failed to ensure load balancer: {complaint}"
    failure = _event(service, "Warning", "SyncLoadBalancerFailed", text)
    yield _told(service, "", failure.reason, text, "Warning") if address(service) else failure


def _choose(asked: str, pool: AddressPool, taken: set[str]) -> tuple[str | None, str]:
    """(the address, or why there is none)."""
    if not asked:
        return pool.free(taken), "no address of the pool is free"
    if ":" in asked or asked not in pool:
        return None, f"{asked} is not in the pool"
    return (None, f"{asked} is in use by another service") if asked in taken else (asked, "")


def _told(service: Obj, found: str, reason: str, message: str, type_: str = "Normal") -> Update:
    status = {"loadBalancer": {"ingress": [{"ip": found, "ipMode": "VIP"}]} if found else {}}
    event = _event(service, type_, reason, message)
    return Update("services", {**service, "status": {**(service.get("status") or {}), **status}}, "status", event)


def _event(service: Obj, type_: str, reason: str, message: str) -> Event:
    regarding = {**service, "apiVersion": "v1", "kind": "Service"}
    return Event(regarding, "Warning" if type_ == "Warning" else "Normal", reason, message)
