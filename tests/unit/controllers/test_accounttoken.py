"""Token Secrets made for every service account, where a cluster is asked for them."""

from pybernetes.control.actions import Create, Update
from pybernetes.control.controller import Key
from pybernetes.controllers import accounttoken, tokensecret
from pybernetes.meta.objects import Obj
from pybernetes.testing.objects import Objects

KEY = Key("ns", "default")
ACCOUNT: Obj = {"metadata": {"name": "default", "namespace": "ns", "uid": "u"}}


def secret(name: str = "default-token-x", uid: str = "u") -> Obj:
    annotations = {tokensecret.ACCOUNT: "default", tokensecret.ACCOUNT_UID: uid}
    metadata = {"name": name, "namespace": "ns", "uid": name, "annotations": annotations}
    return {"metadata": metadata, "type": tokensecret.TYPE}


def plan(account: Obj, *secrets: Obj) -> list[object]:
    world = Objects()
    world.put("serviceaccounts", account)
    for each in secrets:
        world.put("secrets", each)
    return list(accounttoken.plan(world, KEY, 0.0))


def test_an_account_without_a_secret_gets_one_under_a_generated_name() -> None:
    (made,) = plan(ACCOUNT, secret(uid="another account of that name"))
    assert isinstance(made, Create)
    assert made.obj["metadata"]["generateName"] == "default-token-"
    assert made.obj["metadata"]["annotations"][tokensecret.ACCOUNT_UID] == "u"


def test_a_secret_that_is_there_is_named_before_another_is_made() -> None:
    (named,) = plan({**ACCOUNT, "secrets": [{"name": "pull"}]}, secret())
    assert isinstance(named, Update)
    assert named.obj["secrets"] == [{"name": "pull"}, {"name": "default-token-x"}]


def test_an_account_that_names_its_secret_rests() -> None:
    assert plan({**ACCOUNT, "secrets": [{"name": "default-token-x"}]}, secret()) == []


def test_an_account_that_is_deleted_gets_none() -> None:
    deleted = {**ACCOUNT, "metadata": {**ACCOUNT["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert plan(deleted) == []
