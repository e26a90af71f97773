"""The autoscaler's row: what it asks, what it writes and how it tells why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pybernetes.control.actions import After, Answer, Ask, Event, Look, Update
from pybernetes.controllers.autoscaling import row
from pybernetes.kinds import table
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

from . import build

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}


def hpa(*metrics: Obj, least: int = 1, most: int = 10, status: Obj | None = None, **spec: Any) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    bounds = {"minReplicas": least, "maxReplicas": most}
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": build.metadata("web"),
        "spec": {"scaleTargetRef": target, "metrics": list(metrics or (CPU,)), **bounds, **spec},
        "status": status or {},
    }  # fmt: skip


def scale(replicas: int, told: int | None = None) -> Obj:
    return {
        "kind": "Scale", "metadata": build.metadata("web"), "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": replicas if told is None else told, "selector": "app=web"},
    }  # fmt: skip


def usage(**cores: str) -> Obj:
    return {
        "items": [
            {
                "metadata": {"name": name}, "timestamp": build.ago(0), "window": "15.000s",
                "containers": [{"name": "main", "usage": {"cpu": value}}],
            }
            for name, value in cores.items()
        ]
    }  # fmt: skip


def pod(name: str) -> Obj:
    made = build.pod(name, ready=600)
    made["spec"]["containers"] = [{"name": "main", "resources": {"requests": {"cpu": "100m"}}}]
    made["status"]["startTime"] = build.ago(900)
    return made


class Run:
    """One look at an autoscaler, with answers to what it asks in turn."""

    def __init__(self, found: Obj, *answers: Sequence[Answer], pods: Sequence[Obj] = ()) -> None:
        snapshot = build.Snapshot(**{row.RESOURCE: [found], "pods": pods})
        actions = list(row.controller(table.builtin()).plan(snapshot, build.key(), build.NOW))
        self.asked: list[Any] = []
        for answer in answers:
            (ask,) = actions
            assert isinstance(ask, Ask)
            self.asked += ask.questions
            actions = list(ask.then(answer))
        self.actions = actions

    @property
    def size(self) -> int | None:
        """What the target is scaled to."""
        found = [a.obj["spec"]["replicas"] for a in self.actions if isinstance(a, Update) and a.subresource == "scale"]
        return found[0] if found else None

    @property
    def status(self) -> Obj:
        (found,) = [a.obj["status"] for a in self.actions if isinstance(a, Update) and a.resource == row.RESOURCE]
        return dict(found)

    def condition(self, kind: str) -> tuple[str, str, str]:
        found = objects.condition({"status": self.status}, kind) or {}
        return found["status"], found["reason"], found["message"]

    @property
    def events(self) -> list[tuple[str, str]]:
        told = [a if isinstance(a, Event) else getattr(a, "event", None) for a in self.actions]
        return [(event.reason, event.message) for event in told if event is not None]


def test_a_busy_target_grows_and_says_why() -> None:
    run = Run(hpa(), [scale(2)], [usage(a="100m", b="90m")], pods=[pod("a"), pod("b")])
    assert run.asked == [
        Look("/apis/apps/v1/namespaces/default/deployments/web/scale"),
        Look("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods", {"labelSelector": "app=web"}),
    ]
    assert run.size == 4
    reason = "New size: 4; reason: cpu resource utilization (percentage of request) above target"
    assert run.events == [("SuccessfulRescale", reason)]
    assert run.status["currentMetrics"] == [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 95, "averageValue": "95m"}}}
    ]
    assert (run.status["currentReplicas"], run.status["desiredReplicas"]) == (2, 4)
    assert run.status["lastScaleTime"] == build.ago(0)
    assert run.condition("ScalingActive") == (
        "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from cpu resource "
        "utilization (percentage of request)",
    )  # fmt: skip
    assert run.condition("AbleToScale")[1:] == (
        "SucceededRescale", "the HPA controller was able to update the target scale to 4",
    )  # fmt: skip
    assert run.actions[-1] == After(15.0)


@pytest.mark.parametrize(
    "current, size, why",
    [
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
        (6, 4, "Current number of replicas above Spec.MaxReplicas"),
    ],
)
def test_a_target_out_of_bounds_comes_back_without_any_metric(current: int, size: int, why: str) -> None:
    run = Run(hpa(least=2, most=4), [scale(current)])
    assert run.size == size
    assert run.events == [("SuccessfulRescale", f"New size: {size}; reason: {why}")]


def test_a_target_that_was_scaled_to_zero_is_left_alone() -> None:
    run = Run(hpa(), [scale(0)])
    assert run.size is None
    assert run.condition("ScalingActive") == (
        "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero"
    )  # fmt: skip


def test_from_zero_an_external_metric_wakes_a_target_that_may_be_there() -> None:
    external = {
        "type": "External",
        "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "10"}},
    }
    values = {"items": [{"value": "15"}, {"value": "10"}]}
    run = Run(hpa(external, least=0), [scale(0)], [values])
    assert run.asked[-1] == Look("/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue")
    assert run.size == 3
    assert run.events[0][1] == "New size: 3; reason: external metric queue(nil) above target"


def test_a_target_that_is_not_there_is_told_of() -> None:
    run = Run(hpa(), [errors.NotFound('deployments.apps "web" not found')])
    assert run.events == [("FailedGetScale", 'deployments.apps "web" not found')]
    assert run.condition("AbleToScale") == (
        "False", "FailedGetScale",
        'the HPA controller was unable to get the target\'s current scale: deployments.apps "web" not found',
    )  # fmt: skip


def test_a_metric_that_cannot_be_had_is_told_of_in_upstreams_words() -> None:
    run = Run(hpa(), [scale(2)], [usage()], pods=[pod("a")])
    why = "failed to get cpu utilization: unable to get metrics for resource cpu: "
    why += "no metrics returned from resource metrics API"
    assert run.size is None
    assert run.events == [
        ("FailedGetResourceMetric", why),
        ("FailedComputeMetricsReplicas", "invalid metrics (1 invalid out of 1), first error is: failed to get cpu "
         f"resource metric value: {why}"),
    ]  # fmt: skip
    assert run.condition("ScalingActive") == (
        "False", "FailedGetResourceMetric", f"the HPA was unable to compute the replica count: {why}"
    )  # fmt: skip


def test_the_metric_that_asks_for_most_counts_and_one_that_is_lost_only_keeps_from_shrinking() -> None:
    rate = {
        "type": "Pods",
        "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}},
    }
    pods = [pod("a"), pod("b")]
    rates = {"items": [{"describedObject": {"name": name}, "value": "30"} for name in ("a", "b")]}
    both = Run(hpa(CPU, rate), [scale(2)], [usage(a="100m", b="100m"), rates], pods=pods)
    assert both.asked[-1] == Look(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/rps", {"labelSelector": "app=web"}
    )
    assert (both.size, both.events[0][1]) == (4, "New size: 4; reason: pods metric rps above target")
    lost = errors.NotFound("no")
    assert Run(hpa(CPU, rate), [scale(2)], [usage(a="100m", b="100m"), lost], pods=pods).size == 4
    assert Run(hpa(CPU, rate), [scale(2)], [usage(a="0m", b="0m"), lost], pods=pods).size is None


def test_an_objects_metric_is_asked_of_the_object() -> None:
    described = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"}
    metric = {
        "type": "Object",
        "object": {
            "describedObject": described, "metric": {"name": "rps"}, "target": {"type": "Value", "value": "100"},
        },
    }  # fmt: skip
    run = Run(hpa(metric), [scale(1)], [{"items": [{"value": "300"}]}], pods=[pod("a")])
    path = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/ingresses.networking.k8s.io/main/rps"
    assert run.asked[-1] == Look(path)
    assert run.size == 3
    assert run.events[0][1] == "New size: 3; reason: Ingress metric rps above target"
    assert run.status["currentMetrics"][0]["object"]["current"] == {"value": "300"}


def test_one_containers_usage_counts_for_itself() -> None:
    metric = {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu", "container": "main", "target": {"type": "AverageValue", "averageValue": "50m"},
        },
    }  # fmt: skip
    run = Run(hpa(metric), [scale(1)], [usage(a="150m")], pods=[pod("a")])
    assert (run.size, run.events[0][1]) == (3, "New size: 3; reason: cpu container resource above target")


def test_what_is_told_already_is_not_written() -> None:
    calm = Run(hpa(), [scale(1)], [usage(a="50m")], pods=[pod("a")])
    again = Run(hpa(status=calm.status), [scale(1)], [usage(a="50m")], pods=[pod("a")])
    assert again.actions == [After(15.0)]


def test_its_own_status_wakes_no_autoscaler() -> None:
    keys = row.controller(table.builtin()).inputs[0].keys
    snapshot = build.Snapshot()
    assert list(keys(snapshot, None, hpa())) == [build.key()]
    assert list(keys(snapshot, hpa(), hpa(status={"currentReplicas": 1}))) == []
    assert list(keys(snapshot, hpa(), hpa(most=5))) == [build.key()]
