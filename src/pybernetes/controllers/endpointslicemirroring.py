"""Slices made of Endpoints that people wrote for a Service without selector (pkg/controller/endpointslicemirroring).

Rule: mirrored are the Endpoints of a Service that exists and selects nothing itself, unless a label asks to skip them
or the Endpoints hold a leader's lock or are the cluster's own. The slices belong to the Endpoints and go with them.
Neighbours: ``endpointslice.py`` writes slices; ``endpoints.py`` writes the Endpoints that are not mirrored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import endpoints, servicepods
from pybernetes.controllers.endpointslice import SLICES, Writer, keys_of_slices, managed
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

MANAGER: Final = "endpointslicemirroring-controller.k8s.io"
SKIP: Final = "endpointslice.kubernetes.io/skip-mirror"
_LEADER: Final = "control-plane.alpha.kubernetes.io/leader"
_NOT_COPIED: Final = (servicepods.TRIGGER_TIME, "kubectl.kubernetes.io/last-applied-configuration")


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    source = snapshot.get("endpoints", key.namespace, key.name)
    if source is None:
        return ()  # The garbage collector takes its slices.
    source = {**source, "apiVersion": "v1", "kind": "Endpoints"}
    copied = {k: v for k, v in objects.annotations(source).items() if k not in _NOT_COPIED}
    moment = objects.annotations(source).get(servicepods.TRIGGER_TIME, "")
    writer, existing = Writer(source, MANAGER, moment, copied), managed(snapshot, key, MANAGER)
    if not is_mirrored(snapshot, source):
        return [writer.delete(each) for each in existing]
    pairs = [pair for subset in source.get("subsets") or () for pair in _mirrored(subset)]
    actions = []
    for family in ("IPv4", "IPv6"):
        mine = [each for each in existing if each.get("addressType") == family]
        wanted = [(ports, made) for ports, made in pairs if _family(made) == family]
        actions += writer.reconcile(mine, family, wanted, placeholder=False)
    return actions


def is_mirrored(snapshot: Snapshot, source: Obj) -> bool:
    labels = objects.labels(source)
    if labels.get(SKIP) == "true" or endpoints.MANAGED_BY in labels or _LEADER in objects.annotations(source):
        return False
    service = snapshot.get("services", objects.namespace(source), objects.name(source))
    return service is not None and not objects.get(service, "spec", "selector")


def _mirrored(subset: Obj) -> Iterable[tuple[list[Obj], Obj]]:
    ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        for address in subset.get(field) or ():
            copied = {key: address[key] for key in ("hostname", "nodeName", "targetRef") if address.get(key)}
            yield ports, {"addresses": [address["ip"]], "conditions": {"ready": ready}, **copied}


def _family(made: Obj) -> str:
    return "IPv6" if ":" in made["addresses"][0] else "IPv4"


CONTROLLER: Final = Controller(
    name="endpoint-slice-mirroring-controller",
    service_account="endpointslicemirroring-controller",
    inputs=(
        Input("endpoints", own_key),
        Input("services", own_key),
        Input(SLICES, keys_of_slices(MANAGER)),
    ),
    outputs=(
        Output(SLICES, ("create", "update", "delete")),
        Output("services/finalizers", ("update",)),
        Output("endpoints/finalizers", ("update",)),
    ),
    plan=plan,
)
