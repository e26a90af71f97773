"""Extended resources that somebody gives a node by patching its ``status.capacity``: ``example.com/dongle: "4"``. Pure.

Rule: what a node has of such a resource its pods may have: the node's agent tells it in ``allocatable``, and takes it
away there when it is gone (kubernetes.io, "Advertise Extended Resources for a Node").
Neighbours: ``nodestatus.py`` and ``simulated/nodestatus.py`` put it into what they tell.
"""

from __future__ import annotations

from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def allocatable(node: Obj | None) -> dict[str, Any]:
    """What to say of these resources in ``allocatable``; None for one that is there and no longer had."""
    has, told = (objects.get(node, "status", part, default={}) for part in ("capacity", "allocatable"))
    gone = {name: None for name in told if is_extended(name) and name not in has}
    return {**{name: amount for name, amount in has.items() if is_extended(name)}, **gone}


def is_told(node: Obj) -> bool:
    """Does the node's ``allocatable`` say that already?"""
    told = objects.get(node, "status", "allocatable", default={})
    return all(told.get(name) == amount for name, amount in allocatable(node).items())


def is_extended(name: str) -> bool:
    """Is the resource named under a domain that is not Kubernetes' own? (helper.IsExtendedResourceName)"""
    domain, slash, _ = name.partition("/")
    return bool(slash) and domain != "kubernetes.io" and not domain.endswith(".kubernetes.io")
