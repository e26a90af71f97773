"""OpenAPI v3: one document per group and version. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta.objects import Obj
from pybernetes.server.openapi import operations
from pybernetes.server.openapi.operations import Operation

_MEDIA: Final = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_FORMS: Final[Mapping[str, Obj]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "format": "int-or-string",
        "oneOf": [{"type": "integer"}, {"type": "string"}],
    },
}


def build(rows: Sequence[Kind], definitions: Mapping[str, Mapping[str, Any]], version: str) -> Obj:
    """The document of ``rows``, which share a group and a version."""
    found = operations.paths(rows, operations.by_kind(definitions))
    schemas = operations.closure(operations.used(found), definitions)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": {path: _path_item(path, ops) for path, ops in sorted(found.items())},
        "components": {"schemas": {name: _FORMS.get(name) or _schema(schema) for name, schema in schemas.items()}},
    }


def _path_item(path: str, ops: Sequence[Operation]) -> Obj:
    item: Obj = {op.method: _operation(op) for op in ops}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if names:
        item["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    return item


def _operation(op: Operation) -> Obj:
    out: Obj = {
        "tags": [op.tag],
        "operationId": op.id,
        "parameters": [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in op.params],
        "responses": {"200": _response(op.answer), "401": {"description": "Unauthorized"}},
        "x-kubernetes-action": op.action,
        "x-kubernetes-group-version-kind": op.gvk,
    }
    if op.body:
        out["requestBody"] = {"content": {media: {"schema": _ref(op.body)} for media in op.body_media}}
        if op.method != "delete":
            out["requestBody"]["required"] = True
    return out


def _response(answer: str) -> Obj:
    schema: Obj = _ref(answer) if answer else {"type": "string"}
    return {"description": "OK", "content": {media: {"schema": schema} for media in (_MEDIA if answer else ("*/*",))}}


def _ref(name: str) -> Obj:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(schema: Any) -> Any:
    """A v2 schema in v3's grammar: references point elsewhere, and stand alone or in an ``allOf``."""
    if isinstance(schema, list):
        return [_schema(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    ref = schema.get("$ref")
    if not isinstance(ref, str):
        return {key: _schema(value) for key, value in schema.items()}
    target = _ref(ref.rpartition("/")[2])
    rest = {key: _schema(value) for key, value in schema.items() if key != "$ref"}
    return {"allOf": [target]} | rest if rest else target
