"""A node reads what its own pods name, and touches nothing of other nodes."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.server import requestinfo
from pybernetes.server.context import Request, User

from ..build import Cluster

NODE = User("system:node:a", groups=("system:nodes", "system:authenticated"))
OTHER = User("system:node:b", groups=("system:nodes", "system:authenticated"))
NOBODY = "no relationship found between node 'b' and this object"


def pod(name: str = "web", node: str = "a", **spec: Any) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"nodeName": node, "containers": [], **spec}}


def reads(plural: str, name: str = "x") -> str:
    return f"GET /api/v1/namespaces/default/{plural}/{name}"


async def may(cluster: Cluster, user: User, line: str, field: str = "") -> bool:
    method, path = line.split()
    query = {"fieldSelector": (field,), "watch": ("1",)} if field else {}
    info = requestinfo.of(Request(method, path, query))
    return (await cluster.authorizer.decide(user, info)).allowed


SOURCE = {"name": "x"}
CONTAINERS = [{"name": "c", "env": [{"name": "E", "valueFrom": {"secretKeyRef": SOURCE}}]}]


@pytest.mark.parametrize(
    ("spec", "plural"),
    [
        ({"volumes": [{"name": "v", "secret": {"secretName": "x"}}]}, "secrets"),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"secret": SOURCE}]}}]}, "secrets"),
        ({"volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": SOURCE}}]}, "secrets"),
        ({"imagePullSecrets": [SOURCE]}, "secrets"),
        ({"containers": CONTAINERS}, "secrets"),
        ({"initContainers": CONTAINERS}, "secrets"),
        ({"ephemeralContainers": CONTAINERS}, "secrets"),
        ({"containers": [{"name": "c", "envFrom": [{"configMapRef": SOURCE}]}]}, "configmaps"),
        ({"volumes": [{"name": "v", "configMap": SOURCE}]}, "configmaps"),
        ({"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "x"}}]}, "persistentvolumeclaims"),
    ],
)
async def test_what_a_pod_names_is_read_by_its_node_alone(spec: Obj, plural: str) -> None:
    cluster = Cluster()
    await cluster.put("pods", pod(**spec))
    assert await may(cluster, NODE, reads(plural))
    assert not await may(cluster, OTHER, reads(plural))
    assert not await may(cluster, NODE, reads(plural, "y"))
    assert not await may(cluster, NODE, f"GET /api/v1/namespaces/default/{plural}")
    assert not await may(cluster, NODE, reads(plural).replace("GET", "DELETE"))


async def test_the_right_goes_with_the_pod() -> None:
    cluster = Cluster()
    await cluster.put("pods", pod(imagePullSecrets=[SOURCE]))
    assert await may(cluster, NODE, reads("secrets"))
    await cluster.remove("pods", "default", "web")
    assert not await may(cluster, NODE, reads("secrets"))
    await cluster.put("pods", pod(node="b", imagePullSecrets=[SOURCE]))
    assert await may(cluster, OTHER, reads("secrets"))


async def test_one_object_is_watched_by_its_name() -> None:
    cluster = Cluster()
    await cluster.put("pods", pod(imagePullSecrets=[SOURCE]))
    path = "GET /api/v1/namespaces/default/secrets"
    assert await may(cluster, NODE, path, "metadata.name=x")
    assert not await may(cluster, NODE, path, "metadata.name=y")


async def test_the_claim_of_an_ephemeral_volume_and_the_volume_and_secret_behind_it_are_read() -> None:
    cluster = Cluster()
    await cluster.put("pods", pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}]))
    ref = {"namespace": "storage", "name": "x"}
    spec = {"claimRef": {"namespace": "default", "name": "web-v"}, "csi": {"nodeStageSecretRef": ref}}
    await cluster.put("persistentvolumes", {"metadata": {"name": "pv"}, "spec": spec})
    for line in (
        reads("persistentvolumeclaims", "web-v"),
        "GET /api/v1/persistentvolumes/pv",
        "GET /api/v1/namespaces/storage/secrets/x",
    ):
        assert await may(cluster, NODE, line)
        assert not await may(cluster, OTHER, line)


async def test_tokens_are_made_for_accounts_of_own_pods() -> None:
    cluster = Cluster()
    await cluster.put("pods", pod(serviceAccountName="builder"))
    line = "POST /api/v1/namespaces/default/serviceaccounts/builder/token"
    assert await may(cluster, NODE, line)
    assert not await may(cluster, OTHER, line)


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a", True),
        ("PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/b", False),
        ("PUT /apis/coordination.k8s.io/v1/namespaces/default/leases/a", False),
        ("GET /apis/storage.k8s.io/v1/csinodes/a", True),
        ("GET /apis/storage.k8s.io/v1/csinodes/b", False),
        ("PATCH /api/v1/nodes/a/status", True),
        ("GET /api/v1/services", True),
        ("DELETE /api/v1/nodes/a", False),
        ("GET /apis/apps/v1/deployments", False),
    ],
)
async def test_what_is_its_own_and_what_every_node_needs_is_a_nodes_right(line: str, allowed: bool) -> None:
    assert await may(Cluster(), NODE, line) is allowed


async def test_a_refusal_tells_that_there_is_no_relationship_and_rbac_may_grant_more() -> None:
    cluster = Cluster()
    info = requestinfo.of(Request("GET", "/api/v1/namespaces/default/secrets/x"))
    assert (await cluster.authorizer.decide(OTHER, info)).reason == NOBODY
    rbac = "rbac.authorization.k8s.io"
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}]
    await cluster.put(f"clusterroles.{rbac}", {"metadata": {"name": "r"}, "rules": rules})
    ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": "r"}
    subjects = [{"apiGroup": rbac, "kind": "User", "name": "system:node:b"}]
    await cluster.put(f"clusterrolebindings.{rbac}", {"metadata": {"name": "b"}, "roleRef": ref, "subjects": subjects})
    assert (await cluster.authorizer.decide(OTHER, info)).allowed
