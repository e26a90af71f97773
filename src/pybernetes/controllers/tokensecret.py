"""Secrets of type ``kubernetes.io/service-account-token``: filled with a token of the account that they name, which
does not end, and gone with the account (pkg/controller/serviceaccount/tokens_controller.go).

Rule: the API is asked before a Secret is deleted because its account is not there.
Neighbours: the server's authenticator believes such a token as long as its Secret holds it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Answer, Ask, Delete, Get, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import keys
from pybernetes.meta import objects
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

TYPE: Final = "kubernetes.io/service-account-token"
ACCOUNT: Final = "kubernetes.io/service-account.name"
ACCOUNT_UID: Final = "kubernetes.io/service-account.uid"
ISSUER: Final = "kubernetes/serviceaccount"
_CLAIM: Final = "kubernetes.io/serviceaccount/"


def controller(sign: Callable[[Obj], str], ca: str) -> Controller:
    """The row; ``sign`` makes a token of claims, ``ca`` is what pods know the API server by, in PEM form."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        secret = snapshot.get("secrets", key.namespace, key.name)
        if secret is None or objects.is_deleting(secret):
            return ()
        account = snapshot.get("serviceaccounts", key.namespace, account_of(secret))
        if account is None or not _is_named(secret, account):
            return [_asked(secret)]
        wanted = filled(secret, account, sign, ca)
        return () if wanted == secret else [Update("secrets", wanted)]

    return Controller(
        name="tokens-controller",
        inputs=(
            Input("secrets", own_key, fields=f"type={TYPE}"),
            Input("serviceaccounts", _of_account, metadata_only=True),
        ),
        outputs=(Output("secrets", ("update", "delete")), Output("serviceaccounts", ("get",))),
        plan=plan,
        workers=1,
    )


def filled(secret: Obj, account: Obj, sign: Callable[[Obj], str], ca: str) -> Obj:
    """The Secret with all that it shall hold; the same where nothing is missing."""
    data = dict(secret.get("data") or {})
    data |= {"ca.crt": _text(ca), "namespace": _text(objects.namespace(secret))}
    if not data.get("token"):
        data["token"] = _text(sign(claims(secret, account)))
    annotations = {**objects.annotations(secret), ACCOUNT_UID: objects.uid(account)}
    return {**objects.evolve(secret, ("metadata", "annotations"), annotations), "data": data}


def claims(secret: Obj, account: Obj) -> Obj:
    """What stands in the token: whose it is, and in which Secret it lies (pkg/serviceaccount/legacy.go)."""
    namespace, name = objects.namespace(account), objects.name(account)
    return {
        "iss": ISSUER,
        f"{_CLAIM}namespace": namespace,
        f"{_CLAIM}secret.name": objects.name(secret),
        f"{_CLAIM}service-account.name": name,
        f"{_CLAIM}service-account.uid": objects.uid(account),
        "sub": f"system:serviceaccount:{namespace}:{name}",
    }


def account_of(secret: Obj) -> str:
    """The name of the account that a Secret is for."""
    return objects.annotations(secret).get(ACCOUNT, "")


def _is_named(secret: Obj, account: Obj) -> bool:
    """Is this the very account, and not one that was made anew under its name?"""
    return objects.annotations(secret).get(ACCOUNT_UID) in (None, "", objects.uid(account))


def _asked(secret: Obj) -> Ask:
    """Delete the Secret if the API says too that there is no such account."""
    namespace, name = objects.namespace(secret), objects.name(secret)

    def then(answers: Sequence[Answer]) -> Plan:
        found = answers[0]
        if isinstance(found, ApiError):
            raise found
        if found is not None and _is_named(secret, found):
            return ()
        return [Delete("secrets", namespace, name, uid=objects.uid(secret))]

    return Ask([Get("serviceaccounts", namespace, account_of(secret))], then)


def _text(said: str) -> str:
    return base64.b64encode(said.encode()).decode()


def _of_account(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    account = new or old or {}
    if old is not None and new is not None and objects.uid(old) == objects.uid(new):
        return ()
    found = snapshot.list("secrets", objects.namespace(account))
    return [keys.of(secret) for secret in found if account_of(secret) == objects.name(account)]
