"""From a definition to its type of ownership: reads ``x-kubernetes-list-type``, ``…-map-keys`` and ``…-map-type``.

Compiled when first asked for and kept with the schemas, for a kind's root object once, for other definitions once
(a definition may hold itself). Kinds without a definition are custom data with metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pybernetes.meta.fieldtypes import CUSTOM, Granular, Keyed, Members, Struct, Type
from pybernetes.meta.schema import Node, Schemas

_REF: Final = "#/definitions/"
_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CUSTOM: Final = frozenset(
    {"io.k8s.apimachinery.pkg.runtime.RawExtension", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"}
)
_PRESENT: Final = frozenset(
    {
        "metadata", "spec", "status", "template", "jobTemplate", "strategy", "updateStrategy", "containers",
        "resources", "source", "loadBalancer", "daemonEndpoints", "kubeletEndpoint", "nodeInfo", "names",
        "acceptedNames", "devices",
    }
)  # fmt: skip
"""Fields that are no pointers in upstream's types: they are there though empty. See ``Struct.present``."""
_KEY_DEFAULTS: Final[Mapping[str, Any]] = {"protocol": "TCP"}
"""Defaults of list keys in built-in kinds; the published definitions do not tell them."""
_UNOWNED: Final = frozenset(
    {
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
        "resourceVersion",
    }
)  # fmt: skip


def root(schemas: Schemas, definition: str) -> Struct:
    """The type of a kind's objects."""
    key = f"root {definition}"
    found = schemas.owned.get(key)
    if found is None:
        found = schemas.owned[key] = _root(schemas, definition)
    assert isinstance(found, Struct)
    return found


def _root(schemas: Schemas, definition: str) -> Struct:
    whole = Struct(frozenset({"apiVersion", "kind"}))
    whole.present = _PRESENT
    compiled = _definition(schemas, definition) if definition in schemas.definitions else CUSTOM
    whole.fields = dict(compiled.fields) if isinstance(compiled, Struct) else {}
    whole.open = not isinstance(compiled, Struct) or compiled.open
    metadata = Struct(_UNOWNED)
    described = _definition(schemas, _META) if _META in schemas.definitions else CUSTOM
    metadata.fields = dict(described.fields) if isinstance(described, Struct) else {}
    # hidden fields count as structured, so that only they pay for being looked up among the hidden
    metadata.fields.update({name: (f"f:{name}", CUSTOM) for name in _UNOWNED})
    whole.fields.update({name: (f"f:{name}", CUSTOM) for name in whole.hidden})
    whole.fields["metadata"] = ("f:metadata", metadata)
    return whole


def _definition(schemas: Schemas, name: str) -> Type | None:
    if name in schemas.owned:
        found: Type | None = schemas.owned[name]
        return found
    node = schemas.definitions[name]
    if not _is_struct(node):
        type_ = schemas.owned[name] = CUSTOM if name in _CUSTOM else _compiled(schemas, node)
        return type_
    struct = schemas.owned[name] = Struct()
    _fill(schemas, struct, node)  # it may hold itself: its type is known before its fields are
    return struct


def _is_struct(node: Node) -> bool:
    return "properties" in node and node.get("x-kubernetes-map-type") != "atomic"


def _fill(schemas: Schemas, struct: Struct, node: Node) -> None:
    properties: Mapping[str, Node] = node["properties"]
    struct.fields = {name: (f"f:{name}", _compiled(schemas, child)) for name, child in properties.items()}
    struct.present = _PRESENT & properties.keys()
    struct.open = bool(node.get("x-kubernetes-preserve-unknown-fields"))


def _compiled(schemas: Schemas, node: Node) -> Type | None:
    """The type at a schema node; None for what is owned as a whole."""
    relation = node.get("x-kubernetes-map-type")
    if relation == "atomic":
        return None
    if "$ref" in node:
        name = node["$ref"].removeprefix(_REF)
        if relation == "granular":
            return _compiled(schemas, {**schemas.definitions[name], "x-kubernetes-map-type": relation})
        return _definition(schemas, name)
    if node.get("type") == "array":
        return _list(schemas, node)
    if _is_struct(node):
        struct = Struct()
        _fill(schemas, struct, node)
        return struct
    if isinstance(node.get("additionalProperties"), Mapping):
        return Granular(_compiled(schemas, node["additionalProperties"]))
    return CUSTOM if node.get("type") == "object" or node.get("x-kubernetes-preserve-unknown-fields") else None


def _list(schemas: Schemas, node: Node) -> Keyed | None:
    if node.get("x-kubernetes-list-type") == "set":
        return Members()
    if node.get("x-kubernetes-list-type") != "map":
        return None
    keys = node["x-kubernetes-list-map-keys"]
    properties = schemas.resolve(node["items"]).get("properties", {})
    defaults = {key: properties.get(key, {}).get("default", _KEY_DEFAULTS.get(key)) for key in keys}
    keyed = Keyed(keys, defaults)
    keyed.item = _compiled(schemas, node["items"])
    return keyed
