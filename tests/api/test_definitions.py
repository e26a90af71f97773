"""Custom resources: defined, served, judged, documented and gone again."""

from __future__ import annotations

import pytest

from pybernetes.meta.objects import Obj

from .definitions import BASE, CRDS, condition, crontab, definition, established, gone, seen
from .server import Server

NAME = "crontabs.stable.example.com"


def told(crd: Obj, type_: str) -> list[tuple[str, str]]:
    return [(c["status"], c["reason"]) for c in crd["status"].get("conditions") or () if c["type"] == type_]


async def test_what_is_defined_is_served_as_soon_as_its_definition_says_so(server: Server) -> None:
    crd = await established(server, definition())
    conditions = {c["type"]: (c["status"], c["reason"]) for c in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": ("True", "NoConflicts"), "Established": ("True", "InitialNamesAccepted")}
    assert crd["status"]["acceptedNames"]["plural"] == "crontabs"
    assert crd["status"]["storedVersions"] == ["v1"]
    created = await server.json("POST", BASE, crontab("a", image="x"))
    assert created["metadata"]["generation"] == 1
    assert (await server.json("GET", f"{BASE}/a"))["spec"] == {"image": "x", "replicas": 1}
    assert [one["metadata"]["name"] for one in (await server.json("GET", BASE))["items"]] == ["a"]


async def test_unknown_fields_are_pruned_warned_of_or_refused(server: Server) -> None:
    await established(server, definition())
    body = crontab("a", image="x", foo=1)
    answer = await server.http("POST", BASE, body)
    assert answer.status == 201
    assert ("Warning", '299 - "unknown field \\"spec.foo\\""') in answer.headers
    assert "foo" not in (await server.json("GET", f"{BASE}/a"))["spec"]
    strict = await server.json("POST", BASE, crontab("b", foo=1), query={"fieldValidation": "Strict"})
    assert strict["code"] == 400
    assert 'strict decoding error: unknown field "spec.foo"' in strict["message"]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"replicas": "3"}, 'Invalid value: "string": spec.replicas in body must be of type integer: "string"'),
        ({"replicas": 11}, "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal "),
        ({"mode": "c"}, 'spec.mode: Unsupported value: "c": supported values: "a", "b"'),
        ({"cronSpec": "a b"}, "spec.cronSpec: Invalid value: \"a b\": spec.cronSpec in body should match '^\\S+$'"),
        ({"replicas": 9, "mode": "a"}, 'spec: Invalid value: "object": mode a has few replicas'),
    ],
)  # fmt: skip
async def test_values_are_judged_in_upstreams_words(server: Server, spec: Obj, complaint: str) -> None:
    await established(server, definition())
    refused = await server.json("POST", BASE, crontab("a", **spec))
    assert refused["code"] == 422
    assert complaint in refused["message"]


async def test_transition_rules_look_at_what_was_before(server: Server) -> None:
    await established(server, definition())
    await server.json("POST", BASE, crontab("a", image="x"))
    merge = "application/merge-patch+json"
    refused = await server.json("PATCH", f"{BASE}/a", {"spec": {"image": "y"}}, content_type=merge)
    assert 'spec.image: Invalid value: "string": the image stays' in refused["message"]
    assert (await server.json("PATCH", f"{BASE}/a", {"spec": {"replicas": 2}}, content_type=merge))["spec"][
        "replicas"
    ] == 2


async def test_status_and_scale_are_doors_of_their_own(server: Server) -> None:
    await established(server, definition())
    created = await server.json("POST", BASE, {**crontab("a"), "status": {"replicas": 7}})
    assert "status" not in created
    await server.json("PUT", f"{BASE}/a/status", {**created, "status": {"replicas": 3, "labelSelector": "app=a"}})
    scale = await server.json("GET", f"{BASE}/a/scale")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 3, "selector": "app=a"})
    scale["spec"]["replicas"] = 5
    await server.json("PUT", f"{BASE}/a/scale", scale)
    found = await server.json("GET", f"{BASE}/a")
    assert (found["spec"]["replicas"], found["status"]["replicas"], found["metadata"]["generation"]) == (5, 3, 2)


async def test_columns_and_selectable_fields_are_the_definitions(server: Server) -> None:
    await established(server, definition())
    for name, mode in (("a", "a"), ("b", "b")):
        await server.json("POST", BASE, crontab(name, mode=mode))
    table = await server.json("GET", BASE, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Mode", "Replicas", "Age"]
    assert [row["cells"][:3] for row in table["rows"]] == [["a", "a", 1], ["b", "b", 1]]
    found = await server.json("GET", BASE, query={"fieldSelector": "spec.mode=b"})
    assert [one["metadata"]["name"] for one in found["items"]] == ["b"]
    assert (await server.json("GET", BASE, query={"fieldSelector": "spec.image=b"}))["code"] == 400


async def test_discovery_and_documents_tell_of_what_is_defined(server: Server) -> None:
    crd = await established(server, definition())
    groups = await server.json("GET", "/apis")
    assert "stable.example.com" in {group["name"] for group in groups["groups"]}
    resources = (await server.json("GET", "/apis/stable.example.com/v1"))["resources"]
    assert {one["name"] for one in resources} == {"crontabs", "crontabs/status", "crontabs/scale"}
    v3 = await server.json("GET", "/openapi/v3/apis/stable.example.com/v1")
    schema = v3["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert schema["properties"]["spec"]["properties"]["replicas"]["maximum"] == 10
    v2 = await server.json("GET", "/openapi/v2")
    assert "com.example.stable.v1.CronTab" in v2["definitions"]
    await server.client.delete(CRDS, NAME)
    await gone(server, crd)
    assert "com.example.stable.v1.CronTab" not in (await server.json("GET", "/openapi/v2"))["definitions"]


async def test_what_custom_resources_cannot_do_is_refused_as_upstream_does(server: Server) -> None:
    await established(server, definition())
    await server.json("POST", BASE, crontab("a"))
    strategic = "application/strategic-merge-patch+json"
    assert (await server.http("PATCH", f"{BASE}/a", {}, content_type=strategic)).status == 415
    protobuf = "application/vnd.kubernetes.protobuf"
    assert (await server.http("GET", BASE, accept=protobuf)).status == 406
    assert (await server.http("GET", BASE, accept=f"{protobuf},application/json")).content_type == "application/json"
    assert (await server.http("POST", BASE, b"k8s\0", content_type=protobuf)).status == 415


async def test_versions_share_their_objects_and_each_shows_them_as_its_own(server: Server) -> None:
    await established(server, definition(versions=("v1", "v2")))
    await server.json("POST", BASE, crontab("a", image="x"))
    other = BASE.replace("/v1/", "/v2/")
    assert (await server.json("GET", f"{other}/a"))["apiVersion"] == "stable.example.com/v2"
    await server.json("POST", other, {**crontab("b"), "apiVersion": "stable.example.com/v2"})
    assert {one["metadata"]["name"] for one in (await server.json("GET", BASE))["items"]} == {"a", "b"}
    group = await server.json("GET", "/apis/stable.example.com")
    assert group["preferredVersion"]["version"] == "v2"


async def test_a_definition_goes_when_the_last_of_its_objects_is_gone(server: Server) -> None:
    crd = await established(server, definition())
    await server.json("POST", BASE, {**crontab("a"), "metadata": {"name": "a", "finalizers": ["example.com/stay"]}})
    await server.json("POST", BASE, crontab("b"))
    answer = await server.json(
        "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs.stable.example.com"
    )
    assert answer["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    ending = [("True", "InstanceDeletionInProgress")]
    await seen(server, NAME, lambda found: told(found, "Terminating") == ending)
    assert (await server.json("POST", BASE, crontab("c")))["code"] == 405
    merge = "application/merge-patch+json"
    await server.json("PATCH", f"{BASE}/a", {"metadata": {"finalizers": None}}, content_type=merge)
    await gone(server, crd)
    assert (await server.json("GET", BASE))["code"] == 404


async def test_a_name_that_is_taken_is_not_given_twice(server: Server) -> None:
    await established(server, definition())
    second = definition(plural="crontables", kind="CronTable", short=("ct",))
    await server.client.create(CRDS, second)
    crd = await seen(server, "crontables.stable.example.com", lambda found: bool(condition(found, "Established")))
    conditions = {c["type"]: (c["status"], c["reason"], c["message"]) for c in crd["status"]["conditions"]}
    assert conditions["NamesAccepted"] == ("False", "ShortNamesConflict", '"ct" is already in use')
    assert conditions["Established"] == ("False", "NotAccepted", "not all names are accepted")


async def test_server_side_apply_knows_the_lists_of_the_schema(server: Server) -> None:
    await established(server, definition())
    for manager, port in (("one", 80), ("two", 81)):
        body = crontab("a", ports=[{"port": port, "name": manager}])
        answer = await server.http(
            "PATCH", f"{BASE}/a", body, query={"fieldManager": manager}, content_type="application/apply-patch+yaml"
        )
        assert answer.status in (200, 201), answer.body
    found = await server.json("GET", f"{BASE}/a")
    assert [port["port"] for port in found["spec"]["ports"]] == [80, 81]
