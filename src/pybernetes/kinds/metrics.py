"""Rows of the metrics APIs, which are answered and never stored: what nodes and pods use, as ``kubectl top`` asks.

Neighbours: ``server/metrics`` answers them and adds these rows to the table of the server that does.
"""

from __future__ import annotations

from typing import Any, Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import READ_ONLY
from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj

GROUP: Final = "metrics.k8s.io"
VERSION: Final = "v1beta1"


def _total(resource: str) -> Any:
    """The sum over a pod's containers, or what a node says of itself."""

    def value(obj: Obj) -> str:
        usages = [c.get("usage") for c in obj.get("containers", ())] or [obj.get("usage")]
        amounts = [quantity.parse(usage[resource]) for usage in usages if usage]
        if resource == "cpu":
            return f"{sum(map(quantity.milli, amounts))}m"
        return f"{sum(map(quantity.value, amounts)) >> 20}Mi"

    return value


_COLUMNS: Final = (
    cell.NAME,
    cell.computed("CPU", _total("cpu")),
    cell.computed("Memory", _total("memory")),
    cell.computed("Window", lambda obj: objects.get(obj, "window", default="")),
)


def _row(kind: str, plural: str, *, namespaced: bool) -> Kind:
    return Kind(
        group=GROUP, version=VERSION, kind=kind, plural=plural, singular="", namespaced=namespaced, definition="",
        verbs=READ_ONLY, columns=_COLUMNS,
    )  # fmt: skip


NODES: Final = _row("NodeMetrics", "nodes", namespaced=False)
PODS: Final = _row("PodMetrics", "pods", namespaced=True)
KINDS: Final = (NODES, PODS)
