"""The official Python client works on the fixture's cluster as on any other."""

import pytest
from kubernetes import client, watch

WEB = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "web", "image": "nginx:1.27"}],
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "kubernetes.io/hostname",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "labelSelector": {"matchLabels": {"app": "web"}},
                    }
                ],
            },
        },
    },
}


@pytest.mark.cluster(nodes=3)
def test_a_deployment_spreads_over_the_nodes(cluster):
    api = cluster.official()
    apps, core = client.AppsV1Api(api), client.CoreV1Api(api)
    apps.create_namespaced_deployment("default", WEB)
    for event in watch.Watch().stream(apps.list_namespaced_deployment, "default", timeout_seconds=20):
        if event["object"].status.available_replicas == 3:
            break
    pods = core.list_namespaced_pod("default", label_selector="app=web").items
    assert len({pod.spec.node_name for pod in pods}) == 3


def test_every_test_has_a_cluster_of_its_own(cluster):
    assert client.AppsV1Api(cluster.official()).list_namespaced_deployment("default").items == []
