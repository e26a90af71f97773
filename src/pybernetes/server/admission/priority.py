"""Priority: a pod's number comes from its PriorityClass, never from its author; one class at most is the default.

Source: plugin/pkg/admission/priority.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

_GROUP: Final = "scheduling.k8s.io"
_PREEMPTS: Final = "PreemptLowerPriority"


async def admit_pod(world: World, a: Attributes) -> None:
    """Set ``spec.priority`` and ``spec.preemptionPolicy``. Raises Forbidden."""
    if a.obj is None:
        return
    spec: Obj = a.obj.setdefault("spec", {})
    if a.verb == "update":
        _carry_over(spec, (a.old or {}).get("spec") or {})
        return
    chosen = _chosen(world, a, spec)
    priority = int(chosen.get("value") or 0) if chosen else 0
    policy = str((chosen or {}).get("preemptionPolicy") or _PREEMPTS)
    _refuse_other(a, spec, priority, policy)
    if chosen is not None:
        spec["priorityClassName"] = objects.name(chosen)
    spec["priority"], spec["preemptionPolicy"] = priority, policy


def _carry_over(spec: Obj, old: Obj) -> None:
    """Clients may leave out of an update what they could not choose."""
    for key in ("priority", "preemptionPolicy"):
        if spec.get(key) is None and old.get(key) is not None:
            spec[key] = old[key]


def _chosen(world: World, a: Attributes, spec: Obj) -> Obj | None:
    """The pod's class: the one it names, or the default, if there is one."""
    if name := spec.get("priorityClassName"):
        found = world.live.get(_GROUP, "priorityclasses", "", name)
        if found is None:
            raise forbidden(a, f"no PriorityClass with name {name} was found")
        return found
    defaults = [c for c in world.live.list(_GROUP, "priorityclasses") if c.get("globalDefault")]
    return min(defaults, key=lambda c: int(c.get("value") or 0), default=None)


def _refuse_other(a: Attributes, spec: Obj, priority: int, policy: str) -> None:
    if (said := spec.get("priority")) is not None and said != priority:
        raise forbidden(
            a,
            f"the integer value of priority ({said}) must not be provided in pod spec; priority admission controller"
            f" computed {priority} from the given PriorityClass name",
        )
    if (asked := spec.get("preemptionPolicy")) is not None and asked != policy:
        raise forbidden(
            a,
            f"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; priority admission"
            f" controller computed {policy} from the given PriorityClass name",
        )


async def validate_class(world: World, a: Attributes) -> None:
    """Raises Forbidden for a second default."""
    if a.obj is None or not a.obj.get("globalDefault"):
        return
    for other in world.live.list(_GROUP, "priorityclasses"):
        if other.get("globalDefault") and objects.name(other) != objects.name(a.obj):
            raise forbidden(
                a,
                f"PriorityClass {objects.name(other)} is already marked as default. Only one default can exist",
                [errors.Cause("Forbidden", "only one default can exist", "globalDefault")],
            )


PODS: Final = Plugin(name="Priority", verbs=("create", "update"), resources=("pods",), admit=admit_pod)
CLASSES: Final = Plugin(
    name="Priority", verbs=("create", "update"), resources=(f"priorityclasses.{_GROUP}",), validate=validate_class
)
