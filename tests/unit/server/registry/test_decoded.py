"""Stored values are decoded once, and known by their very bytes."""

from __future__ import annotations

from pybernetes.server.registry.decoded import Decoded
from pybernetes.storage import codec
from pybernetes.storage.port import Record


def value(name: str = "a") -> bytes:
    return codec.encode({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})


def test_a_record_is_the_same_dict_for_everybody() -> None:
    decoded, record = Decoded(), Record("/registry/core/configmaps/ns/a", value(), 7, 7)
    obj = decoded.record(record)
    assert obj["metadata"] == {"name": "a", "resourceVersion": "7"}
    assert decoded.record(record) is obj


def test_what_a_writer_leaves_behind_gets_its_revision_when_it_is_read() -> None:
    decoded, stored = Decoded(), value()
    obj = {"metadata": {"name": "a", "resourceVersion": "6"}}
    decoded.put(stored, obj)
    assert decoded.before(stored) is obj
    assert "resourceVersion" not in obj["metadata"]
    assert decoded.value(stored, 7) is obj
    assert obj["metadata"]["resourceVersion"] == "7"


def test_equal_bytes_of_another_write_are_another_object() -> None:
    decoded, one, other = Decoded(), value(), value()
    assert decoded.value(one, 1)["metadata"]["resourceVersion"] == "1"
    assert decoded.value(other, 2)["metadata"]["resourceVersion"] == "2"


def test_the_oldest_goes_first() -> None:
    decoded, values = Decoded(kept=2), [value(name) for name in "abc"]
    first, second, third = (decoded.value(stored, 1) for stored in values)
    assert decoded.value(values[2], 1) is third
    assert decoded.value(values[1], 1) is second
    assert decoded.value(values[0], 1) is not first
