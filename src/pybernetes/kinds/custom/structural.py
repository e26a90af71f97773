"""A structural schema at work: unknown fields go, defaults come, nulls that may not be are absent.

Rule 1: nothing is changed in place; what needs no change is answered as it is.
Rule 2: ``apiVersion``, ``kind`` and ``metadata`` of the root and of embedded resources are not the schema's.
Sources: apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from pybernetes.meta.objects import Obj

Schema: TypeAlias = Mapping[str, Any]
TYPE_META: Final = frozenset(("apiVersion", "kind", "metadata"))
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"


def child(schema: Schema, key: str) -> Schema | None:
    """The schema of an object's field or a map's value; None where it has none."""
    found = (schema.get("properties") or {}).get(key)
    if found is None and isinstance(values := schema.get("additionalProperties"), Mapping):
        found = values
    return found


def pruned(obj: Obj, schema: Schema) -> tuple[Obj, list[str]]:
    """(the object without unknown fields, their paths)."""
    gone: list[str] = []
    return _pruned(obj, schema, "", gone, resource=True), gone


def _pruned(value: Any, schema: Schema, path: str, gone: list[str], *, resource: bool = False) -> Any:
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return value  # it is preserved, or refused for its type
        found = [_pruned(item, items, f"{path}[{index}]", gone) for index, item in enumerate(value)]
        return value if all(map(_same, value, found)) else found
    if not isinstance(value, dict):
        return value
    resource = resource or bool(schema.get(_EMBEDDED))
    out: Obj = {}
    for key, inner in value.items():
        at = f"{path}.{key}" if path else key
        below = child(schema, key)
        if resource and key in TYPE_META and (below is None or key == "metadata"):
            out[key] = inner
        elif below is not None:
            out[key] = _pruned(inner, below, at, gone)
        elif schema.get(_PRESERVE):
            out[key] = inner
        elif schema.get("additionalProperties") is True:
            out[key] = _pruned(inner, {}, at, gone)
        else:
            gone.append(at)
    return value if len(out) == len(value) and all(out[key] is inner for key, inner in value.items()) else out


def _same(one: Any, other: Any) -> bool:
    return one is other


def has_defaults(schema: Schema) -> bool:
    """Is there any default, or any field whose null would be taken for absent, to be filled in on reading?"""
    if "default" in schema:
        return True
    inner = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(has_defaults(one) for one in inner if isinstance(one, Mapping))


def defaulted(value: Any, schema: Schema) -> Any:
    """The value with the schema's defaults where nothing is, or a null that may not be."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return value
        found = [defaulted(item, items) for item in value]
        return value if all(map(_same, value, found)) else found
    if not isinstance(value, dict):
        return value
    out = dict(value)
    for key, inner in (schema.get("properties") or {}).items():
        if "default" in inner and (key not in out or (out[key] is None and not inner.get("nullable"))):
            out[key] = copy.deepcopy(inner["default"])
    for key in list(out):
        below = child(schema, key)
        if below is None:
            continue
        if out[key] is None and not below.get("nullable") and not _preserves(below):
            del out[key]
        else:
            out[key] = defaulted(out[key], below)
    return value if len(out) == len(value) and all(out.get(key) is inner for key, inner in value.items()) else out


def _preserves(schema: Schema) -> bool:
    return bool(schema.get(_PRESERVE)) and "type" not in schema
