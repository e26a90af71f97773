"""Bootstrap tokens: what a machine shows that is not yet a node (plugin/pkg/auth/authenticator/token/bootstrap).

Rule: a token ``<id>.<secret>`` holds as long as the Secret ``kube-system/bootstrap-token-<id>`` says so: of the right
type, with that very secret, not expired, and meant for authentication.
Neighbours: ``tokens.py`` knows all other tokens; ``cluster/joining.py`` makes these.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.authn.table import authenticated, unauthorized
from pybernetes.server.context import Request, User
from pybernetes.server.live import Live

NAMESPACE: Final = "kube-system"
TYPE: Final = "bootstrap.kubernetes.io/token"
GROUP: Final = "system:bootstrappers"
_TOKEN: Final = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP: Final = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


class BootstrapTokens:
    """An authenticator of ``table.py``."""

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live, self._clock = live, clock

    def authenticate(self, request: Request) -> User | None:
        """Raises Unauthorized for what has the form of such a token and is none that holds."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        match = _TOKEN.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
        if match is None:
            return None
        secret = self._live.get("", "secrets", NAMESPACE, f"bootstrap-token-{match[1]}")
        user = _user(secret, match[1], match[2], self._clock.time()) if secret is not None else None
        if user is None:
            raise unauthorized()
        return user


def _user(secret: Obj, token_id: str, token_secret: str, now: float) -> User | None:
    """Whom the token stands for by its Secret; None where it does not hold."""
    told = {field: _text(value) for field, value in (secret.get("data") or {}).items()}
    groups = [group for group in told.get("auth-extra-groups", "").split(",") if group]
    holds = (
        secret.get("type") == TYPE
        and not objects.is_deleting(secret)
        and told.get("token-id") == token_id
        and hmac.compare_digest(told.get("token-secret", ""), token_secret)
        and told.get("usage-bootstrap-authentication") == "true"
        and not _has_expired(told.get("expiration", ""), now)
        and all(_GROUP.fullmatch(group) for group in groups)
    )
    return authenticated(User(f"system:bootstrap:{token_id}", groups=(GROUP, *groups))) if holds else None


def _has_expired(expiration: str, now: float) -> bool:
    if not expiration:
        return False
    try:
        return times.parse(expiration) <= now
    except ValueError:
        return True


def _text(value: str) -> str:
    try:
        return base64.b64decode(value).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
