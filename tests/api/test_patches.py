"""patch: four forms, one update."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .server import Server
from .test_writes import DEPLOYMENTS, MAPS, fresh, owners

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"


def applied(name: str = "web", **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def test_a_strategic_patch_meets_containers_by_name(server: Server) -> None:
    await server.client.create("deployments.apps", fresh("deployments.apps"))
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}
    changed = await server.client.patch("deployments.apps", "tested", patch, kind="strategic", namespace="default")
    (container,) = changed["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["terminationMessagePath"]) == ("web:2", "/dev/termination-log")


async def test_a_patch_may_insist_on_a_version(server: Server) -> None:
    made = await server.client.create("configmaps", fresh("configmaps"))
    version = made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": version}, "data": {"b": "2"}}
    await server.client.patch("configmaps", "tested", patch, namespace="default")
    with pytest.raises(errors.Conflict):
        await server.client.patch("configmaps", "tested", {**patch, "data": {"c": "3"}}, namespace="default")


@pytest.mark.parametrize(
    ("media", "body", "query", "status", "told"),
    [
        ("application/json", {}, {}, 415, "application/json-patch+json, application/merge-patch+json"),
        (MERGE, {"data": {"a": 1}}, {}, 422, "cannot unmarshal number"),
        (MERGE, {"datum": {}}, {"fieldValidation": "Strict"}, 422, 'strict decoding error: unknown field "datum"'),
        (MERGE, {}, {"force": "true"}, 422, "force: Forbidden: may not be specified for non-apply patch"),
        (MERGE, [], {}, 400, "cannot unmarshal array"),
        (MERGE, {"kind": "Pod"}, {}, 400, "a patch may not change kind"),
        (MERGE, {"metadata": {"name": "b"}}, {}, 400, "does not match the name on the URL"),
        (APPLY, {}, {}, 422, "fieldManager: Required value: is required for apply patch"),
    ],
)
async def test_a_patch_that_cannot_be_is_refused(
    server: Server, media: str, body: object, query: dict[str, str], *, status: int, told: str
) -> None:
    await server.client.create("configmaps", fresh("configmaps"))
    refused = await server.json("PATCH", f"{MAPS}/tested", body, content_type=media, query=query)
    assert (refused["code"], told in refused["message"]) == (status, True), refused


async def test_only_an_apply_creates_what_is_not_there(server: Server) -> None:
    assert (await server.http("PATCH", f"{MAPS}/web", {}, content_type=MERGE)).status == 404
    query = {"fieldManager": "me"}
    answer = await server.http("PATCH", f"{MAPS}/web", applied(a="1"), content_type=APPLY, query=query)
    assert answer.status == 201
    made = await server.client.get("configmaps", "web", "default")
    assert owners(made) == {("me", "Apply", ""): {"f:data": {"f:a": {}}}}


async def test_appliers_share_an_object_and_do_not_take_from_each_other(server: Server) -> None:
    async def apply(manager: str, force: str = "", **data: str) -> Obj:
        query = {"fieldManager": manager} | ({"force": force} if force else {})
        return await server.json("PATCH", f"{MAPS}/web", applied(**data), content_type=APPLY, query=query)

    await apply("one", a="1", b="1")
    assert (await apply("two", c="1"))["data"] == {"a": "1", "b": "1", "c": "1"}
    refused = await apply("two", c="1", a="2")
    assert refused["message"] == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert refused["details"]["causes"][0]["reason"] == "FieldManagerConflict"
    assert (await apply("two", "true", c="1", a="2"))["data"] == {"a": "2", "b": "1", "c": "1"}
    assert (await apply("two", "true", c="1"))["data"] == {"b": "1", "c": "1"}


async def test_applying_the_same_again_writes_nothing(server: Server) -> None:
    body = {**fresh("deployments.apps"), "metadata": {"name": "web"}}
    query = {"fieldManager": "me"}
    first = await server.json("PATCH", f"{DEPLOYMENTS}/web", body, content_type=APPLY, query=query)
    await server.clock.advance(60)
    assert await server.json("PATCH", f"{DEPLOYMENTS}/web", body, content_type=APPLY, query=query) == first


async def test_defaults_belong_to_nobody_who_applies(server: Server) -> None:
    body = {**fresh("deployments.apps"), "metadata": {"name": "web"}}
    made = await server.json("PATCH", f"{DEPLOYMENTS}/web", body, content_type=APPLY, query={"fieldManager": "me"})
    assert made["spec"]["replicas"] == 1
    assert "f:replicas" not in owners(made)["me", "Apply", ""]["f:spec"]


# ── the same object in two versions ──────────────────────────────────────────────────────────────────────


async def test_an_autoscaler_of_v1_is_one_of_v2(server: Server) -> None:
    v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {
        "metadata": {"name": "web"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 50},
    }
    made = await server.json("POST", v1, body)
    assert (made["apiVersion"], made["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 50)
    stored = await server.client.get("horizontalpodautoscalers.autoscaling", "web", "default")
    assert stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 50
    patch = {"spec": {"targetCPUUtilizationPercentage": 70}}
    changed = await server.json("PATCH", f"{v1}/web", patch, content_type=MERGE)
    assert changed["spec"]["targetCPUUtilizationPercentage"] == 70
    (listed,) = (await server.json("GET", v1))["items"]
    assert listed["spec"]["targetCPUUtilizationPercentage"] == 70
    (event,) = await server.frames(v1, 1)
    assert event["object"] == changed


async def test_an_event_is_found_by_the_names_of_either_group(server: Server) -> None:
    await server.client.create("events", fresh("events"))
    newer = "/apis/events.k8s.io/v1/namespaces/default/events"
    (found,) = (await server.json("GET", newer, query={"fieldSelector": "regarding.name=web"}))["items"]
    assert found["regarding"]["name"] == "web"
    refused = await server.json("GET", newer, query={"fieldSelector": "involvedObject.name=web"})
    assert refused["message"] == "field label not supported: involvedObject.name"
