"""Continue tokens of paged lists, in upstream's own form (apiserver/pkg/storage/continue.go).

A token is URL-safe base64 of ``{"v":"meta.k8s.io/v1","rv":…,"start":…}``: the revision of the first page and where
the next one starts. Revision -1 means "whatever is there now": the way back that an expired token is given.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_VERSION: Final = "meta.k8s.io/v1"
_NOW: Final = -1
_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - "
    "objects that were created, modified, or deleted between the time the first chunk was returned "
    "and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: ``after`` this key, as of ``revision`` (0: now, giving up consistency)."""

    after: str
    revision: int


class ContinueExpired(errors.Expired):
    """410 with a fresh token in its metadata, which goes on from the same place without consistency."""

    def __init__(self, token: str) -> None:
        super().__init__(_TOO_OLD)
        self.token = token

    def status(self) -> Obj:
        return super().status() | {"metadata": {"continue": self.token}}


def encode(prefix: str, last_key: str, revision: int) -> str:
    """The token for what follows ``last_key`` in the list of ``prefix``."""
    content = {"v": _VERSION, "rv": revision, "start": last_key.removeprefix(prefix) + "\0"}
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def decode(prefix: str, token: str) -> Position:
    """Raises BadRequest for a token that is none, in upstream's words."""
    content = _content(token)
    if content.get("v") != _VERSION:
        raise _bad(
            "continue key is not valid: server does not recognize this encoded version " + str(content.get("v", ""))
        )
    start, revision = content.get("start"), content.get("rv")
    if not isinstance(revision, int) or revision == 0 or revision < _NOW:
        raise _bad(f"continue key is not valid: incorrect encoded start resourceVersion (version {_VERSION})")
    if not isinstance(start, str) or not start:
        raise _bad(f"continue key is not valid: encoded start key empty (version {_VERSION})")
    if ".." in start.split("/"):
        raise _bad("continue key is not valid: " + start)
    return Position(prefix + start.removesuffix("\0"), max(revision, 0))


def expired(prefix: str, position: Position) -> ContinueExpired:
    """The refusal of a token whose revision is compacted."""
    return ContinueExpired(encode(prefix, position.after, _NOW))


def _content(token: str) -> dict[str, Any]:
    try:
        content = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _bad(f"continue key is not valid: {error}") from error
    if not isinstance(content, dict):
        raise _bad("continue key is not valid: not an object")
    return content


def _bad(why: str) -> errors.BadRequest:
    return errors.BadRequest(f"invalid continue token: {why}")
