"""RuntimeClass: what a class of runtimes costs, and where it can be had, becomes part of the pods that want it.

Source: plugin/pkg/admission/runtimeclass.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.quota import amounts
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

_DIFFERS: Final = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


async def admit(world: World, a: Attributes) -> None:
    """Raises Forbidden."""
    found = _class(world, a)
    if found is None or a.obj is None:
        return
    spec: Obj = a.obj["spec"]
    if overhead := objects.get(found, "overhead", "podFixed"):
        if spec.get("overhead") is not None and amounts.parse(spec["overhead"]) != amounts.parse(overhead):
            raise forbidden(a, _DIFFERS)
        spec["overhead"] = dict(overhead)
    if scheduling := found.get("scheduling"):
        _steer(a, spec, scheduling)


def _steer(a: Attributes, spec: Obj, scheduling: Obj) -> None:
    selector: Obj = spec.get("nodeSelector") or {}
    wanted: Obj = scheduling.get("nodeSelector") or {}
    for key, value in wanted.items():
        if selector.get(key, value) != value:
            there = f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            raise forbidden(a, f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; {there}")
    if wanted:
        spec["nodeSelector"] = {**selector, **wanted}
    tolerations = list(spec.get("tolerations") or ())
    more = [dict(t) for t in scheduling.get("tolerations") or () if t not in tolerations]
    if more:
        spec["tolerations"] = tolerations + more


async def validate(world: World, a: Attributes) -> None:
    """Raises Forbidden for an overhead that no class has told of."""
    overhead = (a.obj or {})["spec"].get("overhead") if a.obj is not None else None
    found = _class(world, a)
    wanted = objects.get(found, "overhead", "podFixed") if found is not None else None
    if wanted:
        if amounts.parse(overhead) != amounts.parse(wanted):
            raise forbidden(a, _DIFFERS)
    elif overhead is not None:
        raise forbidden(a, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")


def _class(world: World, a: Attributes) -> Obj | None:
    name = objects.get(a.obj, "spec", "runtimeClassName")
    if name is None:
        return None
    found = world.live.get("node.k8s.io", "runtimeclasses", "", name)
    if found is None:
        raise forbidden(a, f'pod rejected: RuntimeClass "{name}" not found')
    return found


PLUGIN: Final = Plugin(name="RuntimeClass", verbs=("create",), resources=("pods",), admit=admit, validate=validate)
