"""Is a schema structural? Every level says its type outside of junctors, and no extension contradicts another.

Paths are written as upstream writes them: ``….openAPIV3Schema.properties[spec].items``.
Sources: KEP-1002, apiextensions-apiserver/pkg/apis/apiextensions/validation and …/apiserver/schema/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pybernetes.cel.functions import strings
from pybernetes.cel.values import CelError
from pybernetes.kinds.custom import structural
from pybernetes.kinds.custom.judge import judge
from pybernetes.kinds.custom.structural import Schema
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError

Errors = Iterator[FieldError]
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_LIST_TYPES: Final = ("atomic", "map", "set")
_JUNCTORS: Final = ("allOf", "anyOf", "oneOf")
_OUTSIDE: Final = (
    "type", "default", "description", "title", "nullable", "additionalProperties", "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type",
)  # fmt: skip
"""What may not stand in a junctor's branch: there it would be no structure."""
_UNSUPPORTED: Final = ("$ref", "patternProperties", "additionalItems", "dependencies", "definitions", "$schema", "id")
_INT_OR_STRING: Final = [{"type": "integer"}, {"type": "string"}]


def structural_errors(schema: Schema, path: str) -> list[FieldError]:
    """What keeps the schema of a version from being structural."""
    return [*_root(schema, path), *_level(schema, path, "root")]


def _root(schema: Schema, path: str) -> Errors:
    kind = schema.get("type")
    if not kind:
        yield errors.required(f"{path}.type", "must not be empty at the root")
    elif kind != "object":
        yield errors.invalid(f"{path}.type", kind, "must be object at the root")
    if schema.get("nullable"):
        yield errors.field_forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    if "default" in schema:
        yield errors.field_forbidden(f"{path}.default", "must be undefined at the root")
    meta = (schema.get("properties") or {}).get("metadata") or {}
    if set(meta) - {"type", "properties", "description"} or set(meta.get("properties") or ()) - {
        "name",
        "generateName",
    }:
        text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield errors.field_forbidden(f"{path}.properties[metadata]", text)


def _level(schema: Schema, path: str, place: str) -> Errors:
    """``place``: root, field (of an object), item or value."""
    for key in _UNSUPPORTED:
        if schema.get(key):
            yield errors.field_forbidden(f"{path}.{key}", f"{key} is not supported")
    yield from _type(schema, path, place)
    yield from _extensions(schema, path)
    yield from _list(schema, path)
    yield from _values(schema, path)
    for key in _JUNCTORS:
        for index, branch in enumerate(schema.get(key) or ()):
            allowed = schema.get("x-kubernetes-int-or-string") and key == "anyOf" and schema[key] == _INT_OR_STRING
            if not allowed:
                yield from _branch(branch, f"{path}.{key}[{index}]")
    if isinstance(schema.get("not"), Mapping):
        yield from _branch(schema["not"], f"{path}.not")
    yield from _below(schema, path)


def _type(schema: Schema, path: str, place: str) -> Errors:
    kind = schema.get("type") or ""
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not kind and not free and place != "root":
        what = {"item": "array items"}.get(place, "object fields")
        yield errors.required(f"{path}.type", f"must not be empty for specified {what}")
    elif kind and kind not in _TYPES:
        yield errors.not_supported(f"{path}.type", kind, _TYPES)
    if kind == "array" and not schema.get("items"):
        yield errors.required(f"{path}.items", "must be specified")
    if isinstance(schema.get("items"), list):
        yield errors.field_forbidden(f"{path}.items", "items must be a schema object and not an array")


def _extensions(schema: Schema, path: str) -> Errors:
    kind = schema.get("type") or ""
    if schema.get("x-kubernetes-int-or-string") and kind:
        yield errors.invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        text = "must be true or undefined"
        yield errors.invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, text)
    if schema.get("x-kubernetes-embedded-resource"):
        if kind != "object":
            yield errors.invalid(f"{path}.type", kind, "must be object if x-kubernetes-embedded-resource is true")
        if not schema.get("properties") and not schema.get("x-kubernetes-preserve-unknown-fields"):
            text = (
                "must not be empty if x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"
            )
            yield errors.required(f"{path}.properties", text)
    if schema.get("properties") and schema.get("additionalProperties"):
        text = "additionalProperties and properties are mutual exclusive"
        yield errors.field_forbidden(f"{path}.additionalProperties", text)
    if schema.get("additionalProperties") is False:
        yield errors.field_forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield errors.field_forbidden(f"{path}.uniqueItems", text)


def _list(schema: Schema, path: str) -> Errors:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if kind is None and not keys:
        return
    if kind is not None and schema.get("type") != "array":
        text = "must be array if x-kubernetes-list-type is set"
        yield errors.invalid(f"{path}.type", schema.get("type") or "", text)
    if kind is not None and kind not in _LIST_TYPES:
        yield errors.not_supported(f"{path}.x-kubernetes-list-type", kind, _LIST_TYPES)
    if kind != "map":
        if keys:
            text = "must be map if x-kubernetes-list-map-keys is non-empty"
            yield errors.invalid(f"{path}.x-kubernetes-list-type", kind or "", text)
        return
    if not keys:
        text = "must not be empty if x-kubernetes-list-type is map"
        yield errors.required(f"{path}.x-kubernetes-list-map-keys", text)
        return
    items = schema.get("items") or {}
    for key in keys:
        found = (items.get("properties") or {}).get(key)
        if found is None:
            text = "entries must all be names of item properties"
            yield errors.invalid(f"{path}.x-kubernetes-list-map-keys", list(keys), text)
        elif key not in (items.get("required") or ()) and "default" not in found:
            text = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield errors.required(f"{path}.items.properties[{key}].default", text)


def _values(schema: Schema, path: str) -> Errors:
    if text := schema.get("pattern"):
        try:
            strings.pattern(text)
        except CelError as error:
            yield errors.invalid(f"{path}.pattern", text, f"must be a valid regular expression, but isn't: {error}")
    if "default" in schema:
        default, bare = schema["default"], {key: value for key, value in schema.items() if key != "default"}
        for wrong in judge({"x": default}, {"type": "object", "properties": {"x": bare}}):
            at = path + ".default" + wrong.path.removeprefix("x")
            yield FieldError(
                wrong.reason, at, wrong.message.replace(f"{wrong.path} in body", f"default{wrong.path[1:]} in body")
            )
        if isinstance(default, dict) and (gone := structural.pruned({"x": default}, {"properties": {"x": bare}})[1]):
            yield errors.invalid(f"{path}.default", default, f"must not have unknown fields: {', '.join(gone)}")


def _branch(schema: Schema, path: str) -> Errors:
    for key in _OUTSIDE:
        if schema.get(key) not in (None, "", False, [], {}):
            yield errors.field_forbidden(f"{path}.{key}", "must be empty to be structural")
    for name, inner in (schema.get("properties") or {}).items():
        yield from _branch(inner, f"{path}.properties[{name}]")
    if isinstance(schema.get("items"), Mapping):
        yield from _branch(schema["items"], f"{path}.items")
    for key in _JUNCTORS:
        for index, inner in enumerate(schema.get(key) or ()):
            yield from _branch(inner, f"{path}.{key}[{index}]")
    if isinstance(schema.get("not"), Mapping):
        yield from _branch(schema["not"], f"{path}.not")


def _below(schema: Schema, path: str) -> Errors:
    for name, inner in (schema.get("properties") or {}).items():
        if not (path.endswith("openAPIV3Schema") and name == "metadata"):
            yield from _level(inner, f"{path}.properties[{name}]", "field")
    if isinstance(schema.get("items"), Mapping):
        yield from _level(schema["items"], f"{path}.items", "item")
    values: Any = schema.get("additionalProperties")
    if isinstance(values, Mapping):
        yield from _level(values, f"{path}.additionalProperties", "value")
