"""A Swagger document in the shape of its protobuf messages (``openapi.v2.*``), in which older kubectls ask for it.

Rule: the messages say what JSON says in other words: a map becomes a list of named values, a choice becomes a message
with one field per case, an ``x-…`` key becomes a named text of YAML (JSON is YAML). Pure.
Neighbours: ``v2.py`` makes the document, ``meta/protobuf`` encodes what comes out of here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj

MESSAGE: Final = "openapi.v2.Document"
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")


def document(swagger: Obj) -> Obj:
    """A whole document, ready to be encoded as ``openapi.v2.Document``."""
    return {
        "swagger": swagger["swagger"],
        "info": swagger["info"],
        "paths": {"path": _named(swagger["paths"], _path_item)},
        "definitions": {"additional_properties": _named(swagger["definitions"], schema)},
    }


def _named(values: Mapping[str, Any], convert: Callable[[Any], Any]) -> list[Obj]:
    return [{"name": name, "value": convert(value)} for name, value in values.items()]


def _any(value: Any) -> Obj:
    return {"yaml": orjson.dumps(value).decode()}


def _extensions(obj: Obj) -> list[Obj]:
    return [{"name": name, "value": _any(value)} for name, value in obj.items() if name.startswith("x-")]


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────────────


def _additional(value: Any) -> Obj:
    return {"boolean": value} if isinstance(value, bool) else {"schema": schema(value)}


_SCHEMA: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "$ref": ("_ref", str),
    "type": ("type", lambda value: {"value": [value]}),
    "format": ("format", str),
    "description": ("description", str),
    "required": ("required", list),
    "default": ("default", _any),
    "enum": ("enum", lambda values: [_any(value) for value in values]),
    "items": ("items", lambda value: {"schema": [schema(value)]}),
    "properties": ("properties", lambda value: {"additional_properties": _named(value, schema)}),
    "additionalProperties": ("additional_properties", _additional),
    "allOf": ("all_of", lambda values: [schema(value) for value in values]),
}
"""JSON key → (field of openapi.v2.Schema, conversion)."""


def schema(value: Obj) -> Obj:
    """A schema object as ``openapi.v2.Schema``."""
    out = {field: convert(value[key]) for key, (field, convert) in _SCHEMA.items() if key in value}
    return out | {"vendor_extension": _extensions(value)}


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────


def _path_item(item: Obj) -> Obj:
    out: Obj = {method: _operation(item[method]) for method in _METHODS if method in item}
    return out | {"parameters": [_parameter(parameter) for parameter in item.get("parameters", ())]}


def _operation(op: Obj) -> Obj:
    return {
        "tags": op["tags"],
        "operation_id": op["operationId"],
        "produces": op["produces"],
        "consumes": op["consumes"],
        "parameters": [_parameter(parameter) for parameter in op["parameters"]],
        "responses": {"response_code": _named(op["responses"], lambda value: {"response": _response(value)})},
        "vendor_extension": _extensions(op),
    }


def _response(response: Obj) -> Obj:
    out: Obj = {"description": response["description"]}
    return out | {"schema": {"schema": schema(response["schema"])}} if "schema" in response else out


def _parameter(parameter: Obj) -> Obj:
    if parameter["in"] == "body":
        return {"parameter": {"body_parameter": parameter | {"schema": schema(parameter["schema"])}}}
    kind = f"{parameter['in']}_parameter_sub_schema"
    return {"parameter": {"non_body_parameter": {kind: parameter}}}
