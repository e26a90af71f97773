"""JSON patches by RFC 6902, and JSON merge patches by RFC 7386."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pybernetes.meta import errors, jsonpatch, mergepatch


def op(op: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


@pytest.mark.parametrize(
    ("document", "operations", "wanted"),
    [
        ({"a": 1}, [op("add", "/b", value=2)], {"a": 1, "b": 2}),
        ({"a": [1, 3]}, [op("add", "/a/1", value=2)], {"a": [1, 2, 3]}),
        ({"a": [1]}, [op("add", "/a/-", value=2)], {"a": [1, 2]}),
        ({"a": 1}, [op("add", "/a", value=2)], {"a": 2}),
        ({"a": 1, "b": 2}, [op("remove", "/a")], {"b": 2}),
        ({"a": [1, 2]}, [op("remove", "/a/0")], {"a": [2]}),
        ({"a": 1}, [op("replace", "/a", value=None)], {"a": None}),
        ({"a": {"b": 1}}, [op("move", "/c", **{"from": "/a/b"})], {"a": {}, "c": 1}),
        ({"a": 1}, [op("copy", "/b", **{"from": "/a"})], {"a": 1, "b": 1}),
        ({"a": 1}, [op("test", "/a", value=1), op("replace", "/a", value=2)], {"a": 2}),
        ({}, [op("test", "/a", value=None)], {}),
        ({"a/b": {"c~d": 1}}, [op("replace", "/a~1b/c~0d", value=2)], {"a/b": {"c~d": 2}}),
        ({"a": 1}, [op("replace", "", value=[])], []),
    ],
)
def test_operations_apply_in_order(document: Any, operations: Any, wanted: Any) -> None:
    before = copy.deepcopy(document)
    assert jsonpatch.apply(document, operations) == wanted
    assert document == before


@pytest.mark.parametrize(
    "operation",
    [
        op("remove", "/x"), op("replace", "/x", value=1), op("add", "/x/y", value=1), op("add", "/a/5", value=1),
        op("add", "/a/01", value=1), op("test", "/a/0", value=True), op("copy", "/y", **{"from": "/x"}),
        op("add", "/y"), op("move", "/a/0/b", **{"from": "/a/0"}), op("add", "y", value=1), {"op": "add", "value": 1},
    ],
)  # fmt: skip
def test_an_operation_that_does_not_fit_is_told_as_invalid(operation: Any) -> None:
    with pytest.raises(errors.Invalid, match="the server rejected our request due to an error in our request"):
        jsonpatch.apply({"a": [1]}, [operation])


@pytest.mark.parametrize("patch", [{}, [1], [op("mend", "/a")], [{"path": "/a"}]])
def test_what_is_no_json_patch_is_a_bad_request(patch: Any) -> None:
    with pytest.raises(errors.BadRequest):
        jsonpatch.apply({}, patch)


def test_a_patch_of_too_many_operations_is_refused() -> None:
    with pytest.raises(errors.RequestEntityTooLarge, match="10000, got 10001"):
        jsonpatch.apply({}, [op("test", "/a", value=None)] * 10_001)


@pytest.mark.parametrize(
    ("document", "patch", "wanted"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a"], ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ([1], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"b": {"c": None}}}, {"a": {"b": {}}}),
    ],
)
def test_a_merge_patch_does_what_the_rfc_shows(document: Any, patch: Any, wanted: Any) -> None:
    before = copy.deepcopy(document)
    assert mergepatch.apply(document, patch) == wanted
    assert document == before
