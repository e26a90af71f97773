"""Rows of ``autoscaling``: v2 is preferred and stored, v1 is the same objects in v1's form."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import convert
from pybernetes.kinds.columns import workloads
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import autoscaler

_v2 = maker("autoscaling", "v2", "io.k8s.api.autoscaling")
_v1 = maker("autoscaling", "v1", "io.k8s.api.autoscaling")
_ALL = ("all",)

KINDS: Final[tuple[Kind, ...]] = (
    _v2(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        categories=_ALL,
        status=True,
        strategy=autoscaler.STRATEGY,
        columns=workloads.AUTOSCALERS,
    ),
    _v1(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "hpa",
        categories=_ALL,
        status=True,
        storage_of="autoscaling/v2 horizontalpodautoscalers",
        convert=convert.HPA_V1,
        strategy=autoscaler.STRATEGY,
        columns=workloads.AUTOSCALERS_V1,
    ),
)
