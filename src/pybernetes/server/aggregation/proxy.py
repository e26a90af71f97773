"""A request handed on to the server behind this one, in the name of its user.

Rule: the other server trusts our certificate and believes what we say in ``X-Remote-…`` headers; what a client says in
such headers, and its credentials, never get there. Bodies pass as they come, upgrades are joined raw.
Neighbours: ``remote.py`` finds the server; ``connect/passing.py`` makes the answer ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urlencode

import orjson

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.http import splice
from pybernetes.lib.http.client import HttpError
from pybernetes.lib.http.splice import SpliceError
from pybernetes.server.aggregation.endpoint import Unavailable
from pybernetes.server.aggregation.remote import Remote
from pybernetes.server.connect import passing
from pybernetes.server.context import Request, Response, User

_KEPT_BACK: Final = frozenset((
    "authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
))  # fmt: skip
_UPGRADE: Final = frozenset(("connection", "upgrade"))
_OURS: Final = ("x-remote-", "impersonate-")
_log = log.Log("server.aggregation")


async def handle(request: Request, remote: Remote, clock: Clock) -> Response:
    """What the other server answers; 503 where it cannot be reached."""
    target = request.raw_target or _target(request)
    try:
        if splice.wants_upgrade(request):
            asked = Request(request.method, request.path, headers=dict(_headers(request, _KEPT_BACK - _UPGRADE)))
            return passing.whole(await splice.splice(asked, target, remote.backend(), clock, _named(request)))
        headers = [*_headers(request, _KEPT_BACK), *_named(request)]
        stream = await remote.client().stream(request.method, target, headers, _body(request))
    except (HttpError, SpliceError, Unavailable) as error:
        _log.info("a server behind this one cannot be reached", group=remote.group, why=str(error))
        return Response(503, b"service unavailable\n", "text/plain; charset=utf-8")
    if request.in_process:
        body = await stream.read()
        return Response(stream.status, body, stream.headers.get("content-type", ""))
    return passing.streamed(stream)


def _body(request: Request) -> bytes:
    return orjson.dumps(request.obj) if request.obj is not None and not request.body else request.body


def _target(request: Request) -> str:
    query = urlencode([(name, value) for name, values in request.query.items() for value in values])
    return quote(request.path) + (f"?{query}" if query else "")


def _headers(request: Request, kept_back: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, value in request.headers.items():
        if name not in kept_back and not name.startswith(_OURS):
            yield name, value
    if request.remote:
        yield "x-forwarded-for", request.remote.rpartition(":")[0]


def _named(request: Request) -> list[tuple[str, str]]:
    """Who asks, as the headers say it of which ``extension-apiserver-authentication`` tells."""
    user: User | None = request.user
    assert user is not None
    named = [("X-Remote-User", user.name)]
    if user.uid:
        named.append(("X-Remote-Uid", user.uid))
    named += [("X-Remote-Group", group) for group in user.groups]
    named += [(f"X-Remote-Extra-{quote(k, safe='')}", value) for k, values in user.extra.items() for value in values]
    return named
