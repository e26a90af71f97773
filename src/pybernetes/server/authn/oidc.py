"""Tokens of an OpenID Connect provider: who signs in there is a user here.

Source: apiserver/plugin/pkg/authenticator/token/oidc. Rule 1: only a token that names the configured issuer is looked
at; all others are for other authenticators. Rule 2: the provider's keys are fetched when a token names one that is not
known, and no more often than every ``REFETCH_SECONDS``; without its keys nobody gets in by it.
Neighbours: ``jwks.py`` checks signatures; ``chain.py`` awaits ``prepare`` before it asks ``authenticate``.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.http.client import HttpClient, HttpError
from pybernetes.meta.objects import Obj
from pybernetes.server.authn import jwks, jwt
from pybernetes.server.authn.jwt import BadToken
from pybernetes.server.authn.table import authenticated, bearer, unauthorized
from pybernetes.server.context import Request, User

REFETCH_SECONDS: Final = 10.0
_FETCH_SECONDS: Final = 10.0
_log = log.Log("server.authn.oidc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """By the names of kube-apiserver's options."""

    issuer_url: str
    client_id: str
    username_claim: str = "sub"
    username_prefix: str = ""
    """``-``: none. Empty: ``<issuer>#``, and none where the claim is ``email``."""
    groups_claim: str = ""
    groups_prefix: str = ""
    required_claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        if self.username_prefix:
            return "" if self.username_prefix == "-" else self.username_prefix
        return "" if self.username_claim == "email" else f"{self.issuer_url}#"


class Oidc:
    """An authenticator of ``table.py``. ``tls`` trusts the provider; None: whom the machine trusts."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None, clock: Clock) -> None:
        self._settings, self._tls, self._clock = settings, tls, clock
        self._keys: dict[str, Any] = {}
        self._fetched = -math.inf
        self._turn = asyncio.Lock()

    async def prepare(self, request: Request) -> None:
        """Have the key that the request's token names, if it is a token of the provider's."""
        header = self._concerned(request)
        if header is not None and self._lacks(header):
            async with self._turn:
                if self._lacks(header):
                    await self._fetch()

    def authenticate(self, request: Request) -> User | None:
        """Raises Unauthorized."""
        if self._concerned(request) is None:
            return None
        try:
            header, claims, signed, signature = jwt.opened(bearer(request))
            jwks.check(header, signed, signature, self._keys)
            return user(claims, self._settings, self._clock.time())
        except BadToken as error:
            _log.info("a token of the OpenID provider is refused", why=str(error))
            raise unauthorized() from error

    def _concerned(self, request: Request) -> Obj | None:
        """The header of a token of the provider's."""
        token = bearer(request)
        if token.count(".") != 2:
            return None
        try:
            header, claims, _, _ = jwt.opened(token)
        except BadToken:
            return None  # whoever knows such tokens will say what is wrong
        return header if claims.get("iss") == self._settings.issuer_url else None

    def _lacks(self, header: Obj) -> bool:
        if self._clock.monotonic() < self._fetched + REFETCH_SECONDS:
            return False
        return not self._keys or str(header.get("kid") or "") not in self._keys

    async def _fetch(self) -> None:
        self._fetched = self._clock.monotonic()
        try:
            found = await self._get(f"{self._settings.issuer_url.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer_url:
                raise ValueError(f"the provider calls itself {found.get('issuer')!r}")
            self._keys = jwks.keys(await self._get(str(found.get("jwks_uri"))))
        except (HttpError, ValueError, KeyError) as error:
            _log.warning(
                "the keys of the OpenID provider cannot be had", issuer=self._settings.issuer_url, why=str(error)
            )

    async def _get(self, url: str) -> Obj:
        """Raises HttpError and ValueError."""
        parts = urlsplit(url)
        client = HttpClient(f"{parts.scheme}://{parts.netloc}", self._tls, self._clock)
        try:
            status, _, body = await client.request("GET", parts.path or "/", timeout_seconds=_FETCH_SECONDS)
        finally:
            await client.close()
        found = orjson.loads(body) if status == 200 else None
        if not isinstance(found, dict):
            raise ValueError(f"{url} answered with status {status} and no object")
        return found


def user(claims: Obj, settings: Settings, now: float) -> User:
    """Whom the claims of a token with a good signature name. Raises BadToken."""
    audiences = claims.get("aud") or ()
    if settings.client_id not in ([audiences] if isinstance(audiences, str) else audiences):
        raise BadToken("the token is meant for somebody else")
    if not isinstance(claims.get("exp"), int | float) or now >= claims["exp"] or now < claims.get("nbf", 0):
        raise BadToken("the token has expired, or does not hold yet")
    for claim, value in settings.required_claims.items():
        if claims.get(claim) != value:
            raise BadToken(f"the claim {claim} is not {value!r}")
    name = claims.get(settings.username_claim)
    if not isinstance(name, str) or not name:
        raise BadToken(f"there is no claim {settings.username_claim}")
    if settings.username_claim == "email" and claims.get("email_verified", True) is not True:
        raise BadToken("the email address is not verified")
    groups = claims.get(settings.groups_claim) or () if settings.groups_claim else ()
    told = (groups,) if isinstance(groups, str) else groups
    return authenticated(
        User(f"{settings.prefix}{name}", groups=tuple(f"{settings.groups_prefix}{group}" for group in told))
    )
