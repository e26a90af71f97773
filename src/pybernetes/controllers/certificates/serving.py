"""Approves the serving certificates that nodes ask for themselves.

Upstream leaves these to a human or an add-on, because any node could claim any name. Rule: it is approved where a node
asks for itself, for no names but its own, and for no addresses but those that its Node tells; all else waits.
Neighbours: ``approving.py`` is the same for the certificates by which nodes are clients.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers.certificates import requests
from pybernetes.controllers.certificates.approving import approved
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_NODES: Final = "system:nodes"
_TEXT: Final = "Auto approving kubelet serving certificate of names and addresses that the Node tells."


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    csr = snapshot.get(requests.RESOURCE, "", key.name)
    if csr is None or requests.certificate(csr) or requests.conditions(csr):
        return ()
    user = str(objects.get(csr, "spec", "username") or "")
    node = snapshot.get("nodes", "", user.removeprefix("system:node:"))
    if node is None or not is_its_own(csr, node):
        return ()
    return [Update(requests.RESOURCE, approved(csr, _TEXT, now), subresource="approval")]


def is_its_own(csr: Obj, node: Obj) -> bool:
    """Does this node ask for itself, and for nothing that is not its own?"""
    spec = csr.get("spec") or {}
    if spec.get("signerName") != requests.KUBELET_SERVING or _NODES not in (spec.get("groups") or ()):
        return False
    try:
        asked = requests.read(csr)
        requests.check(asked, requests.KUBELET_SERVING)
    except requests.BadRequest:
        return False  # whoever looks at it by hand will see
    own = {objects.name(node), *(str(a.get("address")) for a in objects.get(node, "status", "addresses", default=[]))}
    is_self = asked.common_name == spec.get("username") == f"system:node:{objects.name(node)}"
    return is_self and {str(name.value) for name in asked.names} <= own


def _of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The requests that wait for what a Node tells."""
    if new is not None:
        user = f"system:node:{objects.name(new)}"
        for csr in snapshot.list(requests.RESOURCE):
            if objects.get(csr, "spec", "username") == user and not requests.conditions(csr):
                yield Key("", objects.name(csr))


CONTROLLER: Final = Controller(
    name="kubelet-serving-approver",
    inputs=(Input(requests.RESOURCE, own_key), Input("nodes", _of_node)),
    outputs=(
        Output(f"{requests.RESOURCE}/approval", ("update",)),
        Output("signers.certificates.k8s.io", ("approve",)),
    ),
    plan=plan,
    workers=1,
)
