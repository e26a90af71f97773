"""PodTopologyLabels: a pod that is bound gets the zone and region of its node as labels of its own (KEP-4742).

Source: plugin/pkg/admission/podtopologylabels. The binding's labels become the pod's.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.plugin import Plugin, World

_LABELS: Final = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


async def admit(world: World, a: Attributes) -> None:
    """Add the labels to the binding."""
    if a.obj is None:
        return
    node = world.live.get("", "nodes", "", str(objects.get(a.obj, "target", "name", default="")))
    found = {key: value for key, value in objects.labels(node or {}).items() if key in _LABELS}
    if found:
        metadata: Obj = a.obj.get("metadata") or {}
        a.obj["metadata"] = {**metadata, "labels": {**found, **(metadata.get("labels") or {})}}


PLUGIN: Final = Plugin(
    name="PodTopologyLabels", verbs=("create",), resources=("pods",), subresources=("binding",), admit=admit
)
