"""Objects against the API's schemas: types, unknown and required fields. What kinds add is their strategies' matter.

Two walkers over the same definitions. ``fits`` is compiled once per definition into closures and only says yes or no:
almost every object is right, and then nothing else runs. ``inspect`` interprets the definition, knows the path it is
at and says what is wrong; it runs for objects that did not fit.
Sentences are those of Go's decoder (sigs.k8s.io/json), which is what a client of upstream sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from pybernetes.meta import errors, quantity, scalars
from pybernetes.meta.errors import FieldError

Node: TypeAlias = Mapping[str, Any]
Fits: TypeAlias = Callable[[Any], bool]

_REF: Final = "#/definitions/"
_QUANTITY: Final = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_MICRO_TIME: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
_FREE: Final = frozenset(
    {
        "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
        "io.k8s.apimachinery.pkg.runtime.RawExtension",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
    }
)
"""Definitions that take any JSON."""


@dataclass(slots=True)
class Report:
    """What is wrong with an object. ``unknown`` holds paths, ``decode`` sentences, ``required`` field errors."""

    unknown: list[str] = field(default_factory=list)
    decode: list[str] = field(default_factory=list)
    required: list[FieldError] = field(default_factory=list)
    nulls: bool = False
    """Some field is null, which the decoder takes as absent, or a quantity that it would write otherwise."""

    def __bool__(self) -> bool:
        return bool(self.unknown or self.decode or self.required)


_CLEAN: Final = Report()


class Custom(Protocol):
    """What reads objects of a definition that is not for ``Schemas`` to read: a custom resource's."""

    def inspect(self, obj: Any) -> Report: ...
    def pruned(self, obj: Any) -> Any: ...


class Schemas:
    """All definitions by name (``io.k8s.api.core.v1.Pod``), compiled as they are needed.

    Those of custom resources come and go by ``add`` and ``remove``.
    """

    def __init__(self, definitions: Mapping[str, Node]) -> None:
        self.definitions: Mapping[str, Node] = definitions
        self.customs: dict[str, Custom] = {}
        """What reads objects of custom resources, by the definition's name."""
        self._fits: dict[str, Fits] = {}
        self.owned: dict[str, Any] = {}
        """What ``meta/fieldschema.py`` compiled of them."""

    def add(self, definitions: Mapping[str, Node], name: str, custom: Custom) -> None:
        """Know a custom resource's definitions; ``custom`` reads the objects of the one called ``name``."""
        self.remove(*definitions)
        self.definitions = {**self.definitions, **definitions}
        self.customs[name] = custom

    def remove(self, *names: str) -> None:
        """Forget definitions."""
        self.definitions = {name: node for name, node in self.definitions.items() if name not in names}
        for name in names:
            self.customs.pop(name, None)
            self._fits.pop(name, None)
            self.owned.pop(name, None)
            self.owned.pop(f"root {name}", None)

    def inspect(self, name: str, obj: Any) -> Report:
        """Everything at once; the same shared empty report for an object without fault."""
        if name in self.customs:
            return self.customs[name].inspect(obj)
        if self.fits(name)(obj):
            return _CLEAN
        report = Report()
        _inspect(self, {"$ref": _REF + name}, obj, _Place(), report)
        return report

    def unknown(self, name: str, obj: Any) -> list[str]:
        """Paths of fields that the definition does not have: ``spec.containers[0].foo``."""
        return self.inspect(name, obj).unknown

    def decode_errors(self, name: str, obj: Any) -> list[str]:
        """What Go's decoder would say of wrong types: ``json: cannot unmarshal bool into Go struct field …``."""
        return self.inspect(name, obj).decode

    def validate(self, name: str, obj: Any) -> list[FieldError]:
        """Missing required fields."""
        return self.inspect(name, obj).required

    def drop_unknown(self, name: str, obj: Any) -> Any:
        """A copy without unknown and null fields and with canonical quantities; the object itself where it is one."""
        if name in self.customs:
            return self.customs[name].pruned(obj)
        return obj if self.fits(name)(obj) else _pruned(self, {"$ref": _REF + name}, obj)

    def field(self, name: str, *path: str) -> Node | None:
        """The schema node at a path of property names; lists and maps are stepped through silently."""
        node: Node | None = {"$ref": _REF + name}
        for step in path:
            node = self.child(node, step) if node is not None else None
        return node

    def child(self, node: Node, key: str) -> Node | None:
        """The schema of one key of an object, or of a list's item's key; None where there is none."""
        resolved = self.resolve(node)
        if "items" in resolved:
            resolved = self.resolve(resolved["items"])
        properties = resolved.get("properties")
        if properties is not None and key in properties:
            found: Node = properties[key]
            return found
        more: Node | None = resolved.get("additionalProperties")
        return more

    def resolve(self, node: Node) -> Node:
        """The node itself, or the definition to which its ``$ref`` leads."""
        ref = node.get("$ref")
        return self.definitions[ref.removeprefix(_REF)] if ref else node

    def fits(self, name: str) -> Fits:
        """Is an object wholly right? Compiled once."""
        found = self._fits.get(name)
        if found is None:
            # a definition may refer to itself before it is compiled
            self._fits[name] = lambda value: self._fits[name](value)  # noqa: PLW0108 it is looked up when it runs
            found = self._fits[name] = self._compile_definition(name)
        return found

    def _compile_definition(self, name: str) -> Fits:
        if name in _FREE:
            return lambda value: value is not None
        if name == _QUANTITY:
            return quantity.is_canonical
        return self._compile(self.definitions[name])

    def _compile(self, node: Node) -> Fits:
        if "$ref" in node:
            return self.fits(node["$ref"].removeprefix(_REF))
        match node.get("type"):
            case "object":
                return self._compile_object(node)
            case "array":
                item = self._compile(node["items"])
                return lambda value: isinstance(value, list) and all(map(item, value))
            case None:
                return lambda value: value is not None
        scalar = scalars.judge(node)
        return lambda value: scalar(value) is None

    def _compile_object(self, node: Node) -> Fits:
        if "properties" in node:
            properties = {key: self._compile(child) for key, child in node["properties"].items()}
            required = frozenset(node.get("required", ()))
            lookup = properties.get

            def fits_struct(value: Any) -> bool:
                if not isinstance(value, dict) or not required <= value.keys():
                    return False
                for key, inner in value.items():
                    check = lookup(key)
                    if check is None or not check(inner):
                        return False
                return True

            return fits_struct
        if "additionalProperties" in node:
            item = self._compile(node["additionalProperties"])
            return lambda value: isinstance(value, dict) and all(map(item, value.values()))
        return lambda value: isinstance(value, dict)


# ── the walker that tells ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Place:
    """Where we are: the path as users write it, and as Go's decoder names it (innermost struct, dotted fields)."""

    path: str = ""
    struct: str = ""
    fields: tuple[str, ...] = ()

    def inside(self, definition: str) -> _Place:
        return _Place(self.path, definition.rpartition(".")[2], self.fields) if definition else self

    def key(self, name: str) -> _Place:
        return _Place(f"{self.path}.{name}" if self.path else name, self.struct, (*self.fields, name))

    def entry(self, key: str) -> _Place:
        return _Place(f"{self.path}[{key}]", self.struct, self.fields)


def _inspect(schemas: Schemas, node: Node, value: Any, place: _Place, report: Report) -> None:
    name = _name(node)
    if name in _FREE:
        return
    if name == _QUANTITY:
        _inspect_quantity(value, place, report)
        return
    resolved = schemas.resolve(node)
    match resolved.get("type"):
        case "object" if not isinstance(value, dict):
            _mistyped(schemas, node, scalars.called(value), place, report)
        case "object":
            _inspect_object(schemas, resolved, value, place.inside(name), report)
        case "array" if not isinstance(value, list):
            _mistyped(schemas, node, scalars.called(value), place, report)
        case "array":
            for index, item in enumerate(value):
                report.nulls = report.nulls or item is None
                given = _zero(schemas, resolved["items"]) if item is None else item
                if given is not None:
                    _inspect(schemas, resolved["items"], given, place.entry(str(index)), report)
        case None:
            return
        case _:
            if (found := scalars.judge(resolved)(value)) is not None:
                _mistyped(schemas, node, found, place, report)


def _inspect_object(schemas: Schemas, node: Node, value: dict[str, Any], place: _Place, report: Report) -> None:
    properties = node.get("properties")
    if properties is None:
        _inspect_map(schemas, node.get("additionalProperties"), value, place, report)
        return
    for key, inner in value.items():
        child = properties.get(key)
        if child is None:
            report.unknown.append(f"{place.path}.{key}" if place.path else key)
        elif inner is None:
            report.nulls = True
        else:
            _inspect(schemas, child, inner, place.key(key), report)
    for key in node.get("required", ()):
        if value.get(key) is None:
            report.required.append(errors.required(f"{place.path}.{key}" if place.path else key))


def _inspect_map(schemas: Schemas, node: Node | None, value: dict[str, Any], place: _Place, report: Report) -> None:
    if node is None:
        return
    for key, inner in value.items():
        if inner is None:
            report.nulls = True
        else:
            _inspect(schemas, node, inner, place.entry(key), report)


def _inspect_quantity(value: Any, place: _Place, report: Report) -> None:
    if not isinstance(value, str | int | float) or isinstance(value, bool) or not quantity.is_valid(value):
        report.decode.append(quantity.BAD_FORM)
    elif not quantity.is_canonical(value):
        report.nulls = True


def _mistyped(schemas: Schemas, node: Node, found: str, place: _Place, report: Report) -> None:
    if found.startswith(("illegal base64", "parsing time")):
        report.decode.append(found)
        return
    where = f" into Go struct field {place.struct}.{'.'.join(place.fields)}" if place.fields else " into Go value"
    report.decode.append(f"json: cannot unmarshal {found}{where} of type {_go_type(schemas, node)}")


def _go_type(schemas: Schemas, node: Node) -> str:
    """The type in Go's spelling: ``[]v1.Container``, ``map[string]string``, ``int32``."""
    name = _name(node)
    if name:
        definition = schemas.definitions[name]
        if name == _MICRO_TIME or definition.get("type") == "object" or "properties" in definition:
            return ".".join(name.split(".")[-2:])
        node = definition
    match node.get("type"):
        case "array":
            return "[]" + _go_type(schemas, node["items"])
        case "object":
            more = node.get("additionalProperties")
            return "map[string]" + (_go_type(schemas, more) if more else "interface {}")
        case "boolean":
            return "bool"
        case "integer":
            return str(node.get("format", "int64"))
        case "number":
            return "float64"
    return "string"


def _name(node: Node) -> str:
    ref: str = node.get("$ref", "")
    return ref.removeprefix(_REF)


def _pruned(schemas: Schemas, node: Node, value: Any) -> Any:
    """A copy without fields that are unknown or null, its quantities as Go would write them."""
    if _name(node) in _FREE:
        return value
    if _name(node) == _QUANTITY:
        return quantity.canonical(value) if quantity.is_valid(value) else value
    resolved = schemas.resolve(node)
    if isinstance(value, list) and "items" in resolved:
        items: Node = resolved["items"]
        return [_zero(schemas, items) if item is None else _pruned(schemas, items, item) for item in value]
    if not isinstance(value, dict):
        return value
    properties: Mapping[str, Node] | None = resolved.get("properties")
    more: Node | None = resolved.get("additionalProperties")
    if properties is not None:
        return {k: _pruned(schemas, properties[k], v) for k, v in value.items() if v is not None and k in properties}
    if more is not None:
        return {k: _pruned(schemas, more, v) for k, v in value.items() if v is not None}
    return value


def _zero(schemas: Schemas, node: Node) -> Any:
    """What the decoder makes of a null in a list: the type's zero value; null stays where it is a value itself."""
    if _name(node) in _FREE:
        return None
    return "0" if _name(node) == _QUANTITY else scalars.zero(schemas.resolve(node))


def of(definitions: Mapping[str, Node], names: Sequence[str] = ()) -> Schemas:
    """Schemas with these definitions compiled at once rather than when first asked."""
    schemas = Schemas(definitions)
    for name in names:
        schemas.fits(name)
    return schemas
