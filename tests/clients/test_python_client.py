"""The official Python client does a day's work."""

import uuid
from collections.abc import Iterator

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from pybernetes.testing.command import Command


@pytest.fixture
def api(cluster: Command) -> client.ApiClient:
    return config.new_client_from_config(str(cluster.kubeconfig))


@pytest.fixture
def namespace(api: client.ApiClient) -> Iterator[str]:
    core = client.CoreV1Api(api)
    name = f"py-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name)


def test_create_watch_patch_and_delete(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    before = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    core.patch_namespaced_config_map("c", namespace, {"data": {"b": "2"}})
    core.delete_namespaced_config_map("c", namespace)
    seen = []
    for event in watch.Watch().stream(
        core.list_namespaced_config_map, namespace, resource_version=before,
        field_selector="metadata.name=c", timeout_seconds=20,
    ):  # fmt: skip
        seen.append(event["type"])
        if event["type"] == "DELETED":
            break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_a_deployment_becomes_available(api: client.ApiClient, namespace: str) -> None:
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment(
        namespace,
        {
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "web:1"}]},
                },
            },
        },
    )
    for event in watch.Watch().stream(apps.list_namespaced_deployment, namespace, timeout_seconds=30):
        if event["object"].status.available_replicas == 2:
            return
    raise AssertionError("the Deployment did not become available")


def test_a_stale_update_is_a_conflict(api: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    core.patch_namespaced_config_map("c", namespace, {"data": {"a": "2"}})
    with pytest.raises(ApiException) as refusal:
        core.replace_namespaced_config_map("c", namespace, made)
    assert refusal.value.status == 409
    assert "the object has been modified" in refusal.value.body
