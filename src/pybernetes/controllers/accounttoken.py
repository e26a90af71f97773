"""A token Secret for every ServiceAccount, as clusters before Kubernetes 1.24 had it (the feature gate
``LegacyServiceAccountTokenNoAutoGeneration``): made under a generated name, and named in the account's ``secrets``.

Rule: an account that names a Secret of the type which is there has what it needs; a Secret that is there and not named
is named before another one is made.
Neighbours: ``tokensecret.py`` fills the Secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Create, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import tokensecret
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    account = snapshot.get("serviceaccounts", key.namespace, key.name)
    if account is None or objects.is_deleting(account):
        return ()
    mine = [s for s in snapshot.list("secrets", key.namespace) if _is_of(s, account)]
    named = {reference.get("name") for reference in account.get("secrets") or ()}
    if any(objects.name(secret) in named for secret in mine):
        return ()
    if not mine:
        return [Create("secrets", _secret(account))]
    more = [*(account.get("secrets") or ()), {"name": objects.name(mine[0])}]
    return [Update("serviceaccounts", {**account, "secrets": more})]


def _secret(account: Obj) -> Obj:
    name = objects.name(account)
    metadata = {
        "generateName": f"{name}-token-",
        "namespace": objects.namespace(account),
        "annotations": {tokensecret.ACCOUNT: name, tokensecret.ACCOUNT_UID: objects.uid(account)},
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": tokensecret.TYPE}


def _is_of(secret: Obj, account: Obj) -> bool:
    told = objects.annotations(secret).get(tokensecret.ACCOUNT_UID)
    return told == objects.uid(account) and not objects.is_deleting(secret)


def _of_secret(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    secret = new or old or {}
    return (Key(objects.namespace(secret), tokensecret.account_of(secret)),)


CONTROLLER: Final = Controller(
    name="serviceaccount-token-controller",
    inputs=(
        Input("serviceaccounts", own_key),
        Input("secrets", _of_secret, fields=f"type={tokensecret.TYPE}"),
    ),
    outputs=(Output("secrets", ("create",)), Output("serviceaccounts", ("update",))),
    plan=plan,
    workers=1,
)
