"""Which taints a pod puts up with, and for how long (component-helpers/scheduling/corev1, tainteviction)."""

from __future__ import annotations

from collections.abc import Sequence

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def of_pod(pod: Obj) -> Sequence[Obj]:
    found: Sequence[Obj] = objects.get(pod, "spec", "tolerations", default=())
    return found


def taints_of(node: Obj, effect: str) -> Sequence[Obj]:
    """The node's taints of one effect."""
    return [taint for taint in objects.get(node, "spec", "taints", default=()) if taint.get("effect") == effect]


def first(tolerations: Sequence[Obj], taint: Obj) -> Obj | None:
    """The first toleration that tolerates the taint."""
    return next((toleration for toleration in tolerations if tolerates(toleration, taint)), None)


def tolerates(toleration: Obj, taint: Obj) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    operator, value, told = toleration.get("operator") or "Equal", toleration.get("value") or "", taint.get("value")
    if operator == "Exists":
        return True
    if operator in ("Gt", "Lt"):
        return _compares(operator, told or "", value)
    return bool(key) and value == (told or "")


def _compares(operator: str, taint: str, toleration: str) -> bool:
    """Is the taint's number above, or below, the toleration's? What is no number compares with nothing (KEP-5471)."""
    try:
        return int(taint) > int(toleration) if operator == "Gt" else int(taint) < int(toleration)
    except ValueError:
        return False
