"""The link of the chain that tells the audit log of requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final, Protocol, TypeVar

import orjson

from pybernetes.lib.clock import Clock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.auditing import event
from pybernetes.server.auditing.policy import Level, Policy, Wanted
from pybernetes.server.context import Handler, Request, Response

T = TypeVar("T")
_DECISION: Final = "authorization.k8s.io/decision"
_REASON: Final = "authorization.k8s.io/reason"


class Sink(Protocol):
    def write(self, event: Obj) -> None: ...


class Trail:
    def __init__(self, policy: Policy, sink: Sink, clock: Clock) -> None:
        self._policy, self._sink, self._clock = policy, sink, clock

    async def handle(self, request: Request, following: Handler) -> Response:
        """Pass a request on, and tell of its stages what the policy wants told."""
        assert request.user is not None
        assert request.info is not None
        wanted = self._policy.of(request.user if request.impersonator is None else request.impersonator, request.info)
        if wanted.level is Level.NONE:
            return await following(request)
        received = self._clock.time()
        body = event.asked(request, wanted)
        if body is not None and request.obj is body:
            body = orjson.loads(orjson.dumps(body))  # what the server fills in later is not what was asked
        self._tell(request, wanted, "RequestReceived", received, {})
        try:
            response = await following(request)
        except errors.ApiError as error:
            self._complete(request, wanted, received, body, error)
            raise
        return self._answered(request, wanted, received, body, response)

    def _answered(self, request: Request, wanted: Wanted, received: float, body: object, got: Response) -> Response:
        if got.stream is None and got.events is None:
            self._complete(request, wanted, received, body, got)
            return got
        self._tell(request, wanted, "ResponseStarted", received, {"responseStatus": event.ended(got)})

        def complete() -> None:
            self._complete(request, wanted, received, body, got)

        if got.events is not None:
            return replace(got, events=_followed(got.events, complete))
        assert got.stream is not None
        return replace(got, stream=_followed(got.stream, complete))

    def _complete(
        self, request: Request, wanted: Wanted, received: float, body: object, got: Response | errors.ApiError
    ) -> None:
        told: Obj = {"responseStatus": event.ended(got)}
        if body is not None:
            told["requestObject"] = body
        answer = event.answered(got, wanted)
        if answer is not None:
            told["responseObject"] = answer
        self._tell(request, wanted, "ResponseComplete", received, told)

    def _tell(self, request: Request, wanted: Wanted, stage: str, received: float, more: Obj) -> None:
        if stage not in wanted.omitted:
            made = event.build(request, wanted, stage, received, self._clock.time())
            self._sink.write({**made, **more})


async def _followed(stream: AsyncIterator[T], complete: Callable[[], None]) -> AsyncIterator[T]:
    """``stream``, and a word at its end."""
    try:
        async for piece in stream:
            yield piece
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
        complete()


def decided(request: Request, *, allowed: bool, reason: str) -> None:
    """Note what the authorizer found."""
    request.annotations |= {_DECISION: "allow" if allowed else "forbid", _REASON: reason}
