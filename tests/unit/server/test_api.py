"""The API as one object: the whole chain, by HTTP requests and in process."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pybernetes.client.client import Client
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.server.authn.jwt import new_key
from pybernetes.server.context import User

from .build import ADMIN, JANE, KINDS, RBAC, Cluster, binding, named

KEY = new_key()


async def api(cluster: Cluster | None = None, **options: Any) -> Api:
    made = cluster or Cluster()
    await made.bootstrap()
    await made.namespace("ns", phase="Active")
    await made.put("serviceaccounts", named("default", "ns"))
    served = Api(made.cache, KINDS, made.clock, made.entropy, Options(signing_key=KEY, **options))
    await served.start()
    return served


async def ask(served: Api, line: str, body: Obj | None = None, **headers: str) -> HttpResponse:
    method, target = line.split()
    path, _, query = target.partition("?")
    values = {name: (value,) for name, _, value in (part.partition("=") for part in query.split("&") if part)}
    told = {"accept": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body is not None:
        told["content-type"] = "application/json"
    return await served.serve(
        HttpRequest(method, path, values, told, orjson.dumps(body) if body is not None else b"")
    )  # fmt: skip


def json(response: HttpResponse) -> Any:
    return orjson.loads(response.body)


async def token(served: Api) -> str:
    """A token of the account ``default`` in ``ns``."""
    answer = await served.client(ADMIN).create(
        "serviceaccounts", {"spec": {}}, parent="default", subresource="token", in_namespace="ns"
    )
    return f"Bearer {answer['status']['token']}"


async def test_anonymous_callers_see_whether_it_is_ready_and_nothing_else() -> None:
    served = await api()
    assert (await ask(served, "GET /readyz")).body == b"ok"
    assert [(await ask(served, f"GET /version{end}")).status for end in ("", "/")] == [200, 200]
    refused = await ask(served, "GET /api/v1/pods")
    assert refused.status == 403
    assert json(refused)["message"] == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope'
    )


async def test_wrong_credentials_are_refused_without_a_reason() -> None:
    refused = await ask(await api(), "GET /readyz", authorization="Bearer nonsense")
    assert refused.status == 401
    assert (json(refused)["reason"], json(refused)["message"]) == ("Unauthorized", "Unauthorized")


async def test_a_token_opens_what_its_account_is_bound_to() -> None:
    cluster = Cluster()
    served = await api(cluster)
    bearer = await token(served)
    assert (await ask(served, "GET /api/v1/namespaces/ns/pods", authorization=bearer)).status == 403
    await cluster.put(
        f"rolebindings.{RBAC}", binding("b", "ClusterRole view", "ServiceAccount ns/default", namespace="ns")
    )
    assert (await ask(served, "GET /api/v1/namespaces/ns/pods", authorization=bearer)).status == 200


async def test_a_refusal_comes_in_the_form_that_is_asked_for() -> None:
    served = await api()
    bearer = await token(served)
    path = "GET /api/v1/namespaces/ns/pods"
    protobuf = await ask(served, path, authorization=bearer, accept="application/vnd.kubernetes.protobuf")
    assert (protobuf.status, protobuf.body[:4]) == (403, b"k8s\0")
    strange = await ask(served, path, authorization=bearer, accept="image/png")
    assert (strange.status, json(strange)["kind"]) == (403, "Status")


async def test_unknown_paths_are_not_found_and_the_root_lists_the_known() -> None:
    served = await api()
    with pytest.raises(errors.NotFound, match="the server could not find the requested resource"):
        await served.client(ADMIN).transport.request("GET", "/nowhere")
    paths = (await served.client(ADMIN).transport.request("GET", "/"))["paths"]
    assert {"/api/v1", "/apis/apps/v1", "/healthz/ping", "/openapi/v3", "/version"} <= set(paths)


async def test_discovery_and_documents_are_behind_the_chain() -> None:
    served = await api()
    bearer = await token(served)
    for path in (
        "/api",
        "/apis",
        "/apis/apps/v1",
        "/openapi/v3",
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
    ):
        assert (await ask(served, f"GET {path}", authorization=bearer)).status == 200, path
        assert (await ask(served, f"GET {path}")).status == 403, path


async def test_every_answer_has_an_id_and_a_client_may_choose_it() -> None:
    served = await api()
    first, second = [dict((await ask(served, "GET /readyz")).headers)["Audit-Id"] for _ in range(2)]
    assert len(first) == 36
    assert first != second
    assert dict((await ask(served, "GET /readyz", audit_id="mine")).headers)["Audit-Id"] == "mine"


async def test_requests_are_counted() -> None:
    served = await api()
    await ask(served, "GET /readyz")
    await ask(served, "GET /api/v1/namespaces/ns/pods")
    text = (await served.client(ADMIN).transport.request("GET", "/metrics")).splitlines()
    counted = (
        'apiserver_request_total{verb="LIST",group="",version="v1",resource="pods",subresource="",scope="namespace"'
    )
    assert any(line.startswith(counted) and 'code="403"' in line and line.endswith(" 1") for line in text)


async def test_names_that_do_not_exist_are_not_remembered() -> None:
    served = await api()
    for target in ("/api/v1/nonsense", "/api/v1/nodes/n/nonsense", "/api/v1/nodes?dryRun=nonsense"):
        await ask(served, f"GET {target}")
    assert b"nonsense" not in served.metrics.render()


async def test_what_nobody_foresaw_is_told_without_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: object, kind: object) -> Any:
        raise RuntimeError("the inside")

    served = await api(connect=broken)
    with pytest.raises(errors.InternalError) as refused:
        await served.client(ADMIN).get("nodes", "n", subresource="proxy")
    assert "the inside" not in refused.value.message


# ── in process ───────────────────────────────────────────────────────────────────────────────────────────


async def test_components_in_process_are_judged_as_everybody() -> None:
    served = await api()
    with pytest.raises(errors.Forbidden, match='User "system:kube-scheduler" cannot create resource "pods"'):
        await served.client(User("system:kube-scheduler")).create("pods", named("p", "ns"))


async def can(client: Client, **attributes: str) -> Obj:
    answer = await client.create(
        "selfsubjectaccessreviews.authorization.k8s.io", {"spec": {"resourceAttributes": attributes}}
    )  # fmt: skip
    status: Obj = answer["status"]
    return status


async def test_can_i_agrees_with_the_chain() -> None:
    cluster = Cluster()
    served = await api(cluster)
    jane = served.client(JANE)
    assert await can(jane, verb="list", resource="pods", namespace="ns") == {"allowed": False}
    await cluster.put(f"rolebindings.{RBAC}", binding("b", "ClusterRole view", "User jane", namespace="ns"))
    assert await can(jane, verb="list", resource="pods", namespace="ns") == {
        "allowed": True, "reason": 'RBAC: allowed by RoleBinding "b/ns" of ClusterRole "view" to User "jane"',
    }  # fmt: skip
    rules = await jane.create("selfsubjectrulesreviews.authorization.k8s.io", {"spec": {"namespace": "ns"}})
    assert rules["status"]["incomplete"] is False
    assert any("pods/log" in rule["resources"] for rule in rules["status"]["resourceRules"])


async def test_reviews_of_others_are_for_those_who_may_ask() -> None:
    served = await api()
    spec = {"user": "jane", "groups": ["developers"], "resourceAttributes": {"verb": "get", "resource": "pods"}}
    with pytest.raises(errors.Forbidden):
        await served.client(JANE).create("subjectaccessreviews.authorization.k8s.io", {"spec": spec})
    answer = await served.client(ADMIN).create("subjectaccessreviews.authorization.k8s.io", {"spec": spec})
    assert answer["status"] == {"allowed": False}
    with pytest.raises(errors.Invalid, match="exactly one of nonResourceAttributes or resourceAttributes"):
        await served.client(ADMIN).create("subjectaccessreviews.authorization.k8s.io", {"spec": {"user": "jane"}})


async def test_who_am_i() -> None:
    served = await api()
    answer = await served.client(JANE).create("selfsubjectreviews.authentication.k8s.io", {})
    assert answer["status"]["userInfo"] == {"username": "jane", "groups": ["developers", "system:authenticated"]}


async def test_a_token_review_tells_whose_token_it_is() -> None:
    served = await api()
    text = (await token(served)).removeprefix("Bearer ")
    reviews, admin = "tokenreviews.authentication.k8s.io", served.client(ADMIN)
    good = (await admin.create(reviews, {"spec": {"token": text}}))["status"]
    assert (good["authenticated"], good["user"]["username"]) == (True, "system:serviceaccount:ns:default")
    bad = (await admin.create(reviews, {"spec": {"token": text + "x"}}))["status"]
    assert "authenticated" not in bad
    assert bad["error"]
