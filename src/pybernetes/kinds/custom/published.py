"""A version's schema as the definitions that clients read: with the fields that every object has, its kind, its list.

Rule 1: the whole definition is what server-side apply and explain read; ``v2`` is poorer, since kubectl checks by it
        before it sends: what v2 cannot say is left out, and what is free-form says nothing of its fields.
Rule 2: a definition's name is its group turned round, as upstream's: ``com.example.stable.v1.CronTab``.
Source: apiextensions-apiserver/pkg/controller/openapi/builder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pybernetes.kinds.custom.structural import Schema
from pybernetes.meta.objects import Obj

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_GVK: Final = "x-kubernetes-group-version-kind"
_API_VERSION: Final = {
    "type": "string",
    "description": "APIVersion defines the versioned schema of this representation of an object.",
}
_KIND: Final = {
    "type": "string",
    "description": "Kind is a string value representing the REST resource this object represents.",
}
_METADATA: Final = {"description": "Standard object's metadata.", "$ref": f"#/definitions/{_META}.ObjectMeta"}
_V2_LACKS: Final = frozenset((
    "oneOf", "anyOf", "allOf", "not", "nullable", "x-kubernetes-validations", "x-kubernetes-list-type-default", "id",
    "$schema", "patternProperties", "additionalItems", "dependencies", "definitions",
))  # fmt: skip


def name_of(group: str, version: str, kind: str) -> str:
    """The definition's name."""
    return ".".join([*reversed(group.split(".")), version, kind])


def definitions(group: str, version: str, names: Obj, schema: Schema) -> dict[str, Obj]:
    """Name → definition, of the kind and of its list."""
    name = name_of(group, version, names["kind"])
    kind = {"group": group, "version": version, "kind": names["kind"]}
    of_list = {"group": group, "version": version, "kind": names["listKind"]}
    return {
        name: {**_with_meta(schema), _GVK: [kind]},
        f"{name}List": {
            "type": "object",
            "description": f"{names['listKind']} is a list of {names['kind']}",
            "required": ["items"],
            "properties": {
                "apiVersion": _API_VERSION,
                "items": {"type": "array", "items": {"$ref": f"#/definitions/{name}"}},
                "kind": _KIND,
                "metadata": {"$ref": f"#/definitions/{_META}.ListMeta"},
            },
            _GVK: [of_list],
        },
    }


def _with_meta(schema: Schema) -> Obj:
    """The root: an object whose type and metadata everybody knows, whatever the schema says of them."""
    out = {**schema, "type": "object"}
    fields = {**(schema.get("properties") or {})}
    fields.update({"apiVersion": _API_VERSION, "kind": _KIND, "metadata": _METADATA})
    out["properties"] = {key: _embedded(value) for key, value in fields.items()}
    return out


def _embedded(schema: Any) -> Any:
    """The same with type and metadata in every resource that is embedded."""
    if isinstance(schema, list):
        return [_embedded(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {
        key: _embedded(value) if key in ("items", "additionalProperties") else value for key, value in schema.items()
    }
    if "properties" in schema:
        out["properties"] = {key: _embedded(value) for key, value in schema["properties"].items()}
    if schema.get("x-kubernetes-embedded-resource"):
        fields = {"apiVersion": _API_VERSION, "kind": _KIND, "metadata": _METADATA}
        out["properties"] = {**(out.get("properties") or {}), **fields}
    return out


def for_v2(definition: Schema) -> Obj:
    """A definition as Swagger says it. A free-form root has no fields at all, so that kubectl accepts every field."""
    if definition.get(_PRESERVE):
        return {"type": "object", _GVK: definition[_GVK]}
    found: Obj = _v2(definition)
    return found


def _v2(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    if schema.get(_PRESERVE) or schema.get("nullable"):
        kept = {key: value for key, value in schema.items() if key == "description" or key.startswith("x-kubernetes-p")}
        untyped = schema.get("nullable") or schema.get("type") in (None, "object", "array")
        return kept if untyped else {**kept, "type": schema["type"]}
    out: Obj = {}
    for key, value in schema.items():
        if key in _V2_LACKS or (key == "default" and not isinstance(value, str | int | float | bool)):
            continue
        if key == "properties":
            out[key] = {name: _v2(inner) for name, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            out[key] = _v2(value)
        else:
            out[key] = value
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
    return out
