"""What hangs below an object: scale, binding, eviction, tokens, approval; and questions that are never stored."""

from __future__ import annotations

import pytest

from pybernetes.kinds import table
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, condition, evolve

from .server import Server
from .test_deletion import running_pod
from .test_writes import fresh

SCALABLE = [row.resource for row in table.builtin() if "scale" in row.subresources]


@pytest.mark.parametrize("resource", SCALABLE)
async def test_whatever_has_replicas_is_scaled_alike(server: Server, resource: str) -> None:
    await server.client.create(resource, fresh(resource))
    scale = await server.client.get(resource, "tested", "default", "scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 0, "selector": "app=web"})
    wanted = await server.client.update(resource, evolve(scale, ("spec", "replicas"), 3), subresource="scale")
    assert wanted["spec"] == {"replicas": 3}
    patched = await server.client.patch(resource, "tested", {"spec": {"replicas": 4}}, namespace="default",
                                        subresource="scale")  # fmt: skip
    assert int(patched["metadata"]["resourceVersion"]) > int(wanted["metadata"]["resourceVersion"])
    workload = await server.client.get(resource, "tested", "default")
    assert (workload["spec"]["replicas"], workload["metadata"]["generation"]) == (4, 3)


async def test_a_scale_knows_conflicts_and_has_no_negative_replicas(server: Server) -> None:
    await server.client.create("deployments.apps", fresh("deployments.apps"))
    scale = await server.client.get("deployments.apps", "tested", "default", "scale")
    await server.client.update("deployments.apps", evolve(scale, ("spec", "replicas"), 3), subresource="scale")
    with pytest.raises(errors.Conflict):
        await server.client.update("deployments.apps", evolve(scale, ("spec", "replicas"), 4), subresource="scale")
    fewer = evolve(evolve(scale, ("spec", "replicas"), -1), ("metadata", "resourceVersion"), "")
    with pytest.raises(
        errors.Invalid, match=r'Scale.autoscaling "tested" is invalid: spec.replicas: Invalid value: -1'
    ):
        await server.client.update("deployments.apps", fewer, subresource="scale")


# ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_pod_is_bound_once(server: Server) -> None:
    pod = await running_pod(server)
    assert pod["spec"]["nodeName"] == "node-1"
    assert (condition(pod, "PodScheduled") or {})["status"] == "True"
    with pytest.raises(
        errors.Conflict, match=r'pods/binding "tested": pod tested is already assigned to node "node-1"'
    ):
        await bind(server, {"metadata": {"name": "tested"}, "target": {"kind": "Node", "name": "node-2"}})


async def bind(server: Server, binding: Obj) -> None:
    await server.client.create("pods", binding, parent="tested", subresource="binding", in_namespace="default")


async def test_a_binding_carries_annotations_and_may_be_posted_by_itself(server: Server) -> None:
    await server.client.create("pods", fresh("pods"))
    meta = {"name": "tested", "namespace": "default", "annotations": {"a": "b"}}
    answer = await server.http("POST", "/api/v1/namespaces/default/bindings",
                               {"metadata": meta, "target": {"name": "node-1"}})  # fmt: skip
    assert answer.status == 201
    pod = await server.client.get("pods", "tested", "default")
    assert (pod["metadata"]["annotations"], pod["spec"]["nodeName"]) == ({"a": "b"}, "node-1")


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        ({"target": {"kind": "Node"}}, "target.name: Required value"),
        ({"target": {"kind": "Host", "name": "n"}}, 'target.kind: Unsupported value: "Host"'),
        ({"metadata": {"uid": "x"}, "target": {"name": "n"}}, "Precondition failed: UID in precondition: x"),
    ],
)
async def test_a_binding_that_cannot_be_is_refused(server: Server, binding: Obj, told: str) -> None:
    await server.client.create("pods", fresh("pods"))
    with pytest.raises(errors.ApiError, match=told):
        await bind(server, binding)


async def evict(server: Server) -> None:
    await server.client.create("pods", {"metadata": {"name": "tested"}}, parent="tested", subresource="eviction",
                               in_namespace="default")  # fmt: skip


async def test_an_eviction_is_a_deletion_with_grace(server: Server) -> None:
    await running_pod(server)
    await evict(server)
    assert (await server.client.get("pods", "tested", "default"))["metadata"]["deletionGracePeriodSeconds"] == 30


async def test_a_disruption_budget_counts_evictions_and_then_refuses_them(server: Server) -> None:
    pod = await running_pod(server, labels={"app": "web"})
    await ready(server, pod)
    await server.client.create("poddisruptionbudgets.policy", fresh("poddisruptionbudgets.policy"))
    with pytest.raises(
        errors.TooManyRequests, match="Cannot evict pod as it would violate the pod's disruption budget"
    ):
        await evict(server)
    status = {
        "disruptionsAllowed": 1,
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "expectedPods": 2,
        "observedGeneration": 1,
    }
    await server.client.patch("poddisruptionbudgets.policy", "tested", {"status": status}, namespace="default",
                              subresource="status")  # fmt: skip
    await evict(server)
    budget = await server.client.get("poddisruptionbudgets.policy", "tested", "default")
    assert budget["status"]["disruptionsAllowed"] == 0
    assert list(budget["status"]["disruptedPods"]) == ["tested"]


async def ready(server: Server, pod: Obj) -> None:
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    await server.client.patch("pods", "tested", {"status": status}, namespace="default", subresource="status")


async def test_ephemeral_containers_have_a_door_of_their_own(server: Server) -> None:
    await running_pod(server)
    patch = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}
    with pytest.raises(errors.Invalid):
        await server.client.patch("pods", "tested", patch, kind="strategic", namespace="default")
    pod = await server.client.patch("pods", "tested", patch, kind="strategic", namespace="default",
                                    subresource="ephemeralcontainers")  # fmt: skip
    assert [container["name"] for container in pod["spec"]["ephemeralContainers"]] == ["debug"]


async def test_a_pod_is_resized_by_its_own_door(server: Server) -> None:
    pod = await running_pod(server)
    (container,) = pod["spec"]["containers"]
    larger = {**container, "image": "other", "resources": {"requests": {"cpu": "2"}}}
    resized = await server.client.update("pods", evolve(pod, ("spec", "containers"), [larger]), subresource="resize")
    (after,) = resized["spec"]["containers"]
    assert (after["image"], after["resources"]) == ("web:1", {"requests": {"cpu": "2"}})


# ── certificates, tokens and reviews ─────────────────────────────────────────────────────────────────────


async def test_a_signing_request_names_its_requester_and_is_approved_by_a_door(server: Server) -> None:
    resource = "certificatesigningrequests.certificates.k8s.io"
    csr = fresh(resource)
    made = await server.client.create(resource, {**csr, "spec": {**csr["spec"], "username": "somebody-else"}})
    assert made["spec"]["username"] == "admin"
    assert "system:masters" in made["spec"]["groups"]
    approved = {"type": "Approved", "status": "True", "reason": "ByHand", "message": ""}
    after = await server.client.update(resource, {**made, "status": {"conditions": [approved]}}, subresource="approval")
    assert (condition(after, "Approved") or {})["reason"] == "ByHand"


async def test_a_token_is_made_for_an_account_that_is_there(server: Server) -> None:
    async def token(name: str) -> Obj:
        return await server.client.create("serviceaccounts", {"spec": {"expirationSeconds": 600}}, parent=name,
                                          subresource="token", in_namespace="default")  # fmt: skip

    assert (await token("default"))["status"]["token"].count(".") == 2
    with pytest.raises(errors.NotFound, match='serviceaccounts "nobody" not found'):
        await token("nobody")


async def test_a_review_is_answered_and_not_stored(server: Server) -> None:
    before = server.cache.revision
    asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}
    answer = await server.json("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)
    assert answer["status"]["allowed"] is True
    assert server.cache.revision == before


async def test_what_leads_to_a_node_is_handed_on(server: Server) -> None:
    await server.client.create("pods", fresh("pods"))
    answer = await server.json("GET", "/api/v1/namespaces/default/pods/tested/log")
    assert answer["message"] == "this API server has no way to the nodes"
    assert (await server.http("PUT", "/api/v1/namespaces/default/pods/tested/log")).status == 405
