"""The OpenAPI documents hold what kubectl looks for in them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pybernetes.kinds import schemas, table
from pybernetes.meta import errors, protobuf
from pybernetes.meta.schema import Schemas
from pybernetes.server import openapi
from pybernetes.server.context import Request, Response
from pybernetes.server.openapi import OpenApi, operations

SERVED = OpenApi(table.builtin(), Schemas(schemas.definitions()), "v1.36.0")


def ask(path: str, accept: str = "", **headers: str) -> Response:
    target, _, query = path.partition("?")
    pairs = dict(part.split("=") for part in query.split("&") if part)
    return SERVED.respond(
        Request("GET", target, {k: [v] for k, v in pairs.items()}, ({"accept": accept} if accept else {}) | headers)
    )


def told(path: str) -> Any:
    return orjson.loads(ask(path).body)


def test_the_index_leads_to_a_document_per_version() -> None:
    index = told("/openapi/v3")["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/autoscaling/v1", "apis/rbac.authorization.k8s.io/v1"} <= set(index)
    response = ask(index["apis/apps/v1"]["serverRelativeURL"])
    assert ("Cache-Control", "public, immutable, max-age=31536000") in response.headers
    assert orjson.loads(response.body)["openapi"] == "3.0.0"


@pytest.mark.parametrize("row", list(table.builtin()), ids=lambda row: f"{row.api_version} {row.plural}")
def test_writes_of_every_kind_list_field_validation(row: Any) -> None:
    """kubectl leaves validation to the server only where the PATCH of a kind names the parameter."""
    for path, item in told(f"/openapi/v3/{operations.base(row).lstrip('/')}")["paths"].items():
        for method in {"post", "put", "patch"} & set(item):
            if item[method]["x-kubernetes-action"] == "connect":
                continue
            names = {parameter["name"] for parameter in item[method]["parameters"]}
            assert "fieldValidation" in names, (path, method)


def test_operations_and_schemas_name_their_kind() -> None:
    apps = told("/openapi/v3/apis/apps/v1")
    gvk = {"group": "apps", "version": "v1", "kind": "Deployment"}
    item = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert item["patch"]["x-kubernetes-group-version-kind"] == gvk
    assert item["patch"]["x-kubernetes-action"] == "patch"
    assert item["patch"]["operationId"] == "patchAppsV1NamespacedDeployment"
    assert apps["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"] == [gvk]
    scale = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]["get"]
    assert scale["x-kubernetes-group-version-kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


def test_no_reference_points_nowhere() -> None:
    for name in told("/openapi/v3")["paths"]:
        document = told(f"/openapi/v3/{name}")
        assert set(operations.references(document)) <= set(document["components"]["schemas"]), name
    swagger = told("/openapi/v2")
    assert set(operations.references(swagger)) <= set(swagger["definitions"])


def test_the_protobuf_form_says_what_the_json_says() -> None:
    response = ask("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert response.content_type == openapi.V2_PROTOBUF
    document = protobuf.codec(schemas.messages()).decode("openapi.v2.Document", response.body)
    swagger = told("/openapi/v2")
    definitions = {entry["name"]: entry["value"] for entry in document["definitions"]["additional_properties"]}
    assert set(definitions) == set(swagger["definitions"])
    assert {entry["name"] for entry in document["paths"]["path"]} == set(swagger["paths"])
    container = {
        e["name"]: e["value"] for e in definitions["io.k8s.api.core.v1.PodSpec"]["properties"]["additional_properties"]
    }
    merge_key = {"name": "x-kubernetes-patch-merge-key", "value": {"yaml": '"name"'}}
    assert merge_key in container["containers"]["vendor_extension"]


def test_whoever_has_the_document_is_told_so() -> None:
    tag = dict(ask("/openapi/v2").headers)["ETag"]
    assert ask("/openapi/v2", **{"if-none-match": tag}).status == 304


def test_what_is_not_there_is_not_found_and_what_cannot_be_told_not_acceptable() -> None:
    with pytest.raises(errors.NotFound):
        ask("/openapi/v3/apis/example.com/v1")
    with pytest.raises(errors.NotAcceptable):
        ask("/openapi/v2", "text/html")
    with pytest.raises(errors.NotAcceptable):
        ask("/openapi/v3", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf")
