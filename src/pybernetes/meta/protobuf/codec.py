"""One codec for every message of a table, both ways between protobuf bytes and JSON objects.

Theory of operation. A message's rows are compiled, when it is first met, into readers by field number and writers in
field order. A reader puts one wire value into the object; a writer turns one JSON value into bytes. What differs
between fields is chosen while compiling, so decoding is a loop of look-ups.
Rule 1: JSON comes out as Go's encoder would print the decoded struct: a zero scalar is left out unless its row says
``kept``; a message that was on the wire shows, empty or not.
Rule 2: unknown field numbers are skipped, as protobuf wants it; a known field with a wrong wire type is an error.
Neighbours: ``wire.py`` (bytes), ``forms.py`` (messages with a JSON form of their own), ``kinds/schemas`` (the table).
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf import wire
from pybernetes.meta.protobuf.forms import FORMS, ZERO_IS_ABSENT, Form
from pybernetes.meta.protobuf.wire import Malformed

Messages: TypeAlias = Mapping[str, Sequence[Sequence[Any]]]
Read: TypeAlias = Callable[[Any], Any]
"""A wire value → its JSON value."""
Take: TypeAlias = Callable[[Obj, Any], None]
"""Puts a wire value into the object that is being decoded."""
Write: TypeAlias = Callable[[Any], bytes]
"""A JSON value → its payload: a varint, eight bytes, or what follows a length."""


@dataclass(frozen=True, slots=True)
class _Type:
    wire_type: int
    read: Read
    write: Write


@dataclass(frozen=True, slots=True)
class _Plan:
    readers: Mapping[int, tuple[int, bool, Take]]
    """Field number → (wire type, may it be packed, take)."""
    writers: Sequence[tuple[str, Write]]
    """JSON name ("" for an inlined message, which gets the whole object) → all bytes of the field, tags and all."""
    form: Form | None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("proto: a string field contains invalid UTF-8") from error


SCALARS: Final[Mapping[str, _Type]] = {
    "string": _Type(wire.BYTES, _text, str.encode),
    "bytes": _Type(wire.BYTES, lambda raw: base64.b64encode(raw).decode(), base64.b64decode),
    "raw": _Type(wire.BYTES, bytes, bytes),
    "bool": _Type(wire.VARINT, bool, wire.write_varint),
    "int32": _Type(wire.VARINT, lambda value: wire.signed(value, 32), wire.write_varint),
    "int64": _Type(wire.VARINT, lambda value: wire.signed(value, 64), wire.write_varint),
    "double": _Type(wire.FIXED64, lambda raw: struct.unpack("<d", raw)[0], lambda value: struct.pack("<d", value)),
}
_NOTHING: Final[Mapping[int, wire.Value]] = {wire.VARINT: 0, wire.BYTES: b"", wire.FIXED64: bytes(8)}
"""What stands for a map entry's missing key or value."""
_ZERO: Final[Mapping[str, Any]] = {"string": "", "bytes": "", "bool": False, "int32": 0, "int64": 0, "double": 0.0}


MAGIC: Final = b"k8s\x00"
"""What an envelope begins with."""


class Codec:
    """``messages`` as in ``kinds.schemas.messages()``. ``embedded`` reads a RawExtension that holds an envelope."""

    def __init__(self, messages: Messages, embedded: Callable[[bytes], Obj] | None = None) -> None:
        self._messages = messages
        self._embedded = embedded
        self._plans: dict[str, _Plan] = {}

    def decode(self, message: str, data: bytes) -> Any:
        """The JSON value of a message. Raises Malformed."""
        plan = self._plan(message)
        fields = self._fields(plan, data)
        if plan.form is None:
            return fields
        return plan.form.to_json(fields)

    def encode(self, message: str, value: Any) -> bytes:
        """The bytes of a JSON value. Raises ValueError or TypeError where the value does not fit the message."""
        plan = self._plan(message)
        obj = value if plan.form is None else plan.form.to_fields(value)
        parts = []
        for name, write in plan.writers:
            field = obj.get(name) if name else obj
            if field is not None:
                parts.append(write(field))
        return b"".join(parts)

    def _fields(self, plan: _Plan, data: bytes) -> Obj:
        out: Obj = {}
        for number, wire_type, value in wire.read_fields(data):
            reader = plan.readers.get(number)
            if reader is None:
                continue
            expected, packable, take = reader
            if wire_type == expected:
                take(out, value)
            elif packable and wire_type == wire.BYTES and isinstance(value, bytes):
                for item in _unpack(value, expected):
                    take(out, item)
            else:
                raise Malformed(f"proto: wrong wireType = {wire_type} for field {number}")
        return out

    # ── compiling ────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, message: str) -> _Plan:
        plan = self._plans.get(message)
        if plan is None:
            plan = self._plans[message] = self._compiled(message)
        return plan

    def _compiled(self, message: str) -> _Plan:
        readers: dict[int, tuple[int, bool, Take]] = {}
        writers: list[tuple[str, Write]] = []
        for number, name, kind, *words in self._messages[message]:
            word = words[0] if words else ""
            take, write, wire_type = self._field(number, name, kind, word)
            readers[number] = (wire_type, word == "repeated" and wire_type != wire.BYTES, take)
            writers.append(("" if word == "inline" else name, write))
        return _Plan(readers, writers, FORMS.get(message.rpartition(".")[2]))

    def _field(self, number: int, name: str, kind: str, word: str) -> tuple[Take, Write, int]:
        if kind.startswith("map<"):
            return *self._map(number, name, kind[4:-1].split(",")), wire.BYTES
        of = self._type(kind)
        if word == "inline":
            return _take_inline(of), _writer_of_inline(number, of), of.wire_type
        if word == "repeated":
            return _take_repeated(name, of), _writer_of_list(number, of), of.wire_type
        return _take_single(name, of, _dropped(kind, word)), _writer_of_one(number, of), of.wire_type

    def _type(self, kind: str) -> _Type:
        if kind in SCALARS:
            return SCALARS[kind]
        read: Read = lambda raw: self.decode(kind, raw)  # noqa: E731
        if kind.endswith(".RawExtension") and self._embedded is not None:
            read = self._raw_reader(kind, self._embedded)
        return _Type(wire.BYTES, read, lambda value: self.encode(kind, value))

    def _raw_reader(self, kind: str, embedded: Callable[[bytes], Obj]) -> Read:
        def read(data: bytes) -> Any:
            raw = next((v for number, _, v in wire.read_fields(data) if number == 1), b"")
            if isinstance(raw, bytes) and raw.startswith(MAGIC):
                return embedded(raw)
            return self.decode(kind, data)

        return read

    def _map(self, number: int, name: str, kinds: Sequence[str]) -> tuple[Take, Write]:
        key, value = (self._type(kind.strip()) for kind in kinds)
        key_tag, value_tag = (wire.tag(n, t.wire_type) for n, t in ((1, key), (2, value)))
        own_tag = wire.tag(number, wire.BYTES)

        def take(out: Obj, raw: bytes) -> None:
            entry = [_NOTHING[key.wire_type], _NOTHING[value.wire_type]]
            for part, wire_type, content in wire.read_fields(raw):
                if part in (1, 2):
                    if wire_type != (key, value)[part - 1].wire_type:
                        raise Malformed(f"proto: wrong wireType = {wire_type} for field {name}")
                    entry[part - 1] = content
            out.setdefault(name, {})[key.read(entry[0])] = value.read(entry[1])

        def write(mapping: Mapping[str, Any]) -> bytes:
            return b"".join(
                wire.delimited(own_tag, _tagged(key_tag, key, k) + _tagged(value_tag, value, v))
                for k, v in sorted(mapping.items())
            )

        return take, write


def _dropped(kind: str, word: str) -> tuple[Any, ...]:
    """The JSON values of a field that are left out."""
    if word == "kept":
        return (None,)
    if kind in _ZERO:
        return (None, _ZERO[kind])
    return (None, 0) if kind.rpartition(".")[2] in ZERO_IS_ABSENT else (None,)


def _take_single(name: str, of: _Type, dropped: tuple[Any, ...]) -> Take:
    def take(out: Obj, raw: Any) -> None:
        value = of.read(raw)
        if value in dropped:
            out.pop(name, None)
        else:
            out[name] = value

    return take


def _take_repeated(name: str, of: _Type) -> Take:
    def take(out: Obj, raw: Any) -> None:
        out.setdefault(name, []).append(of.read(raw))

    return take


def _take_inline(of: _Type) -> Take:
    def take(out: Obj, raw: Any) -> None:
        out.update(of.read(raw))

    return take


def _tagged(tag: bytes, of: _Type, value: Any) -> bytes:
    payload = of.write(value)
    return wire.delimited(tag, payload) if of.wire_type == wire.BYTES else tag + payload


def _writer_of_one(number: int, of: _Type) -> Write:
    tag = wire.tag(number, of.wire_type)
    return lambda value: _tagged(tag, of, value)


def _writer_of_list(number: int, of: _Type) -> Write:
    tag = wire.tag(number, of.wire_type)
    return lambda values: b"".join(_tagged(tag, of, value) for value in values)


def _writer_of_inline(number: int, of: _Type) -> Write:
    tag = wire.tag(number, of.wire_type)

    def write(obj: Obj) -> bytes:
        payload = of.write(obj)
        return wire.delimited(tag, payload) if payload else b""

    return write


def _unpack(data: bytes, wire_type: int) -> list[Any]:
    if wire_type == wire.FIXED64:
        return [data[i : i + 8] for i in range(0, len(data), 8)]
    values, position = [], 0
    while position < len(data):
        value, position = wire.read_varint(data, position)
        values.append(value)
    return values
