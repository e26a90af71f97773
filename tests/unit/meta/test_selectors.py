"""Selectors are read, matched and refused as upstream does it."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import errors, selectors

LABELS = {"app": "web", "tier": "front", "size": "10", "empty": ""}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True), ("app", True), ("app=web", True), ("app==web", True), ("app=db", False), ("app!=db", True),
        ("other!=x", True), ("!app", False), ("!other", True), ("app in (web, db)", True), ("app notin (web)", False),
        ("other notin (x)", True), ("size>9", True), ("size<10", False), ("app>1", False), ("empty=", True),
        ("empty in (,x)", True), ("app=web,tier=front", True), ("app=web,tier=back", False), (" app = web ", True),
        ("in in (in)", False),
    ],
)  # fmt: skip
def test_a_label_selector_matches(text: str, matches: bool) -> None:
    assert selectors.parse_labels(text).matches(LABELS) is matches


@pytest.mark.parametrize(
    "text",
    ["a=b", "a==b", "a!=b", "a in (b,c)", "a notin (b,c)", "a", "!a", "a>1", "a<1", "a=b,c=d", "a in (,b)"],
)
def test_a_selectors_text_reads_as_the_same_selector(text: str) -> None:
    selector = selectors.parse_labels(text)
    assert str(selector) == text
    assert selectors.parse_labels(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b,", "found '', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": "
                "for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)  # fmt: skip
def test_a_bad_label_selector_is_refused_in_upstreams_words(text: str, message: str) -> None:
    with pytest.raises(errors.BadRequest) as refused:
        selectors.parse_labels(text)
    assert refused.value.message == message


@pytest.mark.parametrize("text", ["-a=b", "a=-b", "a/b/c=d", "a=" + "x" * 64])
def test_keys_and_values_must_be_labels(text: str) -> None:
    with pytest.raises(errors.BadRequest, match="unable to parse requirement"):
        selectors.parse_labels(text)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({}, ""),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}]}, "a in (x,y)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, "a notin (x)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a,b=1"),
    ],
)
def test_a_selector_object_becomes_requirements(selector: Any, text: str) -> None:
    assert str(selectors.from_label_selector(selector)) == text


def test_no_selector_object_selects_nothing_and_an_empty_one_everything() -> None:
    assert not selectors.from_label_selector(None).matches(LABELS)
    assert selectors.from_label_selector({}).matches(LABELS)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "a", "operator": "Like"}, '"Like" is not a valid label selector operator'),
        ({"key": "a", "operator": "In"}, "for 'in', 'notin' operators, values set can't be empty"),
        ({"key": "a", "operator": "Exists", "values": ["x"]},
         "values set must be empty for exists and does not exist"),
    ],
)  # fmt: skip
def test_a_bad_expression_is_refused(expression: Any, message: str) -> None:
    with pytest.raises(errors.BadRequest, match=message):
        selectors.from_label_selector({"matchExpressions": [expression]})


FIELDS = {"metadata.name": "web", "status.phase": "Running", "odd": "a,b=c\\d"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True), ("metadata.name=web", True), ("metadata.name==web", True), ("metadata.name!=web", False),
        ("metadata.name=web,status.phase!=Pending", True), ("missing=", True), ("missing!=x", True),
        (r"odd=a\,b\=c\\d", True),
    ],
)  # fmt: skip
def test_a_field_selector_matches(text: str, matches: bool) -> None:
    selector = selectors.parse_fields(text)
    assert selector.matches(lambda field: FIELDS.get(field, "")) is matches
    assert selectors.parse_fields(str(selector)) == selector


@pytest.mark.parametrize("text", ["metadata.name", "a=b=c", "a=b\\x"])
def test_a_bad_field_selector_is_refused(text: str) -> None:
    with pytest.raises(errors.BadRequest, match="invalid"):
        selectors.parse_fields(text)


def test_the_one_value_of_a_field_is_known() -> None:
    selector = selectors.parse_fields("spec.nodeName=n,status.phase!=Failed")
    assert selector.exact("spec.nodeName") == "n"
    assert selector.exact("status.phase") is None
