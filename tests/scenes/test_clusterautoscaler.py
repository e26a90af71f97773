from __future__ import annotations

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.testing.cluster import Cluster

from . import workloads

GROUP = "{min: 0, max: 2, capacity: {cpu: 4, memory: 8Gi}}"


async def test_a_node_comes_for_a_pod_and_goes_when_the_pod_can_move() -> None:
    clock = VirtualClock()
    async with Cluster(nodes=1, clock=clock) as cluster:
        await cluster.client.patch("nodes", "node-1", {"spec": {"unschedulable": True}})
        metadata = {"name": "cluster-autoscaler-groups", "namespace": "kube-system"}
        groups = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"small": GROUP}}
        await cluster.create("configmaps", groups)
        await cluster.create("deployments.apps", workloads.deployment(replicas=1))
        await cluster.until("nodes", "small-1", bool, namespace="")
        await cluster.client.patch("nodes", "small-1", {"spec": {"podCIDR": "10.250.0.0/24"}})
        await cluster.until("nodes", "small-1", lambda node: objects.condition_is(node, "Ready"), namespace="")
        await clock.advance(30)
        (pod,) = await cluster.until_all("pods", lambda pods: all(objects.condition_is(p, "Ready") for p in pods))
        assert pod["spec"]["nodeName"] == "small-1"

        await cluster.client.patch("nodes", "node-1", {"spec": {"unschedulable": None}})
        await clock.advance(700)
        await cluster.until_gone("nodes", "small-1", namespace="")
        (moved,) = await cluster.list("pods")
        assert moved["spec"]["nodeName"] == "node-1"
