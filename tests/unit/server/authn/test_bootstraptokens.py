from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pybernetes.client.client import Client
from pybernetes.cluster import joining
from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.server.context import Request
from pybernetes.testing.cluster import Cluster

TOKEN = "abcdef.0123456789abcdef"


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(nodes=0, clock=VirtualClock(1_700_000_000.0)) as made:
        yield made


async def who(cluster: Cluster, token: str) -> tuple[int, Any]:
    """The status of a SelfSubjectReview, and its user's name and groups."""
    review = b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}'
    request = Request(
        "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {},
        {"authorization": f"Bearer {token}", "content-type": "application/json"}, review, None, "", "",
    )  # fmt: skip
    answer = await cluster.api.handle(request)
    return answer.status, answer.body


async def create(client: Client, **changed: str) -> None:
    secret = joining.secret(TOKEN, None)
    secret["stringData"].update({name.replace("_", "-"): value for name, value in changed.items()})
    await client.create("secrets", secret)


async def test_the_bearer_of_a_token_is_a_bootstrapper(cluster: Cluster) -> None:
    await create(cluster.client)
    status, body = await who(cluster, TOKEN)
    assert status == 201
    assert b'"system:bootstrap:abcdef"' in body
    assert b'"system:bootstrappers","system:bootstrappers:kubeadm:default-node-token"' in body


@pytest.mark.parametrize(
    "changed",
    [
        {"token_secret": "another0secret00"},
        {"expiration": "2020-01-01T00:00:00Z"},
        {"expiration": "soon"},
        {"usage_bootstrap_authentication": "false"},
        {"auth_extra_groups": "system:masters"},
    ],
)
async def test_a_token_that_its_secret_does_not_bear_out_is_none(cluster: Cluster, changed: dict[str, str]) -> None:
    await create(cluster.client, **changed)
    assert (await who(cluster, TOKEN))[0] == 401


async def test_a_token_without_a_secret_is_none(cluster: Cluster) -> None:
    assert (await who(cluster, TOKEN))[0] == 401


def test_the_signature_is_that_of_kubeadm() -> None:
    # JWS of RFC 7515 with HS256 over the content, its payload left out (kubeadm's cluster-info)
    signed = joining.signature("a: b\n", TOKEN)
    header, payload, mac = signed.split(".")
    assert base64.urlsafe_b64decode(header + "==") == b'{"alg":"HS256","kid":"abcdef"}'
    assert payload == ""
    assert len(base64.urlsafe_b64decode(mac + "=")) == 32
    assert signed != joining.signature("a: c\n", TOKEN)


def test_the_secret_is_one_of_kubeadm() -> None:
    secret = joining.secret(TOKEN, 1_700_000_000.0)
    assert (objects.name(secret), secret["type"]) == ("bootstrap-token-abcdef", "bootstrap.kubernetes.io/token")
    assert secret["stringData"]["expiration"] == "2023-11-14T22:13:20Z"
