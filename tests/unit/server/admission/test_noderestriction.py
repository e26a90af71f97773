"""A node's agent writes about its own."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission import noderestriction
from pybernetes.server.admission.attributes import Verb
from pybernetes.server.admission.table import Admission
from pybernetes.server.context import User

from ..build import JANE, Cluster, named

AGENT = User("system:node:n1", groups=("system:nodes", "system:authenticated"))
MIRROR = {"kubernetes.io/config.mirror": "hash"}


def pod(node: str = "n1", **meta: Any) -> Obj:
    return {"metadata": {"name": "p", "namespace": "ns", **meta}, "spec": {"nodeName": node}}


def owner(**more: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "uid-of-n1", "controller": True, **more}


async def refusal(
    verb: Verb, resource: str, obj: Obj | None, *, old: Obj | None = None, subresource: str = "", user: User = AGENT,
    **more: str,
) -> str:  # fmt: skip
    made = Cluster()
    await made.put("nodes", named("n1"))
    await made.put("pods", {**pod(), "metadata": {"name": "p", "namespace": "ns", "uid": "u"}})
    admission = Admission(made.world, noderestriction.PLUGINS)
    try:
        await admission.validate(made.write(verb, resource, obj, old=old, user=user, subresource=subresource, **more))
    except errors.ApiError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("obj", "told"),
    [
        (pod(), 'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods'),
        (pod("n2", annotations=MIRROR), 'node "n1" can only create pods with spec.nodeName set to itself'),
        (pod(annotations=MIRROR), 'node "n1" can only create pods with an owner reference set to itself'),
        (pod(annotations=MIRROR, ownerReferences=[owner(uid="other")]), "node n1 UID mismatch"),
        (pod(annotations=MIRROR, ownerReferences=[owner(controller=False)]), "a controller owner reference set to"),
        (pod(annotations=MIRROR, ownerReferences=[owner()]), ""),
    ],
)
async def test_an_agent_creates_mirrors_of_its_own_pods_only(obj: Obj, told: str) -> None:
    refused = await refusal("create", "pods", obj)
    assert told in refused
    assert bool(told) == bool(refused)


async def test_an_agent_writes_of_the_pods_on_its_node_only() -> None:
    assert await refusal("update", "pods", pod(), old=pod(), subresource="status") == ""
    assert "can only update pod status for pods with spec.nodeName set to itself" in (
        await refusal("update", "pods", pod("n2"), old=pod("n2"), subresource="status")
    )
    assert "cannot update labels" in (
        await refusal("update", "pods", pod(labels={"a": "b"}), old=pod(), subresource="status")
    )
    assert await refusal("delete", "pods", None, old=pod(), name="p") == ""
    assert "can only delete pods" in await refusal("delete", "pods", None, old=pod("n2"), name="p")
    assert "unexpected operation" in await refusal("update", "pods", pod(), old=pod())
    assert await refusal("create", "pods", {}, subresource="eviction", namespace="ns", name="p") == ""


@pytest.mark.parametrize(
    ("new", "old", "told"),
    [
        (named("n2"), None, 'node "n1" is not allowed to modify node "n2"'),
        (
            named("n1", spec={"taints": []}),
            named("n1", spec={"taints": [{"key": "a"}]}),
            "not allowed to modify taints",
        ),
        ({"metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/master": ""}}}, None, "the following labels"),
        (
            {"metadata": {"name": "n1", "labels": {"x.node-restriction.kubernetes.io/a": ""}}},
            named("n1"),
            "modify labels",
        ),
        ({"metadata": {"name": "n1", "labels": {"kubernetes.io/os": "linux", "mine": "1"}}}, None, ""),
    ],
)
async def test_an_agent_writes_of_its_own_node_and_not_everything(new: Obj, old: Obj | None, told: str) -> None:
    refused = await refusal("update" if old else "create", "nodes", new, old=old)
    assert told in refused
    assert bool(told) == bool(refused)


async def test_an_agent_gets_tokens_for_pods_of_its_node() -> None:
    bound = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    more = {"subresource": "token", "namespace": "ns", "name": "default"}
    assert await refusal("create", "serviceaccounts", {"spec": {"boundObjectRef": bound}}, **more) == ""
    assert "not bound to a pod" in await refusal("create", "serviceaccounts", {"spec": {}}, **more)
    other = {"spec": {"boundObjectRef": {**bound, "uid": "other"}}}
    assert "does not match the UID in record" in await refusal("create", "serviceaccounts", other, **more)


async def test_an_agent_renews_its_own_lease() -> None:
    leases = "leases.coordination.k8s.io"
    assert await refusal("create", leases, named("n1", "kube-node-lease")) == ""
    assert "same name as the requesting node" in await refusal("create", leases, named("n2", "kube-node-lease"))
    assert "can only access leases in" in await refusal("create", leases, named("n1", "default"))


async def test_nobody_else_is_concerned() -> None:
    assert await refusal("create", "nodes", named("n2"), user=JANE) == ""
