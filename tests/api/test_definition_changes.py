"""Definitions that change, and definitions that are refused."""

from __future__ import annotations

import copy

import pytest

from pybernetes.meta.objects import Obj

from .definitions import BASE, crontab, definition, established, seen
from .server import Server

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "crontabs.stable.example.com"
MERGE = "application/merge-patch+json"


async def changed(server: Server, crd: Obj) -> Obj:
    """The definition after a PUT."""
    answer = await server.json("PUT", f"{PATH}/{NAME}", crd)
    assert answer["kind"] == "CustomResourceDefinition", answer
    return answer


def schema_of(crd: Obj) -> Obj:
    spec: Obj = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


async def test_defaults_are_filled_in_on_requests_and_on_what_was_stored_before(server: Server) -> None:
    crd = copy.deepcopy(await established(server, definition()))
    await server.json("POST", BASE, crontab("old"))
    schema_of(crd)["properties"]["image"] = {"type": "string", "default": "nginx"}
    await changed(server, crd)
    assert (await server.json("GET", f"{BASE}/old"))["spec"]["image"] == "nginx"
    assert (await server.json("POST", BASE, crontab("new")))["spec"] == {"image": "nginx", "replicas": 1}
    listed = await server.json("GET", BASE)
    assert {one["spec"]["image"] for one in listed["items"]} == {"nginx"}


async def test_a_version_that_is_served_no_more_leaves_discovery_and_documents(server: Server) -> None:
    crd = copy.deepcopy(await established(server, definition(versions=("v1", "v2"))))
    assert "/openapi/v3/apis/stable.example.com/v2" in str(await server.json("GET", "/openapi/v3"))
    crd["spec"]["versions"][1]["served"] = False
    await changed(server, crd)
    group = await server.json("GET", "/apis/stable.example.com")
    assert [version["version"] for version in group["versions"]] == ["v1"]
    assert "com.example.stable.v2.CronTab" not in (await server.json("GET", "/openapi/v2"))["definitions"]
    assert (await server.json("GET", BASE.replace("/v1/", "/v2/")))["code"] == 404


async def test_another_storage_version_is_added_to_those_that_were_ever_stored(server: Server) -> None:
    crd = copy.deepcopy(await established(server, definition(versions=("v1", "v2"))))
    await server.json("POST", BASE, crontab("old"))
    crd["spec"]["versions"][0]["storage"], crd["spec"]["versions"][1]["storage"] = False, True
    answer = await changed(server, crd)
    assert answer["status"]["storedVersions"] == ["v1", "v2"]
    assert (await server.json("GET", f"{BASE}/old"))["apiVersion"] == "stable.example.com/v1"
    answer["spec"]["versions"] = answer["spec"]["versions"][1:]
    current = await server.json("GET", f"{PATH}/{NAME}")
    refused = await server.json("PUT", f"{PATH}/{NAME}", {**current, "spec": answer["spec"]})
    assert 'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions' in refused["message"]


async def test_a_schema_may_become_stricter_than_what_is_stored(server: Server) -> None:
    crd = copy.deepcopy(await established(server, definition()))
    await server.json("POST", BASE, crontab("old", cronSpec="long"))
    schema_of(crd)["properties"]["cronSpec"] = {"type": "string", "maxLength": 1}
    await changed(server, crd)
    assert (await server.json("PATCH", f"{BASE}/old", {"spec": {"replicas": 2}}, content_type=MERGE))["spec"][
        "replicas"
    ]
    refused = await server.json("PATCH", f"{BASE}/old", {"spec": {"cronSpec": "other"}}, content_type=MERGE)
    assert "spec.cronSpec: Too long: may not be more than 1 bytes" in refused["message"]


async def test_a_definition_without_fields_keeps_everything(server: Server) -> None:
    crd = definition()
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = free
    await established(server, crd)
    answer = await server.json("POST", BASE, crontab("a", any={"thing": [1]}), query={"fieldValidation": "Strict"})
    assert answer["spec"] == {"any": {"thing": [1]}}
    document = (await server.json("GET", "/openapi/v2"))["definitions"]["com.example.stable.v1.CronTab"]
    assert "properties" not in document


async def test_metadata_is_read_by_its_own_type(server: Server) -> None:
    await established(server, definition())
    body = {**crontab("a"), "metadata": {"name": "a", "labels": {"a": 1}}}
    assert (await server.json("POST", BASE, body))["code"] == 400
    body = {**crontab("a"), "metadata": {"name": "a", "unknown": 1}}
    strict = await server.json("POST", BASE, body, query={"fieldValidation": "Strict"})
    assert 'unknown field "metadata.unknown"' in strict["message"]


async def test_the_status_of_a_definition_can_be_written(server: Server) -> None:
    crd = await established(server, definition())
    condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from a test"}
    status = {**crd["status"], "conditions": [*crd["status"]["conditions"], condition]}
    await server.json("PUT", f"{PATH}/{NAME}/status", {**crd, "status": status})
    found = await seen(server, NAME, lambda one: len(one["status"]["conditions"]) == 3)
    assert found["status"]["conditions"][2]["type"] == "StatusUpdate"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("self.z == 1", "undefined field 'z'"),
        ("self = 42", "Syntax error"),
        ("self.ports.all(a, self.ports.all(b, self.ports.all(c, a.port == b.port)))", "estimated rule cost exceeds"),
    ],
)
async def test_a_rule_that_is_none_is_refused_with_its_definition(server: Server, rule: str, why: str) -> None:
    crd = copy.deepcopy(definition())
    schema_of(crd)["x-kubernetes-validations"] = [{"rule": rule}]
    refused = await server.json("POST", PATH, crd)
    at = "spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule"
    assert (refused["code"], at in refused["message"], why in refused["message"]) == (422, True, True), refused[
        "message"
    ]


async def test_names_and_groups_are_held_to_upstreams_rules(server: Server) -> None:
    crd = definition()
    crd["metadata"]["name"] = "other"
    assert 'must be spec.names.plural+"."+spec.group' in (await server.json("POST", PATH, crd))["message"]
    crd = copy.deepcopy(definition())
    crd["spec"]["group"], crd["metadata"]["name"] = "stable.k8s.io", "crontabs.stable.k8s.io"
    assert "protected groups must have approval annotation" in (await server.json("POST", PATH, crd))["message"]


async def test_a_server_that_starts_again_serves_what_is_defined(server: Server) -> None:
    await established(server, definition())
    await server.json("POST", BASE, crontab("a"))
    again = Server()
    again.cache, again.clock = server.cache, server.clock
    again.api = again._api()
    await again.api.start()
    assert (await again.json("GET", f"{BASE}/a"))["metadata"]["name"] == "a"


async def test_versions_of_a_group_are_told_best_first_whoever_defines_them(server: Server) -> None:
    for plural, kind, version in (("as", "A", "v1beta1"), ("bs", "B", "v2"), ("cs", "C", "v1")):
        await established(server, definition(plural, kind, short=(), versions=(version,)))
    group = await server.json("GET", "/apis/stable.example.com")
    assert [version["version"] for version in group["versions"]] == ["v2", "v1", "v1beta1"]
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    tree = await server.json("GET", "/apis", accept=accept)
    found = next(item for item in tree["items"] if item["metadata"]["name"] == "stable.example.com")
    assert [version["version"] for version in found["versions"]] == ["v2", "v1", "v1beta1"]


async def test_a_body_that_is_nested_beyond_all_measure_is_refused(server: Server) -> None:
    await established(server, definition())
    deep = "[" * 900 + "]" * 900
    body = (
        f'{{"apiVersion":"stable.example.com/v1","kind":"CronTab","metadata":{{"name":"a"}},"spec":{{"ports":{deep}}}}}'
    )
    assert (await server.http("POST", BASE, body.encode())).status == 422
