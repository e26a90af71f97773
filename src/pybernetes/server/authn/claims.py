"""What stands in a ServiceAccount's token, and whose it is. Pure.

Source: pkg/serviceaccount/claims.go. Rule: a token names its account, and the object to which it is bound, by name and
uid; it holds as long as the very same objects exist.
Neighbours: ``jwt.py`` signs, ``tokens.py`` issues and looks at the live objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.context import User

PRIVATE: Final = "kubernetes.io"
"""The claim under which everything of Kubernetes' own stands."""
EXTENDED_SECONDS: Final = 365 * 24 * 3600
WARN_SECONDS: Final = 3607
"""Tokens asked for exactly this long come from the projected volume of the ServiceAccount admission."""
_EXTRA: Final = "authentication.kubernetes.io/"
BOUND: Final[Mapping[str, tuple[str, str]]] = {
    "Pod": ("pods", "pod"), "Secret": ("secrets", "secret"), "Node": ("nodes", "node"),
}  # fmt: skip
"""Kind to which a token can be bound → its resource and its claim."""


def build(
    account: Obj, bound: Mapping[str, Obj], *, issuer: str, audiences: Sequence[str], now: float, seconds: int,
    token_id: str, warn_after: float | None = None,
) -> Obj:  # fmt: skip
    """The claims of a new token; ``bound`` has objects by the names of their claims."""
    namespace, name = objects.namespace(account), objects.name(account)
    private: Obj = {"namespace": namespace, "serviceaccount": _ref(account)}
    private |= {claim: _ref(obj) for claim, obj in bound.items()}
    if warn_after is not None:
        private["warnafter"] = int(warn_after)
    begin = int(now)
    return {
        "aud": list(audiences), "exp": begin + seconds, "iat": begin, "iss": issuer, "jti": token_id,
        PRIVATE: private, "nbf": begin, "sub": f"system:serviceaccount:{namespace}:{name}",
    }  # fmt: skip


def _ref(obj: Obj) -> Obj:
    return {"name": objects.name(obj), "uid": objects.uid(obj)}


def user(token: Obj) -> User:
    """Whom a token stands for."""
    private: Obj = token[PRIVATE]
    account = private["serviceaccount"]
    extra = {}
    if token.get("jti"):
        extra[f"{_EXTRA}credential-id"] = (f"JTI={token['jti']}",)
    for claim in ("pod", "node"):
        if ref := private.get(claim):
            extra[f"{_EXTRA}{claim}-name"] = (str(ref["name"]),)
            extra[f"{_EXTRA}{claim}-uid"] = (str(ref["uid"]),)
    groups = account_groups(private["namespace"])
    return User(account_user(private["namespace"], account["name"]), str(account["uid"]), groups, extra)


LEGACY_ISSUER: Final = "kubernetes/serviceaccount"
"""Of tokens that lie in Secrets and do not end (pkg/serviceaccount/legacy.go)."""
_LEGACY: Final = "kubernetes.io/serviceaccount/"


def of_legacy(token: Obj) -> Obj:
    """A legacy token's claims as those of other tokens stand: bound to its Secret, by name alone."""
    told = {key.removeprefix(_LEGACY): value for key, value in token.items() if key.startswith(_LEGACY)}
    account = {"name": told.get("service-account.name"), "uid": told.get("service-account.uid")}
    private = {"namespace": told.get("namespace"), "serviceaccount": account, "secret": told.get("secret.name")}
    return {"iss": LEGACY_ISSUER, PRIVATE: private}


def account_user(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every account in a namespace."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")


def fault(token: Obj, now: float, audiences: Sequence[str]) -> str:
    """What is wrong with a token by itself; empty where nothing is."""
    if not _is_whole(token):
        return "the token is not one of a service account"
    if token.get("iss") == LEGACY_ISSUER:
        return ""
    if now >= float(token.get("exp") or 0):
        return "service account token has expired"
    if now < float(token.get("nbf") or 0):
        return "service account token is not valid yet"
    if not set(audiences) & set(token.get("aud") or ()):
        return f"token audiences {token.get('aud')!r} is invalid for the target audiences {list(audiences)!r}"
    return ""


def _is_whole(token: Obj) -> bool:
    names = [objects.get(token, PRIVATE, "serviceaccount", key) for key in ("name", "uid")]
    return bool(objects.get(token, PRIVATE, "namespace")) and all(names)
