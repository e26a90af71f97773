"""Acting as somebody else: the ``Impersonate-…`` headers, for those who may ``impersonate``.

Source: apiserver/pkg/endpoints/filters/impersonation.go. Rule: each part of the other identity (user, uid, group,
extra) is a resource of its own on which the caller needs the verb. A repeated header reaches us as one value with
commas, so groups are told apart by commas.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from pybernetes.meta import errors
from pybernetes.server.authn import claims
from pybernetes.server.authn.table import ANONYMOUS, authenticated
from pybernetes.server.authz.authorizer import Authorizer
from pybernetes.server.context import Info, Request, User

_AUTHENTICATION: Final = "authentication.k8s.io"
_ACCOUNT: Final = "system:serviceaccount:"
_PREFIX: Final = "impersonate-"
_EXTRA: Final = "impersonate-extra-"


async def impersonated(request: Request, user: User, authorizer: Authorizer) -> User:
    """The user as whom ``user`` wants to act; ``user`` where nothing is asked. Raises Forbidden."""
    headers = request.headers
    if not any(name.startswith(_PREFIX) for name in headers):
        return user
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    groups = _values(headers.get("impersonate-group", ""))
    extra = {
        unquote(key.removeprefix(_EXTRA)): _values(value) for key, value in headers.items() if key.startswith(_EXTRA)
    }
    if not name:
        if uid or groups or extra:
            raise errors.InternalError("requested a group, an uid or an extra without impersonating a user")
        return user
    for info in _rights(name, uid, groups, extra):
        await authorizer.check(user, info)
    return _other(name, uid, groups, extra)


def _values(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _rights(name: str, uid: str, groups: tuple[str, ...], extra: dict[str, tuple[str, ...]]) -> Iterator[Info]:
    if account := _account(name):
        yield _right("serviceaccounts", account[1], namespace=account[0])
    else:
        yield _right("users", name)
    if uid:
        yield _right("uids", uid, group=_AUTHENTICATION)
    for group in groups:
        yield _right("groups", group)
    for key, values in extra.items():
        for value in values:
            yield _right("userextras", value, group=_AUTHENTICATION, subresource=key)


def _right(resource: str, name: str, *, group: str = "", namespace: str = "", subresource: str = "") -> Info:
    return Info(True, "impersonate", "", group, "v1", namespace, resource, subresource, name)


def _account(name: str) -> tuple[str, str] | None:
    """(namespace, name) of a service account's user name."""
    if not name.startswith(_ACCOUNT):
        return None
    namespace, colon, account = name.removeprefix(_ACCOUNT).partition(":")
    return (namespace, account) if colon and namespace and account else None


def _other(name: str, uid: str, groups: tuple[str, ...], extra: dict[str, tuple[str, ...]]) -> User:
    account = _account(name)
    if account and not groups:
        groups = claims.account_groups(account[0])
    if name == ANONYMOUS.name:
        return User(name, uid, groups or ANONYMOUS.groups, extra)
    return authenticated(User(name, uid, groups, extra))
