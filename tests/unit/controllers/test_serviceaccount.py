from __future__ import annotations

from typing import Any

from pybernetes.control.actions import Create
from pybernetes.control.controller import Key
from pybernetes.controllers.serviceaccount import CONTROLLER
from pybernetes.meta.objects import Obj

from . import build


def plan(phase: str, *accounts: Obj) -> list[Any]:
    shop = {"metadata": {"name": "shop"}, "status": {"phase": phase}}
    snapshot = build.Snapshot(namespaces=[shop], serviceaccounts=accounts)
    return list(CONTROLLER.plan(snapshot, Key("", "shop"), build.NOW))


def account(name: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "shop"}}


def test_an_active_namespace_gets_its_default_account_once() -> None:
    (create,) = plan("Active")
    assert isinstance(create, Create)
    assert create.obj["metadata"] == {"name": "default", "namespace": "shop"}
    assert create.ok_if_exists
    assert plan("Active", account("default")) == []


def test_a_namespace_on_its_way_out_gets_none() -> None:
    assert plan("Terminating") == []


def test_the_end_of_the_default_account_wakes_its_namespace_and_others_do_not() -> None:
    keys = CONTROLLER.inputs[1].keys
    assert list(keys(build.Snapshot(), account("default"), None)) == [Key("", "shop")]
    assert list(keys(build.Snapshot(), account("robot"), None)) == []
