"""Endpoints: the older list of what stands behind a Service, one object for each (pkg/controller/endpoint).

Rule: pods that serve the same ports share a subset, the ready among ``addresses`` and the others among
``notReadyAddresses``. What exists is written only where subsets or labels differ. More than a thousand addresses are
cut, ready ones kept first, and an annotation says so.
Neighbours: ``servicepods.py`` finds the pods; ``endpointslicemirroring.py`` copies Endpoints that people wrote.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from pybernetes.control.actions import Create, Delete, Event, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import keys, pods, servicepods
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

MANAGED_BY: Final = "endpoints.kubernetes.io/managed-by"
MANAGER: Final = "endpoint-controller"
OVER_CAPACITY: Final = "endpoints.kubernetes.io/over-capacity"
CAPACITY: Final = 1000
"""Most addresses of one object."""


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    service = snapshot.get("services", key.namespace, key.name)
    current = snapshot.get("endpoints", key.namespace, key.name)
    if service is None:
        return () if current is None else (Delete("endpoints", key.namespace, key.name, uid=objects.uid(current)),)
    if not servicepods.is_selecting(service):
        return ()
    chosen = servicepods.selected(snapshot, service, terminating=servicepods.publishes_unready(service))
    made, cut = _capped(subsets(service, chosen))
    annotations = _annotations(service, chosen, current or {}, cut)
    return _write(service, current, made, annotations)


@dataclass(frozen=True, slots=True)
class _Group:
    """Addresses of pods that serve the same ports."""

    ports: Sequence[Obj]
    ready: list[Obj] = field(default_factory=list)
    unready: list[Obj] = field(default_factory=list)

    def subset(self) -> Obj:
        named = [{key: value for key, value in port.items() if value} for port in self.ports]
        told = {"addresses": _sorted(self.ready), "notReadyAddresses": _sorted(self.unready), "ports": named}
        return {key: value for key, value in told.items() if value}


def subsets(service: Obj, chosen: Iterable[Obj]) -> list[Obj]:
    """Pods by the ports that they serve, in a fixed order."""
    groups: dict[str, _Group] = {}
    portless = servicepods.is_headless(service) and not objects.get(service, "spec", "ports")
    family, served = servicepods.families(service)[0], servicepods.Ports(service)
    for pod in chosen:
        ip, ports = servicepods.address(pod, family), served.of(pod)
        if ip is not None and (ports or portless):
            group = groups.setdefault(repr(ports), _Group(ports))
            is_ready = servicepods.publishes_unready(service) or pods.is_ready(pod)
            (group.ready if is_ready else group.unready).append(_address(service, pod, ip))
    return [groups[key].subset() for key in sorted(groups)]


def _sorted(addresses: Iterable[Obj]) -> list[Obj]:
    return sorted(addresses, key=lambda each: (each["ip"], each["targetRef"]["uid"]))


def _address(service: Obj, pod: Obj, ip: str) -> Obj:
    told = {"ip": ip, "hostname": servicepods.hostname(service, pod), "nodeName": pods.node(pod)}
    return {field: value for field, value in told.items() if value} | {"targetRef": servicepods.reference(pod)}


def _capped(made: list[Obj]) -> tuple[list[Obj], bool]:
    """Subsets within the capacity, each cut in proportion; were any cut?"""
    ready, unready = (sum(len(each.get(f, ())) for each in made) for f in ("addresses", "notReadyAddresses"))
    if ready + unready <= CAPACITY:
        return made, False
    if ready > CAPACITY:
        made = [{k: v for k, v in each.items() if k != "notReadyAddresses"} for each in made]
        return _cut(made, "addresses", ready, CAPACITY), True
    return _cut(made, "notReadyAddresses", unready, CAPACITY - ready), True


def _cut(made: Sequence[Obj], which: str, total: int, room: int) -> list[Obj]:
    left, cut = room, []
    for each in made:
        addresses = each.get(which, [])
        count = min(left, math.ceil(len(addresses) * room / total))
        left -= count
        told = {**each, which: addresses[:count]}
        cut.append({key: value for key, value in told.items() if value})
    return [each for each in cut if "addresses" in each or "notReadyAddresses" in each]


def _annotations(service: Obj, chosen: Iterable[Obj], current: Obj, cut: bool) -> dict[str, str]:
    before = objects.annotations(current)
    kept = {k: v for k, v in before.items() if k not in (servicepods.TRIGGER_TIME, OVER_CAPACITY)}
    moment = servicepods.trigger_time(service, chosen, before.get(servicepods.TRIGGER_TIME, ""))
    noted = {servicepods.TRIGGER_TIME: moment} if moment else {}
    return kept | noted | ({OVER_CAPACITY: "truncated"} if cut else {})


def _write(service: Obj, current: Obj | None, made: list[Obj], annotations: dict[str, str]) -> Plan:
    labels = servicepods.labels(service, {MANAGED_BY: MANAGER})
    if current is None:
        return (_create(service, labels, annotations, made),)
    cut = OVER_CAPACITY in annotations
    told = objects.labels(current), current.get("subsets") or [], OVER_CAPACITY in objects.annotations(current)
    if told == (labels, made, cut):
        return ()
    metadata = {**objects.meta(current), "labels": labels, "annotations": annotations}
    return (Update("endpoints", {**current, "metadata": metadata, "subsets": made}),)


def _create(service: Obj, labels: dict[str, str], annotations: dict[str, str], made: list[Obj]) -> Create:
    namespace, name = objects.namespace(service), objects.name(service)
    metadata = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": made}
    text = f"Failed to create endpoint for service {namespace}/{name}: {{error}}"
    return Create("endpoints", obj, failure_event=Event(obj, "Warning", "FailedToCreateEndpoint", text))


def _keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """Endpoints that were deleted come back; those of ours whose Service went while nobody looked go too."""
    if new is None:
        return () if old is None else (keys.of(old),)
    is_left = old is None and MANAGED_BY in objects.labels(new)
    gone = is_left and snapshot.get("services", objects.namespace(new), objects.name(new)) is None
    return (keys.of(new),) if gone else ()


CONTROLLER: Final = Controller(
    name="endpoint-controller",
    inputs=(
        Input("services", own_key),
        Input("pods", servicepods.keys_of_pod),
        Input("endpoints", _keys),
    ),
    outputs=(Output("endpoints", ("create", "update", "delete")),),
    plan=plan,
    workers=5,
)
