"""Pod networks of nodes that come without one: each gets a part of the cluster's own (pkg/controller/nodeipam).

Rule: one key plans all nodes, so that no two get one part. Parts are given from the end of the network downwards: a
node of this machine takes the part of its own number, from the beginning.
Neighbours: ``network/routes.py`` and ``network/cni.py`` use what a Node says; ``cluster/config.py`` numbers the nodes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final

from pybernetes.control.actions import Action, Event, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

PREFIX_LENGTH: Final = 24
_ALL: Final = Key("", "networks")


def controller(network: str) -> Controller:
    """The row for the pod network of a cluster (IPv4, a CIDR)."""
    whole = ipaddress.IPv4Network(network)

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        return list(_plan(whole, snapshot.list("nodes")))

    return Controller(
        name="node-ipam-controller",
        service_account="node-controller",
        inputs=(Input("nodes", _keys),),
        outputs=(Output("nodes", ("patch",)),),
        plan=plan,
        workers=1,
    )


def _keys(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A node without a network wants one; one that goes leaves its own to whoever waits."""
    if new is None or not _networks(new):
        yield _ALL


def _networks(node: Obj) -> list[str]:
    spec = node.get("spec") or {}
    return list(spec.get("podCIDRs") or filter(None, [spec.get("podCIDR")]))


def _plan(whole: ipaddress.IPv4Network, nodes: Iterable[Obj]) -> Iterator[Action]:
    ordered = sorted(nodes, key=objects.name)
    taken = [ipaddress.IPv4Network(each) for node in ordered for each in _networks(node) if ":" not in each]
    free = (part for part in _parts(whole) if not any(part.overlaps(each) for each in taken))
    for node in ordered:
        if not _networks(node) and not objects.is_deleting(node):
            part = next(free, None)
            yield _given(node, str(part)) if part is not None else _none_left(node)


def _parts(whole: ipaddress.IPv4Network) -> Iterator[ipaddress.IPv4Network]:
    """The parts of the network, the last first."""
    size = 1 << (32 - PREFIX_LENGTH)
    first, last = int(whole.network_address), int(whole.broadcast_address)
    return (ipaddress.IPv4Network((start, PREFIX_LENGTH)) for start in range(last + 1 - size, first - 1, -size))


def _given(node: Obj, part: str) -> Patch:
    return Patch("nodes", "", objects.name(node), {"spec": {"podCIDR": part, "podCIDRs": [part]}}, ok_if_missing=True)


def _none_left(node: Obj) -> Event:
    text = f"Node {objects.name(node)} status is now: CIDRNotAvailable"
    return Event({**node, "apiVersion": "v1", "kind": "Node"}, "Normal", "CIDRNotAvailable", text)
