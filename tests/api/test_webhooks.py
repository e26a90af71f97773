"""Webhooks over real TLS: what they see, change and refuse, and what happens when they do not answer."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from pybernetes.client import wait
from pybernetes.cluster import pki
from pybernetes.lib.http.message import HttpResponse
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.storage import codec

from .hooks import MAPS, MUTATING, VALIDATING, configuration, entry, hook, patch
from .server import Server

ALLOWED = {"allowed": True}
PATH = "/api/v1/namespaces/default/configmaps"


def config_map(name: str = "web", **more: Any) -> Obj:
    return {"metadata": {"name": name, "namespace": "default", **more}, "data": {"a": "1"}}


def condition(expression: str) -> Obj:
    return {"matchConditions": [{"name": "c", "expression": expression}]}


async def refused(server: Server, obj: Obj, resource: str = "configmaps") -> errors.ApiError:
    with pytest.raises(errors.ApiError) as found:
        await server.client.create(resource, obj)
    return found.value


# ── validating ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_webhook_sees_the_write_and_its_refusal_is_passed_on(server: Server, certificates: pki.Pki) -> None:
    async with hook(certificates, lambda asked: {"allowed": False, "status": {"message": "not today"}}) as made:
        await server.client.create(VALIDATING, configuration(made.webhook()))
        answer = await server.json("POST", PATH, config_map())
    assert (answer["code"], answer.get("reason")) == (400, None)
    assert answer["message"] == 'admission webhook "hook.example.com" denied the request: not today'
    (asked,) = made.asked
    assert made.targets == ["/ask?timeout=10s"]
    assert asked["operation"] == "CREATE"
    assert asked["kind"] == asked["requestKind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
    assert (asked["name"], asked["namespace"], asked["dryRun"]) == ("web", "default", False)
    assert asked["userInfo"]["username"] == "system:anonymous"
    assert (asked["object"]["data"], asked["oldObject"]) == ({"a": "1"}, None)
    assert asked["options"]["kind"] == "CreateOptions"


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({}, (400, None, "denied the request without explanation")),
        ({"reason": "Forbidden", "code": 403, "message": "no"}, (403, "Forbidden", "denied the request: no")),
        ({"code": 200, "reason": "NotFound"}, (400, "NotFound", "denied the request: NotFound")),
    ],
)
async def test_a_refusal_has_the_code_and_reason_that_the_webhook_gives(
    server: Server, certificates: pki.Pki, status: Obj, told: tuple[int, str | None, str]
) -> None:
    async with hook(certificates, lambda asked: {"allowed": False, "status": status}) as made:
        await server.client.create(VALIDATING, configuration(made.webhook()))
        answer = await server.json("POST", PATH, config_map())
    message = answer["message"].removeprefix('admission webhook "hook.example.com" ')
    assert (answer["code"], answer.get("reason"), message) == told


async def test_updates_and_deletions_are_asked_about_with_the_old_object(server: Server, certificates: pki.Pki) -> None:
    await server.client.create("configmaps", config_map())
    async with hook(
        certificates, lambda asked: {**ALLOWED, "warnings": ["think"], "auditAnnotations": {"k": "v"}}
    ) as made:
        await server.client.create(VALIDATING, configuration(made.webhook()))
        answer = await server.http(
            "PATCH", f"{PATH}/web", {"data": {"a": "2"}}, content_type="application/merge-patch+json"
        )
        await server.client.delete("configmaps", "web", "default")
    assert any("think" in value for name, value in answer.headers if name.lower() == "warning")
    changed, deleted = made.asked
    assert (changed["operation"], changed["object"]["data"], changed["oldObject"]["data"]) == (
        "UPDATE", {"a": "2"}, {"a": "1"},
    )  # fmt: skip
    assert (deleted["operation"], deleted["object"], deleted["oldObject"]["data"]) == ("DELETE", None, {"a": "2"})


async def test_exec_and_attach_are_asked_about(server: Server, certificates: pki.Pki) -> None:
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}
    await server.client.create("pods", pod)
    rule = {"operations": ["CONNECT"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/attach"]}
    async with hook(certificates, lambda asked: {"allowed": False, "status": {"message": "hands off"}}) as made:
        await server.client.create(VALIDATING, configuration(made.webhook(rules=[rule])))
        answer = await server.json(
            "POST", "/api/v1/namespaces/default/pods/p/attach", query={"container": "c", "stdin": "true"}
        )
    assert answer["message"].endswith("denied the request: hands off")
    (asked,) = made.asked
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "PodAttachOptions"}
    assert (asked["subResource"], asked["operation"]) == ("attach", "CONNECT")
    assert asked["object"] == {"kind": "PodAttachOptions", "apiVersion": "v1", "container": "c", "stdin": True}


# ── whom it concerns ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({"namespaceSelector": {"matchLabels": {"x": "y"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True),
        ({"objectSelector": {"matchLabels": {"hook": "me"}}}, True),
        ({"objectSelector": {"matchLabels": {"hook": "other"}}}, False),
        ({"rules": [{**MAPS, "operations": ["UPDATE"]}]}, False),
        ({"rules": [{**MAPS, "apiGroups": ["apps"]}]}, False),
        ({"rules": [{**MAPS, "resources": ["*"], "scope": "Cluster"}]}, False),
        ({"rules": [{**MAPS, "resources": ["*/*"], "scope": "Namespaced"}]}, True),
        (condition("object.metadata.name != 'web'"), False),
        (condition("request.userInfo.username == 'system:anonymous'"), True),
        (condition("authorizer.requestResource.check('create').allowed()"), True),
        (condition("authorizer.group('').resource('pods').namespace('x').check('own').allowed() == false"), False),
    ],
)  # fmt: skip
async def test_a_webhook_is_asked_about_what_it_names(
    server: Server, certificates: pki.Pki, more: Obj, asked: bool
) -> None:
    async with hook(certificates, lambda asked: ALLOWED) as made:
        await server.client.create(VALIDATING, configuration(made.webhook(**more)))
        answer = await server.http("POST", PATH, config_map(labels={"hook": "me"}))
    assert answer.status == 201
    assert bool(made.asked) is asked


async def test_another_version_of_the_same_object_is_shown_in_the_version_that_is_named(
    server: Server, certificates: pki.Pki
) -> None:
    rule = {"operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"],
            "resources": ["horizontalpodautoscalers"]}  # fmt: skip
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    target = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"scaleTargetRef": reference, "maxReplicas": 3, "metrics": [target]},
    }
    change = patch({"op": "replace", "path": "/spec/targetCPUUtilizationPercentage", "value": 70})
    async with hook(certificates, lambda asked: change) as made:
        await server.client.create(MUTATING, configuration(made.webhook(rules=[rule])))
        stored = await server.client.create("horizontalpodautoscalers.autoscaling", scaler)
    (asked,) = made.asked
    assert (asked["kind"]["version"], asked["requestKind"]["version"]) == ("v1", "v2")
    assert asked["object"]["spec"]["targetCPUUtilizationPercentage"] == 50
    assert stored["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


async def test_configurations_themselves_are_never_asked_about(server: Server, certificates: pki.Pki) -> None:
    everything = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"]}
    async with hook(certificates, lambda asked: {"allowed": False}) as made:
        for resource in (VALIDATING, MUTATING):
            await server.client.create(resource, configuration(made.webhook(rules=[everything])))
        for resource in (VALIDATING, MUTATING):
            await server.client.delete(resource, "hooks")
    assert made.asked == []


# ── mutating ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_webhooks_change_the_object_one_after_the_other(server: Server, certificates: pki.Pki) -> None:
    def says(asked: Obj) -> Obj:
        return patch(entry(f"n{len(asked['object']['data'])}"))

    async with hook(certificates, says) as made:
        webhooks = [made.webhook("b.example.com"), made.webhook("a.example.com")]
        await server.client.create(MUTATING, configuration(*webhooks))
        stored = await server.client.create("configmaps", config_map())
    assert stored["data"] == {"a": "1", "n1": "yes", "n2": "yes"}


async def test_what_a_webhook_has_made_is_pruned_and_defaulted_and_stays_itself(
    server: Server, certificates: pki.Pki
) -> None:
    init = {"name": "i", "image": "init:1", "unknown": True}
    change = patch(
        {"op": "add", "path": "/spec/initContainers", "value": [init]},
        {"op": "add", "path": "/metadata/uid", "value": "forged"},
    )
    rule = {**MAPS, "resources": ["pods"]}
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}
    async with hook(certificates, lambda asked: change) as made:
        await server.client.create(MUTATING, configuration(made.webhook(rules=[rule])))
        stored = await server.client.create("pods", pod)
    (added,) = stored["spec"]["initContainers"]
    assert (added["terminationMessagePolicy"], added["imagePullPolicy"]) == ("File", "IfNotPresent")
    assert "unknown" not in added
    assert stored["metadata"]["uid"] != "forged"
    assert any(m["mountPath"].startswith("/var/run/secrets") for m in added["volumeMounts"])


async def test_who_wants_to_is_asked_again_after_a_change_of_another(server: Server, certificates: pki.Pki) -> None:
    async with hook(certificates, lambda asked: ALLOWED) as first, hook(
        certificates, lambda asked: patch(entry("late"))
    ) as second:  # fmt: skip
        curious = first.webhook("a.example.com", reinvocationPolicy="IfNeeded")
        once = first.webhook("b.example.com")
        await server.client.create(MUTATING, configuration(curious, once, second.webhook("c.example.com")))
        await server.client.create("configmaps", config_map())
    assert [sorted(asked["object"]["data"]) for asked in first.asked] == [["a"], ["a"], ["a", "late"]]
    assert len(second.asked) == 1


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_webhook_that_cannot_be_reached_fails_the_write_or_is_ignored(
    server: Server, certificates: pki.Pki
) -> None:
    async with hook(certificates, lambda asked: ALLOWED) as made:
        pass
    await server.client.create(VALIDATING, configuration(made.webhook()))
    error = await refused(server, config_map())
    assert (error.http_code, error.message) == (
        500,
        f'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post '
        f'"https://127.0.0.1:{made.port}/ask?timeout=10s": dial tcp 127.0.0.1:{made.port}: connect: connection refused',
    )
    tolerant = configuration(made.webhook(failurePolicy="Ignore"))
    tolerant["metadata"]["resourceVersion"] = (await server.client.get(VALIDATING, "hooks"))["metadata"][
        "resourceVersion"
    ]
    await server.client.update(VALIDATING, tolerant)
    await server.client.create("configmaps", config_map())


async def test_a_webhook_that_takes_too_long_has_not_answered(server: Server, certificates: pki.Pki) -> None:
    never = asyncio.Event()
    reached = asyncio.Event()

    async def says(asked: Obj) -> Obj:
        reached.set()
        await never.wait()
        return ALLOWED

    async with hook(certificates, says) as made:
        await server.client.create(MUTATING, configuration(made.webhook(timeoutSeconds=3)))
        writing = asyncio.ensure_future(refused(server, config_map()))
        await reached.wait()
        await server.clock.advance(3.1)
        error = await writing
        never.set()
    assert error.message.endswith('/ask?timeout=3s": context deadline exceeded')


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"uid": "other", "allowed": True}, "received invalid webhook response: expected response.uid="),
        ({"allowed": True, "patch": base64.b64encode(b"[]").decode()},
         "received invalid webhook response: webhook returned response.patch but not response.patchType"),
        (HttpResponse(status=404), "failed to call webhook: the server could not find the requested resource"),
        (HttpResponse(status=500, body=b"oh"), 'an error on the server ("oh") has prevented the request'),
        (HttpResponse(body=b"oh"), "received invalid webhook response: couldn't get version/kind; json parse error"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_none_is_told(server: Server, certificates: pki.Pki, said: Any, told: str) -> None:
    async with hook(certificates, lambda asked: said) as made:
        await server.client.create(MUTATING, configuration(made.webhook()))
        error = await refused(server, config_map())
    assert error.message.startswith('Internal error occurred: failed calling webhook "hook.example.com": ')
    assert told in error.message


async def test_a_certificate_of_somebody_else_is_not_trusted(
    server: Server, certificates: pki.Pki, tmp_path: Any
) -> None:
    others = pki.Pki(tmp_path, 1_700_000_000)
    others.ensure([])
    bundle = base64.b64encode(others.certificate("ca").read_bytes()).decode()
    async with hook(certificates, lambda asked: ALLOWED) as made:
        client = {"url": f"https://127.0.0.1:{made.port}/", "caBundle": bundle}
        await server.client.create(VALIDATING, configuration(made.webhook(clientConfig=client)))
        error = await refused(server, config_map())
    assert error.message.endswith("tls: failed to verify certificate: x509: certificate signed by unknown authority")


async def test_a_dry_run_is_not_shown_to_a_webhook_with_side_effects(server: Server, certificates: pki.Pki) -> None:
    async with hook(certificates, lambda asked: ALLOWED) as made:
        webhook = made.webhook()
        await server.client.create(VALIDATING, configuration(webhook))
        answer = await server.http("POST", PATH, config_map(), query={"dryRun": "All"})
        assert (answer.status, made.asked[0]["dryRun"]) == (201, True)


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_service_is_reached_at_its_endpoints_and_known_by_its_name(
    server: Server, certificates: pki.Pki
) -> None:
    async with hook(certificates, lambda asked: ALLOWED) as made:
        client = {"service": {"name": "hook", "namespace": "default", "path": "/ask"}, "caBundle": made.bundle}
        await server.client.create(VALIDATING, configuration(made.webhook(clientConfig=client)))
        error = await refused(server, config_map())
        assert error.message.endswith('Post "https://hook.default.svc:443/ask?timeout=10s": service "hook" not found')
        service = {"metadata": {"name": "hook", "namespace": "default"}, "spec": {"ports": [{"port": 443}]}}
        await server.client.create("services", service)
        assert (await refused(server, config_map())).message.endswith('no endpoints available for service "hook"')
        subset = {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": made.port}]}
        meta = {"name": "hook", "namespace": "default"}
        stored = codec.encode({"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": [subset]})
        await server.cache.write(codec.key("", "endpoints", "default", "hook"), stored)  # no client may name loopback
        await server.client.create("configmaps", config_map())
    assert made.targets == ["/ask?timeout=10s"]


# ── custom resources ─────────────────────────────────────────────────────────────────────────────────────

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
SHAPE = {
    "type": "object",
    "properties": {"data": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}},
}


def definition() -> Obj:
    """Widgets in two versions, of which v1 is stored."""
    versions = [
        {"name": name, "served": True, "storage": name == "v1", "schema": {"openAPIV3Schema": SHAPE}}
        for name in ("v1", "v2")
    ]
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    return {"metadata": {"name": "widgets.example.com"}, "spec": spec}


async def test_a_custom_resource_is_shown_in_the_version_that_is_named_and_pruned_afterwards(
    server: Server, certificates: pki.Pki
) -> None:
    await server.client.create(CRDS, definition())
    await wait.until(
        server.client, CRDS, "", "widgets.example.com", lambda crd: objects.condition_is(crd or {}, "Established"),
        timeout_seconds=5, clock=server.clock,
    )  # fmt: skip
    rule = {"operations": ["*"], "apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["widgets"]}
    async with hook(certificates, lambda asked: patch(entry("b"), entry("unknown"))) as made:
        await server.client.create(MUTATING, configuration(made.webhook(rules=[rule])))
        answer = await server.json(
            "POST", "/apis/example.com/v2/namespaces/default/widgets",
            {"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "w"}, "data": {"a": "1"}},
        )  # fmt: skip
    (asked,) = made.asked
    assert (asked["kind"]["version"], asked["requestKind"]["version"]) == ("v1", "v2")
    assert asked["object"]["apiVersion"] == "example.com/v1"
    assert (answer["apiVersion"], answer["data"]) == ("example.com/v2", {"a": "1", "b": "yes"})
