"""TaintNodesByCondition: a new node takes no pods before it is known to be ready.

Source: plugin/pkg/admission/nodetaint. The node controller takes the taint away; a node that says already at its
creation that it is ready goes without it, since it would be taken away at once.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.plugin import Plugin, World

_TAINT: Final = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


async def admit(world: World, a: Attributes) -> None:
    """Add the taint where it is missing."""
    if a.obj is None or objects.condition_is(a.obj, "Ready"):
        return
    spec: Obj = a.obj.setdefault("spec", {})
    there = list(spec.get("taints") or ())
    if not any((taint.get("key"), taint.get("effect")) == (_TAINT["key"], _TAINT["effect"]) for taint in there):
        spec["taints"] = [*there, dict(_TAINT)]


PLUGIN: Final = Plugin(name="TaintNodesByCondition", verbs=("create",), resources=("nodes",), admit=admit)
