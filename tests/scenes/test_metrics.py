from __future__ import annotations

import pytest

from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

METRICS = "/apis/metrics.k8s.io/v1beta1"
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default"


def pod(name: str) -> Obj:
    metadata = {"name": name, "namespace": "default", "labels": {"app": name}, "annotations": dict[str, str]()}
    requests = {"cpu": "100m", "memory": "64Mi"}
    container = {"name": "main", "image": "web:v1", "resources": {"requests": requests}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}


async def run(cluster: Cluster, obj: Obj) -> None:
    await cluster.create("pods", obj)
    await cluster.until("pods", objects.name(obj), lambda found: objects.condition_is(found, "Ready"))


async def test_simulated_pods_and_nodes_tell_what_they_use(cluster: Cluster) -> None:
    busy = pod("busy")
    busy["metadata"]["annotations"]["pybernetes.io/usage-cpu"] = "1500m"
    await run(cluster, busy)
    await run(cluster, pod("calm"))
    told = await cluster.client.look(f"{METRICS}/namespaces/default/pods", {"labelSelector": "app=busy"})
    (found,) = told["items"]
    assert found["containers"] == [{"name": "main", "usage": {"cpu": "1500000000n", "memory": "65536Ki"}}]
    calm = await cluster.client.look(f"{METRICS}/namespaces/default/pods/calm", {})
    assert (calm["kind"], calm["containers"][0]["usage"]["cpu"]) == ("PodMetrics", "100000000n")
    nodes = await cluster.client.look(f"{METRICS}/nodes", {})
    cores = sum(int(node["usage"]["cpu"].removesuffix("n")) for node in nodes["items"])
    assert (len(nodes["items"]), cores) == (2, 1_600_000_000)
    with pytest.raises(errors.NotFound, match='"default/none" not found'):
        await cluster.client.look(f"{METRICS}/namespaces/default/pods/none", {})


async def test_annotations_are_custom_metrics(cluster: Cluster) -> None:
    for name, rate in (("a", "10"), ("b", "500m")):
        made = pod(name)
        made["metadata"]["annotations"]["metrics.pybernetes.io/rps"] = rate
        await cluster.create("pods", made)
    told = await cluster.client.look(f"{CUSTOM}/pods/*/rps", {})
    values = {item["describedObject"]["name"]: item["value"] for item in told["items"]}
    assert values == {"a": "10", "b": "500m"}
    one = await cluster.client.look(f"{CUSTOM}/pods/a/rps", {})
    assert [item["value"] for item in one["items"]] == ["10"]
    with pytest.raises(errors.NotFound, match="could not find the metric errors for pods"):
        await cluster.client.look(f"{CUSTOM}/pods/*/errors", {})


async def test_keys_of_marked_config_maps_are_external_metrics(cluster: Cluster) -> None:
    labels = {"metrics.pybernetes.io/external": "true", "queue": "mail"}
    metadata = {"name": "queues", "namespace": "default", "labels": labels}
    await cluster.create(
        "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"length": "30"}}
    )
    told = await cluster.client.look(f"{EXTERNAL}/length", {"labelSelector": "queue=mail"})
    assert [(item["value"], item["metricLabels"]) for item in told["items"]] == [("30", {"queue": "mail"})]
    assert (await cluster.client.look(f"{EXTERNAL}/length", {"labelSelector": "queue=other"}))["items"] == []
