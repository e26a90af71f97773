"""Two versions of a kind say the same."""

from __future__ import annotations

from typing import Any

from pybernetes.kinds import convert


def resource_metric(name: str, target: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


HPA: dict[str, Any] = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "h"},
    "spec": {
        "maxReplicas": 3,
        "metrics": [
            resource_metric("cpu", {"type": "Utilization", "averageUtilization": 80}),
            resource_metric("memory", {"type": "AverageValue", "averageValue": "1Gi"}),
        ],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
    "status": {
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 10}}}],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    },
}  # fmt: skip


def test_an_autoscaler_survives_the_way_to_v1_and_back() -> None:
    v1 = convert.hpa_to_v1(HPA)
    assert v1["spec"] == {"maxReplicas": 3, "targetCPUUtilizationPercentage": 80}
    assert v1["status"] == {"currentCPUUtilizationPercentage": 10}
    assert convert.hpa_to_v2(v1) == HPA


def test_an_unreadable_annotation_is_dropped() -> None:
    v1 = {
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "h", "annotations": {"autoscaling.alpha.kubernetes.io/metrics": "{"}},
        "spec": {"maxReplicas": 1},
    }
    assert convert.hpa_to_v2(v1)["metadata"] == {"name": "h"}


def test_an_event_is_one_object_under_two_vocabularies() -> None:
    core = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": {"name": "p"}, "message": "m",
        "reportingComponent": "kubelet", "source": {"component": "kubelet"}, "count": 2, "reason": "Pulled",
    }  # fmt: skip
    new = convert.event_from_core(core)
    assert new["regarding"] == {"name": "p"} and new["note"] == "m" and new["deprecatedCount"] == 2
    assert convert.event_to_core(new) == core
