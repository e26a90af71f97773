"""One rule against one question, and what one set of rules lacks of another."""

from __future__ import annotations

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.server import requestinfo
from pybernetes.server.authz import rules
from pybernetes.server.context import Request

from ..build import rule


def allows(obj: Obj, line: str) -> bool:
    method, path = line.split()
    return rules.rule(obj).allows(requestinfo.of(Request(method, path)))


@pytest.mark.parametrize(
    ("obj", "line", "allowed"),
    [
        (rule("get list", "pods"), "GET /api/v1/pods", True),
        (rule("get", "pods"), "GET /api/v1/pods", False),
        (rule("*", "*", "*"), "DELETE /apis/apps/v1/namespaces/a/deployments/d", True),
        (rule("get", "pods"), "GET /api/v1/namespaces/a/pods/p/log", False),
        (rule("get", "pods/log"), "GET /api/v1/namespaces/a/pods/p/log", True),
        (rule("get", "pods/log"), "GET /api/v1/namespaces/a/pods/p", False),
        (rule("update", "*/scale", "apps"), "PUT /apis/apps/v1/namespaces/a/deployments/d/scale", True),
        (rule("update", "*/scale", "apps"), "PUT /apis/apps/v1/namespaces/a/deployments/d", False),
        (rule("get", "deployments"), "GET /apis/apps/v1/namespaces/a/deployments/d", False),
        (rule("get", "secrets", names="s"), "GET /api/v1/namespaces/a/secrets/s", True),
        (rule("get list", "secrets", names="s"), "GET /api/v1/namespaces/a/secrets", False),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}, "GET /healthz/ping", True),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}, "GET /healthz", False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, "GET /metrics", True),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, "GET /api/v1/pods", False),
    ],
)
def test_a_rule_allows(obj: Obj, line: str, allowed: bool) -> None:
    assert allows(obj, line) is allowed


@pytest.mark.parametrize(
    ("held", "wanted", "told"),
    [
        (rule("*", "*", "*"), rule("get create", "pods secrets"), []),
        (rule("get", "pods"), rule("get", "pods", names="p"), []),
        (rule("get", "pods", names="p"), rule("get", "pods"), ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']),
        (rule("get", "pods"), rule("get list", "pods"), ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}']),
        (rule("get", "*/log"), rule("get", "pods/log"), []),
        (
            rule("get", "pods"), {"verbs": ["get", "post"], "nonResourceURLs": ["/metrics"]},
            ['{NonResourceURLs:["/metrics"], Verbs:["get" "post"]}'],
        ),
    ],
)  # fmt: skip
def test_rules_lack_of_others(held: Obj, wanted: Obj, told: list[str]) -> None:
    lacking = rules.missing([rules.rule(held)], [wanted])
    assert [rules.shown(obj) for obj in rules.compact(lacking)] == told
