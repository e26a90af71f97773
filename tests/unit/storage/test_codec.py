from __future__ import annotations

import orjson
import pytest

from pybernetes.storage import codec


def test_keys_name_group_resource_namespace_and_name() -> None:
    assert codec.key("", "pods", "default", "web") == "/registry/core/pods/default/web"
    assert codec.key("apps", "deployments", "default", "web") == "/registry/apps/deployments/default/web"
    assert codec.key("", "nodes", "", "n1") == "/registry/core/nodes/n1"
    assert codec.prefix("", "pods") == "/registry/core/pods/"


def test_a_stored_value_opens_with_its_type_and_metadata_and_has_no_revision() -> None:
    obj = {"spec": {"metadata": {"x": 1}}, "metadata": {"name": "a", "resourceVersion": "7"}, "kind": "Pod"}
    value = codec.encode(obj | {"apiVersion": "v1"})
    assert value == b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"metadata":{"x":1}}}'
    assert obj["metadata"] == {"name": "a", "resourceVersion": "7"}


def test_the_revision_is_spliced_into_the_objects_own_metadata() -> None:
    obj = {"apiVersion": "v1", "kind": '"metadata":{', "metadata": {"name": "a"}, "spec": {"metadata": {}}}
    spliced = orjson.loads(codec.splice(codec.encode(obj), 42))
    assert spliced["metadata"] == {"name": "a", "resourceVersion": "42"}
    assert spliced["spec"] == {"metadata": {}}


def test_an_object_without_metadata_is_refused() -> None:
    with pytest.raises(ValueError, match="without metadata"):
        codec.encode({"apiVersion": "v1", "kind": "Pod", "metadata": {}})


def test_foreign_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="no metadata"):
        codec.splice(b"{}", 1)


def test_decoding_gives_the_object_with_its_revision() -> None:
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    assert codec.decode(codec.encode(obj), 9) == obj | {"metadata": {"name": "a", "resourceVersion": "9"}}
