"""Sets of fields in the form of FieldsV1, and the sets that objects give."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds import schemas as data
from pybernetes.meta import fieldmerge, fieldschema, fieldset
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
POD = fieldschema.root(SCHEMAS, "io.k8s.api.core.v1.Pod")
DEPLOYMENT = fieldschema.root(SCHEMAS, "io.k8s.api.apps.v1.Deployment")
CUSTOM = fieldschema.root(SCHEMAS, "com.example.v1.Widget")

A: Any = {"f:a": {}}
B: Any = {"f:b": {}}
PARENT_AND_CHILD: Any = {"f:p": {".": {}, "f:c": {}}}
PARENT: Any = {"f:p": {}}
CHILD: Any = {"f:p": {"f:c": {}}}


@pytest.mark.parametrize(
    ("one", "other", "union", "difference", "intersection"),
    [
        (A, B, {**A, **B}, A, {}),
        (A, A, A, {}, A),
        (A, {}, A, A, {}),
        ({}, A, A, {}, {}),
        (PARENT, CHILD, PARENT_AND_CHILD, PARENT, {}),
        (CHILD, PARENT, PARENT_AND_CHILD, CHILD, {}),
        (PARENT_AND_CHILD, PARENT, PARENT_AND_CHILD, CHILD, PARENT),
        (PARENT_AND_CHILD, CHILD, PARENT_AND_CHILD, PARENT, CHILD),
    ],
)
def test_sets_combine_member_by_member(one: Any, other: Any, union: Any, difference: Any, intersection: Any) -> None:
    assert fieldset.union(one, other) == union
    assert fieldset.difference(one, other) == difference
    assert fieldset.intersection(one, other) == intersection


def test_a_field_is_cut_with_everything_below_it() -> None:
    fields = {"f:status": {"f:phase": {}}, "f:metadata": {".": {}, "f:labels": {"f:a": {}}}}
    assert fieldset.without(fields, ("status",)) == {"f:metadata": fields["f:metadata"]}
    assert fieldset.without(fields, ("metadata", "labels")) == {"f:status": {"f:phase": {}}, "f:metadata": {}}
    assert fieldset.without(fields, ("spec",)) is fields


def test_paths_read_as_messages_tell_them() -> None:
    element = 'k:{"containerPort":80,"protocol":"TCP"}'
    fields = {"f:spec": {".": {}, "f:ports": {element: {".": {}, "f:name": {}}}, "f:set": {'v:"x"': {}}}}
    assert [fieldset.text(path) for path in fieldset.paths(fields)] == [
        ".spec",
        '.spec.ports[containerPort=80,protocol="TCP"]',
        '.spec.ports[containerPort=80,protocol="TCP"].name',
        '.spec.set[="x"]',
    ]
    assert fieldset.holds(fields, ("f:spec", "f:set", 'v:"x"'))
    assert not fieldset.holds(fields, ("f:spec", "f:ports"))


@pytest.mark.parametrize("bad", [[], {"spec": {}}, {"f:a": 1}, {"k:{": {}}, {"v:": {}}, {"i:x": {}}, {"k:[]": {}}])
def test_what_is_no_set_is_not_taken_for_one(bad: Any) -> None:
    assert not fieldset.is_valid(bad)


CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "command": ["a"], "resources": {}}
CONTAINER_FIELDS: Any = {
    ".": {}, "f:name": {}, "f:image": {}, "f:command": {}, "f:resources": {},
    "f:ports": {".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
}  # fmt: skip
KEY = 'k:{"name":"c"}'


def test_a_new_object_gives_every_field_but_those_that_only_the_server_writes() -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "uid": "u", "generateName": "p-", "labels": {"a": "1"}, "finalizers": ["f"],
                     "managedFields": [{}], "ownerReferences": [{"uid": "o", "name": "n"}]},
        "spec": {"containers": [CONTAINER], "nodeSelector": {"k": "v"}, "tolerations": [{"key": "t"}]},
        "status": {},
    }  # fmt: skip
    assert POD.compared({}, pod).changed == {
        "f:metadata": {
            "f:generateName": {},
            "f:labels": {".": {}, "f:a": {}},
            "f:finalizers": {".": {}, 'v:"f"': {}},
            "f:ownerReferences": {".": {}, 'k:{"uid":"o"}': {}},
        },
        # an atomic map and an atomic list are owned as a whole; spec and containers are there in an empty object too
        "f:spec": {"f:containers": {KEY: CONTAINER_FIELDS}, "f:nodeSelector": {}, "f:tolerations": {}},
    }


def test_who_applies_names_leaves_map_keys_and_elements_but_no_structs() -> None:
    applied = {"metadata": {"labels": {"a": "1"}, "annotations": {}}, "spec": {"containers": [CONTAINER]}}
    assert POD.owned(applied) == {
        "f:metadata": {"f:labels": {"f:a": {}}, "f:annotations": {}},
        "f:spec": {"f:containers": {KEY: {
            **CONTAINER_FIELDS,
            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
        }}},
    }  # fmt: skip


def test_custom_data_is_owned_key_by_key_and_list_by_list() -> None:
    widget = {"metadata": {"labels": {"a": "1"}}, "spec": {"size": 1, "parts": [{"name": "x"}], "deep": {"er": {}}}}
    assert CUSTOM.owned(widget) == {
        "f:metadata": {"f:labels": {"f:a": {}}},
        "f:spec": {".": {}, "f:size": {}, "f:parts": {}, "f:deep": {".": {}, "f:er": {}}},
    }


def test_a_comparison_tells_what_changed_and_what_is_gone() -> None:
    old = {"spec": {"containers": [{"name": "c", "image": "1"}, {"name": "d"}], "hostname": "h", "nodeSelector": {}}}
    new = {"spec": {"containers": [{"name": "c", "image": "2"}, {"name": "e"}], "nodeSelector": {"a": "b"}}}
    found = POD.compared(old, new)
    assert found.changed == {
        "f:spec": {
            "f:containers": {KEY: {"f:image": {}}, 'k:{"name":"e"}': {".": {}, "f:name": {}}},
            "f:nodeSelector": {},
        }
    }
    assert found.gone == {"f:spec": {"f:containers": {'k:{"name":"d"}': {".": {}, "f:name": {}}}, "f:hostname": {}}}


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("abc", "ac", "abc"), ("abc", "ca", "bca"), ("abc", "d", "abcd"), ("abc", "xb", "axbc"), ("ab", "ba", "ba"),
        ("axb", "ba", "xba"), ("", "ab", "ab"), ("ab", "", "ab"),
    ],
)  # fmt: skip
def test_elements_come_in_the_applied_order_among_those_that_live(live: str, applied: str, merged: str) -> None:
    lists = [{"spec": {"containers": [{"name": n} for n in names]}} for names in (live, applied)]
    result = fieldmerge.merged(POD, *lists)
    assert "".join(c["name"] for c in result["spec"]["containers"]) == merged


def test_removing_all_of_a_value_removes_the_value() -> None:
    pod = {"metadata": {"labels": {"a": "1"}}, "spec": {"hostname": "h", "containers": [{"name": "c", "image": "i"}]}}
    gone = {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:containers": {KEY: {"f:image": {}}}}}
    assert fieldmerge.removed(POD, pod, gone) == {"spec": {"hostname": "h", "containers": [{"name": "c"}]}}


@pytest.mark.parametrize(
    ("applied", "fault"),
    [
        ({"spec": {"foo": 1}}, ".spec.foo: field not declared in schema"),
        ({"spec": {"containers": [{"name": "a", "foo": 1}]}},
         '.spec.containers[name="a"].foo: field not declared in schema'),
        ({"spec": {"containers": [{"name": "a"}, {"name": "a"}]}},
         '.spec.containers: duplicate entries for key [name="a"]'),
        ({"spec": {"containers": [{"image": "a"}]}},
         '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] '
         "(and doesn't have default values for any key fields)"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_told_with_its_place(applied: Any, fault: str) -> None:
    assert list(fieldmerge.faults(POD, applied)) == [fault]


def test_custom_objects_may_have_any_field() -> None:
    assert not list(fieldmerge.faults(CUSTOM, {"apiVersion": "x/v1", "spec": {"any": [1]}, "top": 1}))
