from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from pybernetes.control.actions import Ask, Delete, Update
from pybernetes.controllers import tokensecret
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from . import build

ROW = tokensecret.controller(lambda claims: orjson.dumps(claims).decode(), "PEM")
ACCOUNT = {"metadata": {"name": "builder", "namespace": "default", "uid": "u1"}}


def secret(uid: str = "", **data: str) -> Obj:
    annotations = {tokensecret.ACCOUNT: "builder"} | ({tokensecret.ACCOUNT_UID: uid} if uid else {})
    return {"metadata": build.metadata("key", annotations=annotations), "type": tokensecret.TYPE, "data": data}


def plan(found: Obj, *accounts: Obj) -> list[Any]:
    return list(ROW.plan(build.Snapshot(secrets=[found], serviceaccounts=accounts), build.key("key"), build.NOW))


def test_a_secret_is_filled_once_with_a_token_of_its_account() -> None:
    (update,) = plan(secret(), ACCOUNT)
    assert isinstance(update, Update)
    data = {key: base64.b64decode(value) for key, value in update.obj["data"].items()}
    assert (data["ca.crt"], data["namespace"]) == (b"PEM", b"default")
    claims = orjson.loads(data["token"])
    assert claims["sub"] == "system:serviceaccount:default:builder"
    assert claims["kubernetes.io/serviceaccount/secret.name"] == "key"
    assert update.obj["metadata"]["annotations"][tokensecret.ACCOUNT_UID] == "u1"
    assert plan(update.obj, ACCOUNT) == []


def test_a_token_that_is_there_stays() -> None:
    (update,) = plan(secret(token="bWluZQ=="), ACCOUNT)
    assert update.obj["data"]["token"] == "bWluZQ=="


@pytest.mark.parametrize("accounts", [(), ({"metadata": {**ACCOUNT["metadata"], "uid": "u2"}},)])
def test_a_secret_goes_with_its_account_if_the_api_agrees(accounts: tuple[Obj, ...]) -> None:
    (ask,) = plan(secret("u1"), *accounts)
    assert isinstance(ask, Ask)
    assert ask.then([ACCOUNT]) == ()
    assert ask.then([None]) == [Delete("secrets", "default", "key", uid="uid-key")]
    with pytest.raises(errors.ServiceUnavailable):
        ask.then([errors.ServiceUnavailable("away")])


def test_an_account_wakes_its_secrets_when_it_comes_and_goes() -> None:
    keys = ROW.inputs[1].keys
    snapshot = build.Snapshot(secrets=[secret()])
    assert list(keys(snapshot, None, ACCOUNT)) == list(keys(snapshot, ACCOUNT, None)) == [build.key("key")]
    assert list(keys(snapshot, ACCOUNT, ACCOUNT)) == []
