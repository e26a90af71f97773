"""Object types for the checker: an OpenAPI schema as protobuf messages, so that a misspelled field is found when a rule
is written and not when it is first evaluated.

Rule: what has no message (maps of lists, free-form data, int-or-string) is ``google.protobuf.Value``, which the checker
takes as ``dyn``. Names of properties that are no CEL identifiers are escaped as Kubernetes does.
Source: apiserver/pkg/cel/openapi and apiextensions' SchemaDeclType.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
ROOT: Final = "Self"
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
})  # fmt: skip
_SCALARS: Final = {"integer": "int", "number": "double", "boolean": "bool", "string": "string"}
_FORMATS: Final = {"date": "timestamp", "date-time": "timestamp", "duration": "duration", "byte": "bytes"}
_FIELD_TYPES: Final = {"int": 3, "double": 1, "bool": 8, "string": 9, "bytes": 12}
_WELL_KNOWN: Final = {
    "timestamp": ".google.protobuf.Timestamp", "duration": ".google.protobuf.Duration", "dyn": ".google.protobuf.Value",
}  # fmt: skip
_MESSAGE_TYPE: Final = 11


def escaped(name: str) -> str:
    """A property's name as rules write it, or empty where it cannot be written."""
    if name in _RESERVED:
        return f"__{name}__"
    for text, escape in (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")):
        name = name.replace(text, escape)
    return name if _IDENTIFIER.fullmatch(name) else ""


def scalar(schema: Schema) -> str:
    """The CEL type of a schema that is no object or array, ``dyn`` where it has none."""
    if schema.get("x-kubernetes-int-or-string"):
        return "dyn"
    if schema.get("type") == "string" and schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return _SCALARS.get(schema.get("type", ""), "dyn")


class Messages:
    """The messages of one schema tree; ``root`` is the signature of its type."""

    def __init__(self, schema: Schema) -> None:
        self._fields: dict[str, dict[str, tuple[str, bool]]] = {}
        self.root = self._signature(schema, ROOT)

    def _signature(self, schema: Schema, name: str) -> str:
        if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
            return f"list({self._signature(schema['items'], name + '.@items')})"
        values = schema.get("additionalProperties")
        if schema.get("type") == "object" and values:
            inner = self._signature(values, name + ".@values") if isinstance(values, Mapping) else "dyn"
            return f"map(string, {inner})"
        if is_object(schema):
            return self._message(schema, name)
        return scalar(schema)

    def _message(self, schema: Schema, name: str) -> str:
        safe = "crd." + name.replace("@", "_").replace(".", "_")
        fields = self._fields.setdefault(safe, {})
        for key, inner in (schema.get("properties") or {}).items():
            if field := escaped(key):
                fields[field] = self._field(inner, f"{name}.{field}")
        return safe

    def _field(self, schema: Schema, name: str) -> tuple[str, bool]:
        """(type, is it repeated?)"""
        signature = self._signature(schema, name)
        if signature.startswith("list("):
            inner = signature[5:-1]
            return ("dyn", False) if inner.startswith(("list(", "map(")) else (inner, True)
        return ("dyn", False) if signature.startswith("map(") else (signature, False)

    def pool(self, opaque: Iterable[str]) -> Any:
        """A descriptor pool that knows the messages, and those of other packages that have no fields."""
        from google.protobuf import descriptor_pb2, descriptor_pool, duration_pb2, struct_pb2, timestamp_pb2

        pool = descriptor_pool.DescriptorPool()
        file = descriptor_pb2.FileDescriptorProto(name="crd.proto", package="crd", syntax="proto3")
        for module in (duration_pb2, struct_pb2, timestamp_pb2):
            pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
            file.dependency.append(module.DESCRIPTOR.name)
        for name, fields in self._fields.items():
            message = file.message_type.add(name=name.removeprefix("crd."))
            for number, (field, (type_, repeated)) in enumerate(fields.items(), 1):
                told: dict[str, Any] = {"name": field, "number": number, "label": 3 if repeated else 1}
                if type_ in _FIELD_TYPES:
                    told["type"] = _FIELD_TYPES[type_]
                else:
                    told |= {"type": _MESSAGE_TYPE, "type_name": _WELL_KNOWN.get(type_, f".{type_}")}
                message.field.add(**told)
        pool.AddSerializedFile(file.SerializeToString())
        for index, name in enumerate(sorted(opaque)):
            package, _, short = name.rpartition(".")
            file = descriptor_pb2.FileDescriptorProto(name=f"opaque{index}.proto", package=package, syntax="proto3")
            file.message_type.add(name=short)
            pool.AddSerializedFile(file.SerializeToString())
        return pool


def is_object(schema: Schema) -> bool:
    """Has it properties of its own, and nothing beside them that nobody knows?"""
    return schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields")
