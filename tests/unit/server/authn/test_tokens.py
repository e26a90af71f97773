"""ServiceAccount tokens: what is issued is recognized, as long as what it is bound to lives."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server import requestinfo
from pybernetes.server.authn.jwt import BadToken, Signer, new_key
from pybernetes.server.authn.table import ANONYMOUS, Authenticator
from pybernetes.server.authn.tokens import Tokens
from pybernetes.server.context import Request

from ..build import Cluster, named

ISSUER = "https://kubernetes.default.svc.cluster.local"
KEY = new_key()


async def cluster() -> Cluster:
    made = Cluster()
    await made.put("serviceaccounts", named("builder", "ci"))
    await made.put("nodes", named("node-1"))
    await made.put("pods", named("p", "ci", spec={"serviceAccountName": "builder", "nodeName": "node-1"}))
    return made


def tokens(made: Cluster, key: bytes = KEY) -> Tokens:
    return Tokens(made.live, Signer(key), made.clock, made.entropy, issuer=ISSUER)


async def issued(made: Cluster, account: str = "builder", **spec: Any) -> Obj:
    request = Request("POST", f"/api/v1/namespaces/ci/serviceaccounts/{account}/token")
    request.info = requestinfo.of(request)
    return await tokens(made).create(request, {"spec": spec})


def bearing(token: str) -> Request:
    return Request("GET", "/api", headers={"authorization": f"Bearer {token}"})


def claims(token: str) -> Obj:
    payload = token.split(".")[1]
    found: Obj = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


POD = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "uid-of-p"}


async def test_an_issued_token_is_recognized_as_its_account() -> None:
    made = await cluster()
    answer = await issued(made)
    user = tokens(made).authenticate(bearing(answer["status"]["token"]))
    assert user is not None
    assert (user.name, user.uid) == ("system:serviceaccount:ci:builder", "uid-of-builder")
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated")
    assert answer["spec"] == {"audiences": [ISSUER], "expirationSeconds": 3600, "boundObjectRef": None}


async def test_a_pods_token_tells_the_pod_and_its_node() -> None:
    made = await cluster()
    token = (await issued(made, boundObjectRef=POD))["status"]["token"]
    assert claims(token)["kubernetes.io"] == {
        "namespace": "ci",
        "serviceaccount": {"name": "builder", "uid": "uid-of-builder"},
        "pod": {"name": "p", "uid": "uid-of-p"},
        "node": {"name": "node-1", "uid": "uid-of-node-1"},
    }
    user = tokens(made).authenticate(bearing(token))
    assert user is not None
    assert user.extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert user.extra["authentication.kubernetes.io/node-name"] == ("node-1",)


@pytest.mark.parametrize(("resource", "namespace", "name"), [("serviceaccounts", "ci", "builder"), ("pods", "ci", "p")])
async def test_a_token_ends_with_what_it_is_bound_to(resource: str, namespace: str, name: str) -> None:
    made = await cluster()
    recognizer, request = tokens(made), bearing((await issued(made, boundObjectRef=POD))["status"]["token"])
    assert recognizer.authenticate(request) is not None
    await made.remove(resource, namespace, name)
    with pytest.raises(errors.Unauthorized):
        recognizer.authenticate(request)
    await made.put(resource, {"metadata": {"name": name, "namespace": namespace, "uid": "another"}})
    with pytest.raises(errors.Unauthorized):
        recognizer.authenticate(request)


async def test_a_token_ends_with_its_time() -> None:
    made = await cluster()
    request = bearing((await issued(made, expirationSeconds=600))["status"]["token"])
    await made.clock.advance(599)
    assert tokens(made).authenticate(request) is not None
    await made.clock.advance(1)
    with pytest.raises(errors.Unauthorized):
        tokens(made).authenticate(request)


async def test_the_token_of_a_pods_volume_outlives_a_client_that_does_not_read_it_anew() -> None:
    made = await cluster()
    answer = await issued(made, boundObjectRef=POD, expirationSeconds=3607)
    told = claims(answer["status"]["token"])
    assert told["exp"] - told["iat"] == 365 * 86400
    assert told["kubernetes.io"]["warnafter"] - told["iat"] == 3607


async def test_a_token_for_somebody_else_is_not_for_us() -> None:
    made = await cluster()
    token = (await issued(made, audiences=["vault"]))["status"]["token"]
    with pytest.raises(errors.Unauthorized):
        tokens(made).authenticate(bearing(token))
    assert tokens(made).review(token, ["vault"]).name == "system:serviceaccount:ci:builder"


@pytest.mark.parametrize("bad", ["x", "a.b.c", "e30.e30.e30", "..", "é"])
async def test_what_is_no_token_is_refused(bad: str) -> None:
    with pytest.raises(errors.Unauthorized, match=r"^Unauthorized$"):
        tokens(await cluster()).authenticate(bearing(bad))


async def test_a_token_of_another_key_is_refused() -> None:
    made = await cluster()
    token = (await issued(made))["status"]["token"]
    with pytest.raises(BadToken, match="signature"):
        tokens(made, new_key()).review(token, [ISSUER])


def test_rsa_keys_sign_too() -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = Signer(key)
    assert signer.verify(signer.sign({"a": 1})) == {"a": 1}
    (public,) = signer.jwks()["keys"]
    assert (public["kty"], public["alg"], public["e"]) == ("RSA", "RS256", "AQAB")


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ({"expirationSeconds": 599}, errors.Invalid, "may not specify a duration less than 10 minutes"),
        ({"boundObjectRef": {**POD, "uid": "other"}}, errors.Conflict, "does not match the UID in record"),
        ({"boundObjectRef": {**POD, "name": "q"}}, errors.NotFound, 'pods "q" not found'),
        ({"boundObjectRef": {**POD, "kind": "Job"}}, errors.BadRequest, "cannot bind token to object of type v1"),
    ],
)
async def test_a_request_that_cannot_be_met_is_refused(spec: Obj, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        await issued(await cluster(), **spec)


async def test_a_pod_of_another_account_lends_no_name() -> None:
    made = await cluster()
    await made.put("serviceaccounts", named("other", "ci"))
    with pytest.raises(errors.BadRequest, match='serviceaccount "other" to pod running with different'):
        await issued(made, "other", boundObjectRef=POD)


def test_who_shows_nothing_is_anonymous_if_that_is_allowed() -> None:
    nobody = Request("GET", "/")
    assert Authenticator(()).authenticate(nobody) is ANONYMOUS
    with pytest.raises(errors.Unauthorized):
        Authenticator((), anonymous=False).authenticate(nobody)


async def test_a_token_out_of_a_secret_holds_as_long_as_the_secret_holds_it() -> None:
    made = await cluster()
    prefix = "kubernetes.io/serviceaccount/"
    known = {
        "iss": "kubernetes/serviceaccount", f"{prefix}namespace": "ci", f"{prefix}secret.name": "key",
        f"{prefix}service-account.name": "builder", f"{prefix}service-account.uid": "uid-of-builder",
        "sub": "system:serviceaccount:ci:builder",
    }  # fmt: skip
    token = Signer(KEY).sign(known)
    with pytest.raises(BadToken, match="secret is gone"):
        tokens(made).review(token, [ISSUER])
    await made.put("secrets", named("key", "ci", data={"token": base64.b64encode(token.encode()).decode()}))
    user = tokens(made).review(token, [ISSUER])
    assert (user.name, user.uid) == ("system:serviceaccount:ci:builder", "uid-of-builder")
    assert list(tokens(made).audiences_of(token)) == [ISSUER]
    await made.put("secrets", named("key", "ci", data={"token": "b3RoZXI="}))
    with pytest.raises(BadToken, match="secret is gone"):
        tokens(made).review(token, [ISSUER])
