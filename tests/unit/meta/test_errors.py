"""Errors travel as Status objects, in the words and with the codes of upstream."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import errors


@pytest.mark.parametrize(
    ("error", "code", "reason", "message", "details"),
    [
        (errors.not_found("apps", "deployments", "web"), 404, "NotFound", 'deployments.apps "web" not found',
         {"name": "web", "group": "apps", "kind": "deployments"}),
        (errors.already_exists("", "pods", "p"), 409, "AlreadyExists", 'pods "p" already exists',
         {"name": "p", "kind": "pods"}),
        (errors.conflict("", "pods", "p", errors.MODIFIED), 409, "Conflict",
         'Operation cannot be fulfilled on pods "p": the object has been modified; please apply your changes to the '
         "latest version and try again", {"name": "p", "kind": "pods"}),
        (errors.forbidden("", "pods", "", "no"), 403, "Forbidden", "pods is forbidden: no", {"kind": "pods"}),
        (errors.method_not_supported("apps", "deployments", "create"), 405, "MethodNotAllowed",
         'create is not supported on resources of kind "deployments.apps"', None),
        (errors.TooManyRequests("slow", retry_after_seconds=2), 429, "TooManyRequests", "slow",
         {"retryAfterSeconds": 2}),
    ],
)  # fmt: skip
def test_an_error_becomes_a_status_and_back(
    error: errors.ApiError, code: int, reason: str, message: str, details: Any
) -> None:
    status = error.status()
    assert (status["code"], status["reason"], status["message"]) == (code, reason, message)
    assert status.get("details") == details
    again = errors.from_status(status)
    assert type(again) is type(error)
    assert again.status() == status


def test_an_unknown_reason_is_known_by_its_code() -> None:
    assert isinstance(errors.from_status({"message": "x", "reason": "Odd", "code": 409}), errors.AlreadyExists)
    assert isinstance(errors.from_status({}, 404), errors.NotFound)
    assert errors.from_status({}, 418).status()["code"] == 418


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.required("spec.x"), "spec.x: Required value"),
        (errors.required("spec.x", "why"), "spec.x: Required value: why"),
        (errors.invalid("a", 'q"', "bad"), 'a: Invalid value: "q\\"": bad'),
        (errors.invalid("a", -1, "bad"), "a: Invalid value: -1: bad"),
        (errors.invalid("a", None, "bad"), "a: Invalid value: null: bad"),
        (errors.invalid("a", True, "bad"), "a: Invalid value: true: bad"),
        (errors.invalid("a", {"b": [1]}, "bad"), 'a: Invalid value: {"b":[1]}: bad'),
        (errors.not_supported("a", "x", ["C", "B"]), 'a: Unsupported value: "x": supported values: "B", "C"'),
        (errors.duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (errors.field_forbidden("a", "no"), "a: Forbidden: no"),
        (errors.too_long("a", 3), "a: Too long: may not be more than 3 bytes"),
        (errors.too_many("a", 4, 3), "a: Too many: 4: must have at most 3 items"),
        (errors.field_not_found("a", "x"), 'a: Not found: "x"'),
    ],
)
def test_a_field_error_reads_as_upstreams(error: errors.FieldError, text: str) -> None:
    assert str(error) == text


def test_an_invalid_object_tells_all_its_faults_once() -> None:
    one = errors.invalid_object("apps", "Deployment", "d", [errors.required("spec.a")])
    assert one.message == 'Deployment.apps "d" is invalid: spec.a: Required value'
    assert one.status()["details"] == {
        "name": "d",
        "group": "apps",
        "kind": "Deployment",
        "causes": [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.a"}],
    }
    two = errors.invalid_object("", "Pod", "p", [errors.required("a"), errors.required("b"), errors.required("a")])
    assert two.message == 'Pod "p" is invalid: [a: Required value, b: Required value]'
