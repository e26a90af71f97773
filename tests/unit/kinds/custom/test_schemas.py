"""Structural schemas on objects, and what keeps a schema from being structural."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.custom import ruling, structural, structure
from pybernetes.kinds.custom.judge import judge
from pybernetes.kinds.custom.rules import Ruled
from pybernetes.meta.objects import Obj

STRING: Obj = {"type": "string"}


def of(**properties: Any) -> Obj:
    return {"type": "object", "properties": properties}


def mistyped(path: str, is_: str, wanted: str) -> str:
    return f'{path}: Invalid value: "{is_}": {path} in body must be of type {wanted}: "{is_}"'


def complaints(value: Any, schema: Obj) -> list[str]:
    return [str(one) for one in judge({"x": value}, of(x=schema))]


def test_pruning_keeps_what_is_preserved_and_what_every_object_has() -> None:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": of(b=STRING)}}
    embedded = {**of(spec={"type": "object"}), "x-kubernetes-embedded-resource": True}
    obj = {
        "apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "gone": 1,
        "free": {"any": {"thing": 1}, "a": {"b": "", "gone": 1}},
        "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {}, "spec": {"gone": 1}},
    }  # fmt: skip
    found, gone = structural.pruned(obj, of(free=free, pod=embedded))
    assert gone == ["gone", "free.a.gone", "pod.status", "pod.spec.gone"]
    assert found["free"] == {"any": {"thing": 1}, "a": {"b": ""}}
    assert found["pod"] == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}


def test_a_list_that_is_preserved_is_kept_with_all_that_is_in_it() -> None:
    schema = of(any={"x-kubernetes-preserve-unknown-fields": True})
    assert structural.pruned({"any": [{"a": [{"b": 1}]}]}, schema) == ({"any": [{"a": [{"b": 1}]}]}, [])


def test_defaults_come_where_nothing_is_and_a_null_that_may_not_be_is_nothing() -> None:
    schema = of(
        a={**STRING, "default": "x"},
        b={**STRING, "nullable": True},
        c=STRING,
        d={**of(e={**STRING, "default": "y"}), "default": {}},
    )
    assert structural.defaulted({"a": None, "b": None, "c": None}, schema) == {"a": "x", "b": None, "d": {"e": "y"}}
    assert structural.has_defaults(schema)
    whole = {"a": "1"}
    assert structural.defaulted(whole, of(a=STRING)) is whole


@pytest.mark.parametrize(
    ("value", "schema", "told"),
    [
        (1, STRING, [mistyped("x", "integer", "string")]),
        (None, STRING, [mistyped("x", "null", "string")]),
        ("a", {"x-kubernetes-int-or-string": True}, []),
        (1.5, {"x-kubernetes-int-or-string": True}, [mistyped("x", "number", "integer,string")]),
        (3.0, {"type": "integer"}, []),
        (
            0, {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
            ["x: Invalid value: 0: x in body should be greater than 0"],
        ),
        (7, {"type": "integer", "multipleOf": 2}, ["x: Invalid value: 7: x in body should be a multiple of 2"]),
        ("abc", {**STRING, "maxLength": 2}, ["x: Too long: may not be more than 2 bytes"]),
        ("a", {**STRING, "format": "ipv4"}, [mistyped("x", "a", "ipv4")]),
        (
            [], {"type": "array", "items": STRING, "minItems": 1},
            ["x: Invalid value: 0: x in body should have at least 1 items"],
        ),
        (
            ["a", "a"], {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
            ['x[1]: Duplicate value: "a"'],
        ),
        ({}, {"type": "object", "required": ["y"]}, ["x.y: Required value"]),
        ({"y": 1}, {"type": "object", "additionalProperties": STRING}, [mistyped("x.y", "integer", "string")]),
        ("a", {**STRING, "not": {"enum": ["a"]}}, ['<nil>: Invalid value: "": "x" must not validate the schema (not)']),
        (
            {}, {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            [
                "x.a: Required value",
                '<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found none valid',
            ],
        ),
    ],
)  # fmt: skip
def test_values_are_judged_in_upstreams_words(value: Any, schema: Obj, told: list[str]) -> None:
    assert complaints(value, schema) == told


def test_keys_of_a_list_of_maps_are_unique() -> None:
    schema = {
        "type": "array", "items": of(name=STRING, v=STRING), "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    }  # fmt: skip
    assert complaints([{"name": "a", "v": "1"}, {"name": "a"}], schema) == ['x[1]: Duplicate value: {"name":"a"}']


def test_what_an_update_leaves_as_it_was_is_not_judged_again() -> None:
    schema = of(a={**STRING, "maxLength": 1}, b=STRING)
    assert judge({"a": "long", "b": "new"}, schema, {"a": "long", "b": "old"}) == []
    assert judge({"a": "other", "b": "new"}, schema, {"a": "long", "b": "old"}) != []


def test_rules_tell_their_message_their_field_and_their_reason() -> None:
    rules = [
        {"rule": "self.a < self.b", "messageExpression": "'a is ' + string(self.a)", "fieldPath": ".a"},
        {"rule": "self.a != 3", "reason": "FieldValueForbidden", "message": "never 3"},
        {"rule": "self.a > 1000"},
    ]
    number = {"type": "integer"}
    ruled = Ruled({**of(s={**of(a=number, b=number), "x-kubernetes-validations": rules})})
    assert [(one.reason, str(one)) for one in ruled.judge({"s": {"a": 3, "b": 2}})] == [
        ("FieldValueInvalid", 's.a: Invalid value: "object": a is 3'),
        ("FieldValueForbidden", "s: Forbidden: never 3"),
        ("FieldValueInvalid", 's: Invalid value: "object": failed rule: self.a > 1000'),
    ]


def test_a_transition_rule_needs_a_former_self_unless_it_is_optional() -> None:
    strict = Ruled(of(a={**STRING, "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "no"}]}))
    assert strict.judge({"a": "1"}) == []
    assert strict.judge({"a": "1"}, {}) == []
    assert [str(one) for one in strict.judge({"a": "2"}, {"a": "1"})] == ['a: Invalid value: "string": no']
    rule = {"rule": "oldSelf.hasValue() || self == 'first'", "optionalOldSelf": True, "message": "begin with first"}
    lenient = Ruled(of(a={**STRING, "x-kubernetes-validations": [rule]}))
    assert [str(one) for one in lenient.judge({"a": "x"})] == ['a: Invalid value: "string": begin with first']
    assert lenient.judge({"a": "x"}, {"a": "first"}) == []


def test_texts_that_are_times_are_times_to_rules() -> None:
    rule = {"rule": "self.end - self.begin <= duration('1h')", "message": "too long"}
    time = {**STRING, "format": "date-time"}
    ruled = Ruled({**of(begin=time, end=time), "x-kubernetes-validations": [rule]})
    assert ruled.judge({"begin": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}) == []
    assert ruled.judge({"begin": "2026-01-01T00:00:00Z", "end": "2026-01-01T02:00:00Z"}) != []


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"properties": {}}, "s.type: Required value: must not be empty at the root"),
        (of(a={}), "s.properties[a].type: Required value: must not be empty for specified object fields"),
        (of(a={"type": "array"}), "s.properties[a].items: Required value: must be specified"),
        (of(a={"type": "array", "items": {}}), "s.properties[a].items.type: Required value: must not be empty for "),
        (of(a={**STRING, "anyOf": [STRING]}), "s.properties[a].anyOf[0].type: Forbidden: must be empty to be "),
        (of(a={**STRING, "default": 1}), 's.properties[a].default: Invalid value: "integer": default in body must be '),
        (of(a={**STRING, "pattern": "["}), "must be a valid regular expression, but isn't"),
    ],
)  # fmt: skip
def test_what_is_not_structural_is_told_with_its_path(schema: Obj, told: str) -> None:
    found = [str(one) for one in structure.structural_errors(schema, "s")]
    assert any(told in one for one in found), found


def test_a_rule_that_could_take_for_ever_is_refused_and_one_that_is_bounded_is_not() -> None:
    def listed(**bound: int) -> Obj:
        inner = {"type": "array", "items": {**STRING, **({"maxLength": 10} if bound else {})}, **bound}
        rule = {"rule": "self.all(s, s == 'text')"}
        return of(x={"type": "array", "items": {**inner, "x-kubernetes-validations": [rule]}, **bound})

    assert "estimated rule cost exceeds budget" in str(next(ruling.rule_errors(listed(), "s")))
    assert list(ruling.rule_errors(listed(maxItems=10), "s")) == []


def test_a_rule_is_compiled_when_it_is_written() -> None:
    for rule, why in (
        ("self.z", "undefined field 'z'"),
        ("self.a)", "Syntax error"),
        ("self.a", "must evaluate to a bool"),
    ):
        schema = {**of(a=STRING), "x-kubernetes-validations": [{"rule": rule}]}
        assert why in str(next(ruling.rule_errors(schema, "s")))
