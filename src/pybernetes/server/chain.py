"""The request path as one list: read ``CHAIN`` from top to bottom.

Theory of operation. Each link gets the request and the handler behind it; it may answer by itself, raise an ApiError,
or pass the request on. An ApiError of any link becomes a Status in ``refuse``, near the outside. The last handler sends
what is a resource to the registry and the rest to health, discovery and documents (``api.py``).
Requests of clients in this process take the same way: they bring their user and take objects instead of bytes.
Neighbours: ``requestinfo.py``, ``authn/``, ``authz/`` are the links' minds; ``refusal.py`` makes Status answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors
from pybernetes.server import refusal, requestinfo
from pybernetes.server.audit import AuditIds
from pybernetes.server.auditing.trail import Trail, decided
from pybernetes.server.authn.impersonation import impersonated
from pybernetes.server.authn.table import Authenticator
from pybernetes.server.authz.authorizer import Authorizer
from pybernetes.server.authz.authorizer import refusal as forbidden
from pybernetes.server.context import Filter, Handler, Request, Response
from pybernetes.server.flow.control import FlowControl, Refused
from pybernetes.server.instruments import Instruments

_log = log.Log("server.chain")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the links need."""

    clock: Clock
    instruments: Instruments
    audit_ids: AuditIds
    authenticator: Authenticator
    authorizer: Authorizer
    flow: FlowControl
    trail: Trail | None = None
    """None: nothing is audited."""


Link: TypeAlias = Callable[[Parts, Request, Handler], Awaitable[Response]]


async def count(parts: Parts, request: Request, following: Handler) -> Response:
    """Count what was asked and answered, and how long it took."""
    begun = parts.clock.monotonic()
    response = await following(request)
    parts.instruments.count(request, response.status, parts.clock.monotonic() - begun)
    return response


async def mark(parts: Parts, request: Request, following: Handler) -> Response:
    """Send the audit id and the warnings along."""
    response = await following(request)
    if not request.in_process:
        response.headers.append(("Audit-Id", request.audit_id or parts.audit_ids.of(request)))
        response.headers += request.told
        if request.warnings:
            response.headers += refusal.warning_headers(request.warnings)
    return response


async def refuse(parts: Parts, request: Request, following: Handler) -> Response:
    """Turn errors into Status answers; one that nobody foresaw is ours to see and not the client's."""
    try:
        return await following(request)
    except errors.ApiError as error:
        return refusal.answer(request, error)
    except Exception as error:
        user = request.user.name if request.user else ""
        _log.error("a request failed", error, method=request.method, path=request.path, user=user)
        return refusal.answer(
            request, errors.InternalError("Internal error occurred: the request failed; see the server's log")
        )


async def identify(parts: Parts, request: Request, following: Handler) -> Response:
    """What is asked?"""
    request.info = requestinfo.of(request)
    return await following(request)


async def authenticate(parts: Parts, request: Request, following: Handler) -> Response:
    """Who asks? A client in this process has said so already."""
    if not request.in_process:
        if parts.authenticator.prepare is not None:
            await parts.authenticator.prepare(request)
        user = parts.authenticator.authenticate(request)
        request.user = await impersonated(request, user, parts.authorizer)
        if request.user is not user:
            request.impersonator = user
    return await following(request)


async def record(parts: Parts, request: Request, following: Handler) -> Response:
    """Tell the audit log, if there is one."""
    if parts.trail is None:
        return await following(request)
    request.audit_id = parts.audit_ids.of(request)
    return await parts.trail.handle(request, following)


async def share(parts: Parts, request: Request, following: Handler) -> Response:
    """Is it their turn? What is shed is told to come again."""
    assert request.info is not None
    if request.in_process or not parts.flow.concerns(request.info):
        return await following(request)
    schema = parts.flow.schema(request)
    request.told = schema.headers
    try:
        await parts.flow.seat(schema, request)
    except Refused:
        return refusal.too_many()
    try:
        return await following(request)
    finally:
        parts.flow.rise(schema.level)


async def authorize(parts: Parts, request: Request, following: Handler) -> Response:
    """May they?"""
    assert request.user is not None
    assert request.info is not None
    decision = await parts.authorizer.decide(request.user, request.info)
    if parts.trail is not None:
        decided(request, allowed=decision.allowed, reason=decision.reason)
    if not decision.allowed:
        raise forbidden(request.user, request.info, decision.reason)
    return await following(request)


CHAIN: Final[tuple[Link, ...]] = (
    count,
    mark,
    refuse,
    identify,
    authenticate,
    record,
    share,
    authorize,
)


def assemble(parts: Parts, last: Handler) -> Handler:
    """``CHAIN`` in front of ``last``, as one handler."""
    handler = last
    for link in reversed(CHAIN):
        handler = _before(partial(link, parts), handler)
    return handler


def _before(filter_: Filter, following: Handler) -> Handler:
    def handler(request: Request) -> Awaitable[Response]:
        return filter_(request, following)

    return handler
