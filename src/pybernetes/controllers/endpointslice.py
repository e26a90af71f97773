"""EndpointSlices: what stands behind a Service, a hundred to a slice (pkg/controller/endpointslice).

Rule 1: pods of the same ports share slices. ``serving`` is readiness; ``ready`` is that too, but false on the way out,
        and true for all where a Service publishes what is not ready.
Rule 2: a Service that selects nothing has one slice without endpoints and ports.
Rule 3: a pod whose node is not there is left out, and looked at again: either will appear or go.
Neighbours: ``servicepods.py`` finds the pods, ``endpointslicepacking.py`` decides which slices change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Create, Delete, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, KeysOf, Output, Snapshot, own_key
from pybernetes.controllers import pods, servicepods
from pybernetes.controllers.endpointslicepacking import PortsKey, pack, ports_key
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

SLICES: Final = "endpointslices.discovery.k8s.io"
SERVICE_NAME: Final = "kubernetes.io/service-name"
MANAGED_BY: Final = "endpointslice.kubernetes.io/managed-by"
MANAGER: Final = "endpointslice-controller.k8s.io"
ZONE: Final = "topology.kubernetes.io/zone"
_NEAR: Final = ("PreferClose", "PreferSameZone", "PreferSameNode")
_NODE_SECONDS: Final = 5.0
"""When to look again for a node that is missing."""


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    service = snapshot.get("services", key.namespace, key.name)
    if service is None or not servicepods.is_selecting(service):
        return ()  # The garbage collector takes the slices of a Service that is gone.
    service = {**service, "apiVersion": "v1", "kind": "Service"}
    existing = managed(snapshot, key, MANAGER)
    chosen = servicepods.selected(snapshot, service, terminating=True)
    told = max((objects.annotations(each).get(servicepods.TRIGGER_TIME, "") for each in existing), default="")
    writer = Writer(service, MANAGER, servicepods.trigger_time(service, chosen, told))
    placed = chosen if servicepods.publishes_unready(service) else [p for p in chosen if _node(snapshot, p) is not None]
    served = servicepods.families(service)
    actions: list[Action] = [writer.delete(each) for each in existing if each.get("addressType") not in served]
    for family in served:
        mine = [each for each in existing if each.get("addressType") == family]
        actions += writer.reconcile(mine, family, _wanted(snapshot, service, placed, family))
    return actions if len(placed) == len(chosen) else [*actions, After(_NODE_SECONDS)]


def managed(snapshot: Snapshot, key: Key, manager: str) -> list[Obj]:
    """The slices of a Service that ``manager`` made, but for those that are being deleted, in order of their names."""
    selector = {"matchLabels": {SERVICE_NAME: key.name, MANAGED_BY: manager}}
    found = snapshot.select(SLICES, key.namespace, selector)
    return sorted((each for each in found if not objects.is_deleting(each)), key=objects.name)


def _wanted(snapshot: Snapshot, service: Obj, chosen: Iterable[Obj], family: str) -> list[tuple[list[Obj], Obj]]:
    addressed = ((pod, servicepods.address(pod, family)) for pod in chosen)
    served = servicepods.Ports(service)
    return [
        (served.of(pod), endpoint(service, pod, address, _node(snapshot, pod)))
        for pod, address in addressed
        if address is not None
    ]


def _node(snapshot: Snapshot, pod: Obj) -> Obj | None:
    return snapshot.get("nodes", "", pods.node(pod))


def endpoint(service: Obj, pod: Obj, address: str, node: Obj | None) -> Obj:
    """One endpoint; a pod whose node is gone has no zone."""
    serving, terminating = pods.is_ready(pod), objects.is_deleting(pod)
    ready = servicepods.publishes_unready(service) or (serving and not terminating)
    told = {
        "addresses": [address],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "hostname": servicepods.hostname(service, pod),
        "nodeName": pods.node(pod),
        "targetRef": servicepods.reference(pod),
        "zone": objects.labels(node or {}).get(ZONE),
    }
    found = {field: value for field, value in told.items() if value}
    return found | hints(service, found) if ready else found


def hints(service: Obj, endpoint: Obj) -> Obj:
    """For whom a ready endpoint is meant, where the Service asks to keep traffic near (KEP-4444, KEP-3015)."""
    asked = objects.get(service, "spec", "trafficDistribution")
    zone, node = endpoint.get("zone"), endpoint.get("nodeName")
    told: Obj = {}
    if asked in _NEAR and zone:
        told["forZones"] = [{"name": zone}]
    if asked == "PreferSameNode" and node:
        told["forNodes"] = [{"name": node}]
    return {"hints": told} if told else {}


class Writer:
    """Turns decisions about the slices of one owner (a Service, or Endpoints that are mirrored) into actions."""

    def __init__(self, owner: Obj, manager: str, moment: str, annotations: dict[str, str] | None = None) -> None:
        self._owner = owner
        self._labels = servicepods.labels(owner, {SERVICE_NAME: objects.name(owner), MANAGED_BY: manager})
        self._annotations = (annotations or {}) | ({servicepods.TRIGGER_TIME: moment} if moment else {})

    def reconcile(
        self, existing: Sequence[Obj], family: str, wanted: Iterable[tuple[list[Obj], Obj]], *, placeholder: bool = True
    ) -> list[Action]:
        """What makes slices of one address type hold the ``wanted`` (ports, endpoint) pairs."""
        groups: dict[PortsKey, list[tuple[list[Obj], Obj]]] = defaultdict(list)
        keys: dict[int, PortsKey] = {}
        for pair in wanted:
            shared = id(pair[0])
            groups[keys.get(shared) or keys.setdefault(shared, ports_key(pair[0]))].append(pair)
        mine = [each for each in existing if self._owns(each)]
        if not groups and placeholder:
            return self._empty(existing, mine, family)
        actions: list[Action] = [self.delete(each) for each in existing if each not in mine]
        for key, pairs in groups.items():
            same = [each for each in mine if ports_key(each.get("ports")) == key]
            actions += self._group(same, family, pairs)
        return actions + [self.delete(each) for each in mine if ports_key(each.get("ports")) not in groups]

    def delete(self, each: Obj) -> Delete:
        return Delete(SLICES, objects.namespace(each), objects.name(each), uid=objects.uid(each))

    def _group(self, same: Sequence[Obj], family: str, pairs: Sequence[tuple[list[Obj], Obj]]) -> Iterable[Action]:
        packed = pack(same, [endpoint for _, endpoint in pairs])
        by_name = {objects.name(each): each for each in same}
        for name, endpoints in packed.changed.items():
            yield self._update(by_name[name], endpoints)
        for name, endpoints in packed.kept.items():
            if objects.labels(by_name[name]) != self._labels:
                yield self._update(by_name[name], endpoints)
        for endpoints in packed.created:
            yield self._create(family, pairs[0][0], endpoints)
        for name in packed.deleted:
            yield self.delete(by_name[name])

    def _empty(self, existing: Sequence[Obj], mine: Sequence[Obj], family: str) -> list[Action]:
        """One slice without anything, which is kept when it is there."""
        bare = [e for e in mine if not e.get("endpoints") and not e.get("ports") and objects.labels(e) == self._labels]
        gone = [self.delete(each) for each in existing if each not in bare[:1]]
        return [*gone, *([] if bare else [self._create(family, [], [])])]

    def _owns(self, each: Obj) -> bool:
        return (objects.controller_of(each) or {}).get("uid") == objects.uid(self._owner)

    def _create(self, family: str, ports: list[Obj], endpoints: list[Obj]) -> Create:
        metadata: Obj = {
            "generateName": f"{objects.name(self._owner)}-",
            "namespace": objects.namespace(self._owner),
            "labels": dict(self._labels),
            "ownerReferences": [objects.owner_reference(self._owner)],
        } | ({"annotations": dict(self._annotations)} if self._annotations else {})
        made = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
        return Create(SLICES, made | {"addressType": family, "endpoints": endpoints, "ports": ports})

    def _update(self, each: Obj, endpoints: list[Obj]) -> Update:
        kept = {k: v for k, v in objects.annotations(each).items() if k != servicepods.TRIGGER_TIME}
        metadata = {**objects.meta(each), "labels": dict(self._labels), "annotations": kept | self._annotations}
        return Update(SLICES, {**each, "metadata": metadata, "endpoints": endpoints})


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def keys_of_slices(manager: str) -> KeysOf:
    """A slice that ``manager`` made wakes its Service, the one before too."""

    def keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        mine = [o for o in (old, new) if o is not None and objects.labels(o).get(MANAGED_BY) == manager]
        named = [Key(objects.namespace(each), objects.labels(each).get(SERVICE_NAME, "")) for each in mine]
        return dict.fromkeys(key for key in named if key.name)

    return keys


def _keys_of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A node that goes or moves to another zone changes the endpoints on it."""
    if old is None or (new is not None and objects.labels(old).get(ZONE) == objects.labels(new).get(ZONE)):
        return
    name = objects.name(old)
    for pod in snapshot.list("pods"):
        if pods.node(pod) == name:
            yield from servicepods.keys_of_pod(snapshot, None, pod)


CONTROLLER: Final = Controller(
    name="endpoint-slice-controller",
    service_account="endpointslice-controller",
    inputs=(
        Input("services", own_key),
        Input("pods", servicepods.keys_of_pod),
        Input("nodes", _keys_of_node),
        Input(SLICES, keys_of_slices(MANAGER)),
    ),
    outputs=(
        Output(SLICES, ("create", "update", "delete")),
        Output("services/finalizers", ("update",)),
    ),
    plan=plan,
    workers=5,
)
