from __future__ import annotations

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

from . import workloads

RESOURCE = "horizontalpodautoscalers.autoscaling"


def deployment(cpu: str) -> Obj:
    """One whose pods are said to use ``cpu``."""
    made = workloads.deployment(replicas=1)
    template = made["spec"]["template"]
    template["metadata"]["annotations"] = {"pybernetes.io/usage-cpu": cpu}
    template["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
    return made


def autoscaler(least: int, most: int) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    bounds = {"minReplicas": least, "maxReplicas": most}
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": target, **bounds, "metrics": [{"type": "Resource", "resource": cpu}]},
    }  # fmt: skip


async def test_a_deployment_follows_what_its_pods_are_said_to_use() -> None:
    clock = VirtualClock()
    async with Cluster(nodes=2, clock=clock) as cluster:
        await cluster.create("deployments.apps", deployment("90m"))
        await cluster.until("deployments.apps", "web", workloads.is_ready(1))
        await cluster.create(RESOURCE, autoscaler(2, 3))
        await cluster.until("deployments.apps", "web", workloads.is_ready(2))
        await clock.advance(60)
        await cluster.until("deployments.apps", "web", workloads.is_ready(3))
        told = await cluster.until_events("web", "SuccessfulRescale", lambda told: len(told) == 2)
        assert told == [
            "New size: 2; reason: Current number of replicas below Spec.MinReplicas",
            "New size: 3; reason: cpu resource utilization (percentage of request) above target",
        ]
        found = await cluster.client.get(RESOURCE, "web", "default")
        assert (objects.condition(found, "ScalingLimited") or {})["reason"] == "TooManyReplicas"

        await cluster.patch("deployments.apps", "web", {"spec": deployment("0")["spec"] | {"replicas": 3}})
        await cluster.until("deployments.apps", "web", workloads.is_rolled_out)
        await clock.advance(200)
        assert objects.get(await cluster.client.get("deployments.apps", "web", "default"), "spec", "replicas") == 3
        await clock.advance(200)
        await cluster.until("deployments.apps", "web", workloads.is_ready(2))
