"""Users of an OpenID provider, which is a real server of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve
from pybernetes.server.authn import jwt
from pybernetes.server.authn.jwt import Signer
from pybernetes.server.authn.oidc import REFETCH_SECONDS, Settings
from pybernetes.server.context import Request

from .server import Server

REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@dataclass
class Provider:
    url: str = ""
    signer: Signer = field(default_factory=lambda: Signer(jwt.new_key()))
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.path)
        if request.path == "/keys":
            return HttpResponse(body=orjson.dumps(self.signer.jwks()))
        return HttpResponse(body=orjson.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}))


@pytest.fixture
async def provider(certificates: pki.Pki) -> AsyncIterator[Provider]:
    made = Provider()
    context = tls.server_context(certificates.certificate("apiserver"), certificates.key("apiserver"))
    listening = await serve(made.handle, clock=SystemClock(), ssl_context=context)
    made.url = f"https://127.0.0.1:{listening.port}"
    yield made
    await listening.stop(0.1)


async def serving(provider: Provider, certificates: pki.Pki, **more: Any) -> Server:
    settings = Settings(issuer_url=provider.url, client_id="kubernetes", groups_claim="groups", **more)
    server = Server(oidc=(settings, tls.client_context(certificates.certificate("ca"))))
    await server.start()
    return server


def token(provider: Provider, server: Server, **more: Any) -> str:
    claims = {
        "iss": provider.url, "aud": "kubernetes", "sub": "jane", "exp": server.clock.time() + 60,
        "groups": ["developers"], **more,
    }  # fmt: skip
    return provider.signer.sign({key: value for key, value in claims.items() if value is not None})


async def whoami(server: Server, bearer: str) -> Any:
    """The user's name and groups, or the status of a refusal."""
    headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await server.api.handle(Request("POST", path, {}, headers, orjson.dumps(REVIEW)))
    if answer.status != 201:
        return answer.status
    user = orjson.loads(answer.body)["status"]["userInfo"]
    return user["username"], user["groups"]


async def may_ask(server: Server) -> None:
    """Whoever is authenticated may ask who they are."""
    group = "rbac.authorization.k8s.io"
    subjects = [{"apiGroup": group, "kind": "Group", "name": "system:authenticated"}]
    ref = {"apiGroup": group, "kind": "ClusterRole", "name": "everything"}
    made = {"metadata": {"name": "authenticated"}, "roleRef": ref, "subjects": subjects}
    await server.client.create(f"clusterrolebindings.{group}", made)


async def test_a_token_of_the_provider_names_a_user_with_groups(provider: Provider, certificates: pki.Pki) -> None:
    server = await serving(provider, certificates)
    await may_ask(server)
    assert await whoami(server, token(provider, server)) == (
        f"{provider.url}#jane", ["developers", "system:authenticated"],
    )  # fmt: skip
    await whoami(server, token(provider, server, sub="joe"))
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_prefixes_and_claims_are_as_configured(provider: Provider, certificates: pki.Pki) -> None:
    server = await serving(provider, certificates, username_claim="email", groups_prefix="oidc:")
    await may_ask(server)
    assert await whoami(server, token(provider, server, email="jane@example.com")) == (
        "jane@example.com", ["oidc:developers", "system:authenticated"],
    )  # fmt: skip
    assert await whoami(server, token(provider, server, email="jane@example.com", email_verified=False)) == 401


@pytest.mark.parametrize("wrong", [{"aud": "another"}, {"exp": 1}, {"exp": None}, {"sub": None}])
async def test_a_token_that_does_not_hold_is_refused(
    provider: Provider, certificates: pki.Pki, wrong: dict[str, Any]
) -> None:
    server = await serving(provider, certificates)
    assert await whoami(server, token(provider, server, **wrong)) == 401


async def test_a_token_signed_by_somebody_else_is_refused(provider: Provider, certificates: pki.Pki) -> None:
    server = await serving(provider, certificates)
    forger = Provider(provider.url)
    assert await whoami(server, token(forger, server)) == 401


async def test_new_keys_of_the_provider_are_found(provider: Provider, certificates: pki.Pki) -> None:
    server = await serving(provider, certificates)
    await may_ask(server)
    await whoami(server, token(provider, server))
    provider.signer = Signer(jwt.new_key())
    assert await whoami(server, token(provider, server)) == 401
    await server.clock.advance(REFETCH_SECONDS)
    assert (await whoami(server, token(provider, server)))[0] == f"{provider.url}#jane"
