"""Protobuf's bytes: varints, tags and length-delimited runs, and nothing about what they mean.

Neighbours: ``codec.py`` gives them names by table, ``__init__.py`` puts the Kubernetes envelope around them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

Value: TypeAlias = int | bytes
_MASK64: Final = (1 << 64) - 1


class Malformed(ValueError):
    """The bytes are no protobuf message; the text is the one Go's decoder uses where it has one."""


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """(unsigned value, position behind it)."""
    result = shift = 0
    while True:
        if position >= len(data):
            raise Malformed("unexpected EOF")
        if shift >= 70:
            raise Malformed("proto: integer overflow")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & _MASK64, position
        shift += 7


def read_fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """(field number, wire type, value) in order; a value is an int for VARINT and bytes otherwise."""
    position, end = 0, len(data)
    while position < end:
        tag, position = read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            number_value, position = read_varint(data, position)
            yield number, wire_type, number_value
            continue
        size, position = _size(data, position, number, wire_type)
        stop = position + size
        if stop > end:
            raise Malformed("unexpected EOF")
        yield number, wire_type, data[position:stop]
        position = stop


def _size(data: bytes, position: int, number: int, wire_type: int) -> tuple[int, int]:
    if number == 0:
        raise Malformed(f"proto: illegal tag {number} (wire type {wire_type})")
    if wire_type == BYTES:
        return read_varint(data, position)
    if wire_type == FIXED64:
        return 8, position
    if wire_type == FIXED32:
        return 4, position
    raise Malformed(f"proto: illegal wireType {wire_type}")


def write_varint(value: int) -> bytes:
    """``value`` as a varint; a negative one as its 64 bit two's complement."""
    value &= _MASK64
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, wire_type: int) -> bytes:
    return write_varint(number << 3 | wire_type)


def delimited(tag_bytes: bytes, payload: bytes) -> bytes:
    """A BYTES field: its tag, its length, its payload."""
    return tag_bytes + write_varint(len(payload)) + payload


def signed(value: int, bits: int) -> int:
    """The low ``bits`` of an unsigned varint as a signed number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
