"""Who is asking? A table of authenticators; the first that recognizes its credentials decides.

Rule 1: wrong credentials are a refusal (401), missing ones make the caller anonymous.
Rule 2: everyone but the anonymous is in ``system:authenticated``.
Neighbours: ``x509.py`` and ``tokens.py`` recognize credentials, ``impersonation.py`` comes after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from pybernetes.meta import errors
from pybernetes.server.context import Request, User

AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
ANONYMOUS: Final = User("system:anonymous", groups=(UNAUTHENTICATED,))

Authenticate: TypeAlias = Callable[[Request], User | None]
"""The user whom the request's credentials name; None where it carries none of this kind. Raises Unauthorized."""

Prepare: TypeAlias = Callable[[Request], Awaitable[None]]
"""Has what an authenticator needs for a request, if that is elsewhere."""


class Authenticator:
    """``rows`` in the order in which they are asked; ``anonymous``: let those in who show nothing."""

    def __init__(self, rows: Sequence[Authenticate], *, anonymous: bool = True, prepare: Prepare | None = None) -> None:
        self._rows, self._anonymous = tuple(rows), anonymous
        self.prepare = prepare
        """To be awaited before ``authenticate``, if it is there."""

    def authenticate(self, request: Request) -> User:
        """Raises Unauthorized."""
        for row in self._rows:
            user = row(request)
            if user is not None:
                return user
        if not self._anonymous:
            raise unauthorized()
        return ANONYMOUS


def unauthorized() -> errors.Unauthorized:
    """What is wrong with the credentials is not told to their bearer."""
    return errors.Unauthorized("Unauthorized")


def bearer(request: Request) -> str:
    """The bearer token of a request; empty where it has none (RFC 6750)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def authenticated(user: User) -> User:
    """The user as a member of ``system:authenticated``."""
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return user
    return replace(user, groups=(*user.groups, AUTHENTICATED))
