"""A pod's quality-of-service class (pkg/apis/core/v1/helper/qos)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.meta import quantity
from pybernetes.meta.objects import Obj

_RESOURCES: Final = ("cpu", "memory")


def qos_class(spec: Obj) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``: from the cpu and memory of all containers but ephemeral ones.

    ``spec`` has its defaults: requests that follow from limits are written out.
    """
    budgets = [c.get("resources") or {} for c in defaults.containers(spec, "containers", "initContainers")]
    if pod_level := spec.get("resources"):
        budgets = [pod_level]
    if not any(_amounts(budget, side) for budget in budgets for side in ("requests", "limits")):
        return "BestEffort"
    return "Guaranteed" if all(_is_guaranteed(budget) for budget in budgets) else "Burstable"


def _is_guaranteed(budget: Obj) -> bool:
    limits = _amounts(budget, "limits")
    return len(limits) == len(_RESOURCES) and limits == _amounts(budget, "requests")


def _amounts(budget: Obj, side: str) -> dict[str, object]:
    """What is said of cpu and memory; zero says nothing."""
    given = budget.get(side) or {}
    parsed = {name: quantity.parse(given[name]) for name in _RESOURCES if given.get(name) is not None}
    return {name: amount for name, amount in parsed.items() if amount > 0}
