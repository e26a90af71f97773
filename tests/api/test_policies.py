"""Admission policies in CEL: what they deny, warn of, note and change."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response

from .objects import smallest
from .server import Server

GROUP = "admissionregistration.k8s.io"
MAPS = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
PATH = "/api/v1/namespaces/default/configmaps"


def config_map(name: str = "web", **data: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def validation(expression: str, **more: str) -> Obj:
    return {"expression": expression, **more}


async def policy(server: Server, *validations: Obj, rule: Obj = MAPS, bind: Obj | None = None, **spec: Any) -> None:
    """A ValidatingAdmissionPolicy ``p`` with a binding ``b``, which denies."""
    told = {"matchConstraints": {"resourceRules": [rule]}, "validations": list(validations), **spec}
    await server.client.create(f"validatingadmissionpolicies.{GROUP}", {"metadata": {"name": "p"}, "spec": told})
    bound = {"policyName": "p", "validationActions": ["Deny"], **(bind or {})}
    await server.client.create(f"validatingadmissionpolicybindings.{GROUP}", {"metadata": {"name": "b"}, "spec": bound})


async def mutation(server: Server, *mutations: Obj, rule: Obj = MAPS, **spec: Any) -> None:
    told = {
        "matchConstraints": {"resourceRules": [rule]}, "mutations": list(mutations), "reinvocationPolicy": "Never",
        **spec,
    }  # fmt: skip
    await server.client.create(f"mutatingadmissionpolicies.{GROUP}", {"metadata": {"name": "p"}, "spec": told})
    bound = {"policyName": "p"}
    await server.client.create(f"mutatingadmissionpolicybindings.{GROUP}", {"metadata": {"name": "b"}, "spec": bound})


def applied(expression: str) -> Obj:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patched(expression: str) -> Obj:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def warnings(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name.lower() == "warning"]


async def told(server: Server, obj: Obj) -> str:
    """Empty where the object was created, else why not."""
    try:
        await server.client.create("configmaps", obj)
    except errors.ApiError as error:
        return error.message
    return ""


# ── validating ───────────────────────────────────────────────────────────────────────────────────────────


async def test_what_does_not_hold_is_denied_in_upstreams_words(server: Server) -> None:
    await policy(server, validation("object.data.size() <= 1"))
    refused = await server.json("POST", PATH, config_map(a="1", b="2"))
    told = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: object.data.size() <= 1"
    assert refused["message"] == f'configmaps "web" is forbidden: {told}'
    assert (refused["code"], refused["reason"]) == (422, "Invalid")
    assert [cause["message"] for cause in refused["details"]["causes"]] == [told]
    assert (await server.http("POST", PATH, config_map(a="1"))).status == 201


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ({"message": "too big"}, 422, "too big"),
        ({"messageExpression": "'at most 1, but ' + string(object.data.size())"}, 422, "at most 1, but 2"),
        ({"messageExpression": "object.nothing", "message": "too big", "reason": "Forbidden"}, 403, "too big"),
        ({"message": "too big", "reason": "RequestEntityTooLarge"}, 413, "too big"),
    ],
)
async def test_a_policy_says_itself_why_and_how_it_denies(server: Server, more: Obj, code: int, message: str) -> None:
    await policy(server, validation("object.data.size() <= 1", **more))
    refused = await server.json("POST", PATH, config_map(a="1", b="2"))
    assert refused["code"] == code
    assert refused["message"].endswith(f"denied request: {message}")


async def test_a_policy_may_warn_and_note_instead(server: Server) -> None:
    await policy(server, validation("false", message="hm"), bind={"validationActions": ["Warn", "Audit"]})
    answer = await server.http("POST", PATH, config_map())
    assert answer.status == 201
    assert warnings(answer) == ["299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm\""]


async def test_variables_are_evaluated_when_they_are_used(server: Server) -> None:
    variables = [
        {"name": "keys", "expression": "object.data.size()"},
        {"name": "many", "expression": "variables.keys > 1"},
        {"name": "broken", "expression": "object.nothing"},
    ]
    await policy(server, validation("!variables.many"), variables=variables)
    assert "failed expression: !variables.many" in await told(server, config_map(a="1", b="2"))
    assert await told(server, config_map(a="1")) == ""


async def test_the_write_its_namespace_and_its_author_can_be_looked_at(server: Server) -> None:
    expression = (
        "request.operation == 'UPDATE' && oldObject.data.a == '1' && namespaceObject.metadata.name == 'default'"
        " && authorizer.group('').resource('secrets').namespace('default').check('delete').allowed()"
        " && request.resource.resource == 'configmaps'"
    )
    await policy(server, validation(expression), rule={**MAPS, "operations": ["UPDATE"]})
    await server.client.create("configmaps", config_map(a="1"))
    await server.client.update("configmaps", config_map(a="2"))
    with pytest.raises(errors.Invalid):
        await server.client.update("configmaps", config_map(a="3"))


@pytest.mark.parametrize(("failure", "passes"), [("Fail", False), ("Ignore", True)])
async def test_an_expression_that_errs_does_what_the_failure_policy_says(
    server: Server, failure: str, passes: bool
) -> None:
    await policy(server, validation("object.data.nothing == 'x'"), failurePolicy=failure)
    refused = await told(server, config_map(a="1"))
    assert (refused == "") is passes
    if not passes:
        assert refused.endswith("expression 'object.data.nothing == 'x'' resulted in error: no such key: nothing")


async def test_conditions_narrow_a_policy(server: Server) -> None:
    conditions = [{"name": "only", "expression": "object.metadata.name.startsWith('a')"}]
    await policy(server, validation("false"), matchConditions=conditions)
    assert await told(server, config_map("b")) == ""
    assert await told(server, config_map("a")) != ""


async def test_a_binding_narrows_its_policy_by_selectors_and_rules(server: Server) -> None:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "other"}}
    await policy(server, validation("false"), bind={"matchResources": {"namespaceSelector": selector}})
    assert await told(server, config_map()) == ""
    await server.client.create("namespaces", {"metadata": {"name": "other"}})
    assert await told(server, {"metadata": {"name": "a", "namespace": "other"}}) != ""


async def test_some_resources_can_be_excluded(server: Server) -> None:
    excluded = [{**MAPS, "resourceNames": ["free"]}]
    await policy(
        server, validation("false"), matchConstraints={"resourceRules": [MAPS], "excludeResourceRules": excluded}
    )
    assert await told(server, config_map("free")) == ""
    assert await told(server, config_map("web")) != ""


# ── params ───────────────────────────────────────────────────────────────────────────────────────────────

KIND = {"apiVersion": "v1", "kind": "ConfigMap"}


@pytest.mark.parametrize(
    ("ref", "denied"),
    [
        ({"name": "limits", "parameterNotFoundAction": "Deny"}, "failed expression: object.data.size() <= int"),
        ({"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Deny"}, "failed expression"),
        ({"name": "none", "parameterNotFoundAction": "Allow"}, ""),
        ({"name": "none", "parameterNotFoundAction": "Deny"},
         "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
    ],
)  # fmt: skip
async def test_a_binding_brings_params(server: Server, ref: Obj, denied: str) -> None:
    limits = {"metadata": {"name": "limits", "namespace": "default", "labels": {"limits": "yes"}}, "data": {"max": "1"}}
    await server.client.create("configmaps", limits)
    await policy(server, validation("object.data.size() <= int(params.data.max)"), paramKind=KIND,
                 bind={"paramRef": ref})  # fmt: skip
    refused = await told(server, config_map(a="1", b="2"))
    assert denied in refused
    assert bool(denied) == bool(refused)
    if "name" not in ref or ref["name"] == "limits":
        assert await told(server, config_map(a="1")) == ""


async def test_the_policies_themselves_are_never_judged(server: Server) -> None:
    everything = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}
    await policy(server, validation("false"), rule=everything)
    await server.client.delete(f"validatingadmissionpolicybindings.{GROUP}", "b")


# ── mutating ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_apply_configuration_is_merged_into_the_object(server: Server) -> None:
    rule = {"operations": ["CREATE"], "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    expression = """
        Object{metadata: Object.metadata{annotations: {"was": string(object.spec.replicas)}},
               spec: Object.spec{replicas: object.spec.replicas + 2, template: Object.spec.template{
                   spec: Object.spec.template.spec{containers: [
                       Object.spec.template.spec.containers{name: "added", image: "side:1"}]}}}}"""
    await mutation(server, applied(expression), rule=rule)
    kind = server.kinds.by_resource("deployments.apps")
    assert kind is not None
    made = await server.client.create("deployments.apps", smallest(kind))
    containers = made["spec"]["template"]["spec"]["containers"]
    assert made["spec"]["replicas"] == 3
    assert made["metadata"]["annotations"] == {"was": "1"}
    assert [c["name"] for c in containers][-1] == "added"
    assert len(containers) == 2
    assert containers[-1]["imagePullPolicy"] == "IfNotPresent"


async def test_a_json_patch_changes_the_object_and_the_next_mutation_sees_it(server: Server) -> None:
    await mutation(
        server,
        patched("[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('b'), value: 'new'}]"),
        patched("has(object.data.b) ? [JSONPatch{op: 'add', path: '/data/c', value: object.data.b}] : []"),
    )
    made = await server.client.create("configmaps", config_map(a="1"))
    assert made["data"] == {"a": "1", "b": "new", "c": "new"}


@pytest.mark.parametrize(("failure", "passes"), [("Fail", False), ("Ignore", True)])
async def test_a_mutation_that_fails_does_what_the_failure_policy_says(
    server: Server, failure: str, passes: bool
) -> None:
    await mutation(server, patched("[JSONPatch{op: 'test', path: '/data/a', value: 'x'}]"), failurePolicy=failure)
    refused = await told(server, config_map(a="1"))
    assert (refused == "") is passes
    if not passes:
        assert refused.startswith("policy 'p' with binding 'b' denied request: JSON Patch: ")


# ── what is no policy ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("validations", "spec", "wrong"),
    [
        ([validation("object.")], {},
         'spec.validations[0].expression: Invalid value: "object.": compilation failed: '),
        ([validation("'text'")], {},
         "spec.validations[0].expression: Invalid value: \"'text'\": must evaluate to bool"),
        ([], {}, "spec.validations: Required value: validations or auditAnnotations must contain at least one item"),
        ([validation("params.x")], {}, "undeclared reference to 'params"),
        ([validation("true")], {"matchConstraints": {}}, "spec.matchConstraints.resourceRules: Required value"),
        ([validation("true", reason="Odd")], {}, "spec.validations[0].reason: Unsupported value: \"Odd\""),
        ([validation("true", message="a\nb")], {}, "message must not contain line breaks"),
        ([validation("variables.x")], {"variables": [{"name": "1", "expression": "1"}]},
         "spec.variables[0].name: Invalid value: \"1\": name is not a valid CEL identifier"),
        ([validation("true")], {"matchConditions": [{"name": "a", "expression": "1"}]},
         "spec.matchConditions[0].expression: Invalid value: \"1\": must evaluate to bool"),
        ([], {"auditAnnotations": [{"key": "a", "valueExpression": "1"}]},
         "must evaluate to one of [string null_type]"),
    ],
)  # fmt: skip
async def test_a_policy_that_cannot_be_evaluated_is_not_stored(
    server: Server, validations: list[Obj], spec: Obj, wrong: str
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        await policy(server, *validations, **spec)
    assert wrong in refused.value.message


@pytest.mark.parametrize(
    ("bind", "wrong"),
    [
        ({"validationActions": []}, "spec.validationActions: Required value: at least one validation action"),
        ({"validationActions": ["Deny", "Warn"]}, "must not contain both Deny and Warn"),
        ({"policyName": ""}, "spec.policyName: Required value"),
        ({"paramRef": {}}, "spec.paramRef: Required value: one of name or selector must be specified"),
    ],
)
async def test_a_binding_that_says_too_little_is_not_stored(server: Server, bind: Obj, wrong: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        await policy(server, validation("true"), bind=bind)
    assert wrong in refused.value.message


async def test_a_webhooks_conditions_must_compile(server: Server) -> None:
    webhook = {
        "name": "a.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [MAPS],
        "clientConfig": {"url": "https://127.0.0.1/"}, "matchConditions": [{"name": "odd", "expression": "... [}"}],
    }  # fmt: skip
    with pytest.raises(errors.Invalid, match=r"webhooks\[0\].matchConditions\[0\].expression: .*compilation failed"):
        await server.client.create(
            f"validatingwebhookconfigurations.{GROUP}", {"metadata": {"name": "h"}, "webhooks": [webhook]}
        )
