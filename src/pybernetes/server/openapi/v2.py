"""OpenAPI v2 (Swagger): one document for everything. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta.objects import Obj
from pybernetes.server.openapi import operations
from pybernetes.server.openapi.operations import Operation

_MEDIA: Final = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]


def build(rows: Iterable[Kind], definitions: Mapping[str, Mapping[str, Any]], version: str) -> Obj:
    """The document of all rows."""
    found = operations.paths(rows, operations.by_kind(definitions))
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": {path: _path_item(path, ops) for path, ops in sorted(found.items())},
        "definitions": operations.closure(operations.used(found), definitions),
    }


def _path_item(path: str, ops: Sequence[Operation]) -> Obj:
    item: Obj = {op.method: _operation(op) for op in ops}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if names:
        item["parameters"] = [{"name": name, "in": "path", "required": True, "type": "string"} for name in names]
    return item


def _operation(op: Operation) -> Obj:
    parameters: list[Obj] = [{"name": name, "in": "query", "type": kind} for name, kind in op.params]
    if op.body:
        body: Obj = {"name": "body", "in": "body", "schema": _ref(op.body)}
        parameters.insert(0, body if op.method == "delete" else body | {"required": True})
    return {
        "tags": [op.tag],
        "operationId": op.id,
        "consumes": list(op.body_media),
        "produces": _MEDIA if op.answer else ["*/*"],
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "schema": _ref(op.answer) if op.answer else {"type": "string"}},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": op.action,
        "x-kubernetes-group-version-kind": op.gvk,
    }


def _ref(name: str) -> Obj:
    return {"$ref": f"#/definitions/{name}"}
