"""Parts of the pod network for nodes that have none."""

from __future__ import annotations

from pybernetes.control.actions import Event, Patch
from pybernetes.control.controller import Key
from pybernetes.controllers import nodeipam
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build


def node(name: str, network: str = "") -> Obj:
    return {"metadata": {"name": name}, "spec": {"podCIDR": network, "podCIDRs": [network]} if network else {}}


def given(*nodes: Obj, network: str = "10.244.0.0/16") -> dict[str, str]:
    """Name → its new part, or why it has none."""
    plan = nodeipam.controller(network).plan(build.Snapshot(nodes=list(nodes)), Key("", "networks"), 0.0)
    return {
        a.name if isinstance(a, Patch) else objects.name(a.regarding): a.patch["spec"]["podCIDR"]
        if isinstance(a, Patch)
        else a.reason
        for a in plan
        if isinstance(a, Patch | Event)
    }


def test_parts_are_given_from_the_end_beside_those_that_are_taken() -> None:
    taken = [node("node-1", "10.244.1.0/24"), node("far", "10.244.254.0/24"), node("sim-1", "100.64.1.0/24")]
    assert given(*taken, node("a"), node("b")) == {"a": "10.244.255.0/24", "b": "10.244.253.0/24"}


def test_who_has_a_network_keeps_it() -> None:
    assert given(node("a", "10.244.9.0/24")) == {}


def test_a_node_for_which_none_is_left_is_told_so() -> None:
    assert given(node("a"), node("b"), network="10.244.0.0/24") == {"a": "10.244.0.0/24", "b": "CIDRNotAvailable"}


def test_only_nodes_that_want_or_leave_a_network_wake_it() -> None:
    keys = nodeipam.controller("10.244.0.0/16").inputs[0].keys
    snapshot = build.Snapshot(nodes=[])
    assert list(keys(snapshot, None, node("a"))) == list(keys(snapshot, node("a", "10.244.1.0/24"), None))
    assert list(keys(snapshot, None, node("a", "10.244.1.0/24"))) == []
