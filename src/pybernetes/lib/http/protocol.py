"""One HTTP/1.1 connection of a server: requests come in, a handler answers, answers leave in order.

Theory of operation. The event loop calls ``data_received``; ``incoming.RequestReader`` makes whole requests of the
bytes. One task per connection (not per request) takes them in order, awaits the handler and writes the answer, so a
pipelining client gets its answers in its order. A stream is written chunk by chunk, each flushed, and waits while the
client does not read. An upgrade hands the transport over, with what came behind the request.
Rule 1: a request that has begun to be handled is handled to its end, also when its client has gone: a write happens or
        does not, but is never cut in half. Only streams are closed at once.
Rule 2: nobody holds a connection by being slow: one timer per connection, armed for the earliest thing that may be due.
Neighbours: ``message.py`` (what a handler gets and gives), ``wire.py`` (heads), ``serve.py`` (listening and stopping).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from pybernetes.lib import log
from pybernetes.lib.clock import Clock, Timer
from pybernetes.lib.http import wire
from pybernetes.lib.http.incoming import Incoming, Limits, Refused, RequestReader
from pybernetes.lib.http.message import HttpHandler, HttpRequest, HttpResponse

if TYPE_CHECKING:
    from pybernetes.lib.http.serve import HttpServer

_log = log.Log("http")
_JOINED_BYTES: Final = 64 * 1024
"""Up to here head and body leave in one piece; a longer body is not copied."""
_SURPLUS_BYTES: Final = 64 * 1024
_LINGER_SECONDS: Final = 0.5
"""How long a refused client's bytes are still taken in, so that it reads the refusal and not a reset."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def plain_refusal(status: int, message: str) -> HttpResponse:
    """The answer to what never became a request."""
    return HttpResponse(status=status, body=message.encode(), content_type="text/plain; charset=utf-8")


class Connection(asyncio.Protocol):
    """``refusal`` makes the answer for a request that is too large, too slow or malformed."""

    def __init__(
        self, handler: HttpHandler, clock: Clock, limits: Limits, refusal: Callable[[int, str], HttpResponse],
        server: HttpServer,
    ) -> None:  # fmt: skip
        self._handler, self._clock, self._limits, self._refusal = handler, clock, limits, refusal
        self._server = server
        self._transport: asyncio.Transport
        self._reader: RequestReader
        self._refused: Refused | None = None
        self._worker: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._busy = self._streaming = self._lost = self._closing = self._handed_over = False
        self._begun_at: float | None = None
        self._due_at = 0.0
        self._timer: Timer | None = None

    # ── the event loop's calls ───────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        tls = transport.get_extra_info("ssl_object")
        peer = transport.get_extra_info("peername")
        remote = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else ""
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self._reader = RequestReader(self._limits, certificate, remote)
        self._server.add(self)
        self._expect_by(self._limits.idle_seconds)

    def data_received(self, data: bytes) -> None:
        if self._refused is not None or (self._closing and not self._busy):
            return
        try:
            self._reader.feed(data)
        except Refused as refused:
            self._refused = refused
        self._after_reading()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._server.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()
        if self._worker is not None and (self._streaming or not self._busy):
            self._worker.cancel()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()
        self._expect_by(self._limits.write_seconds)

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None
        self._due_at = 0.0

    # ── for the server ───────────────────────────────────────────────────────────────────────────────────

    def finish(self) -> None:
        """Close after the answer under way, or now if there is none."""
        self._closing = True
        if not self._busy:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────

    def _after_reading(self) -> None:
        reader = self._reader
        if len(reader.ready) > self._limits.pipelined or len(reader.surplus) > _SURPLUS_BYTES:
            self._transport.pause_reading()
        if not reader.begun:
            self._begun_at = None
        elif self._begun_at is None:
            self._begun_at = self._clock.monotonic()
        if self._busy:
            return
        if reader.ready or self._refused is not None:
            self._wake()
        else:
            self._wait_for_more()

    def _wait_for_more(self) -> None:
        """Nothing to do until the client says more: see that it does in time."""
        reader = self._reader
        if self._begun_at is None:
            self._expect_by(self._limits.idle_seconds)
            return
        if reader.expects:
            reader.expects = False
            self._transport.write(_CONTINUE)
        seconds = self._limits.head_seconds if reader.in_head else self._limits.request_seconds
        self._expect_by(self._begun_at + seconds - self._clock.monotonic())

    def _wake(self) -> None:
        self._due_at = 0.0
        self._busy = True
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="http connection")
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # ── being slow ───────────────────────────────────────────────────────────────────────────────────────

    def _expect_by(self, seconds: float) -> None:
        """End the connection unless something else happens within ``seconds``. The timer is moved only when it fires,
        or when it would fire too late, so that a request costs no timer."""
        self._due_at = self._clock.monotonic() + seconds
        if self._timer is None or self._fires_at > self._due_at:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = self._due_at
        self._timer = self._clock.call_later(self._due_at - self._clock.monotonic(), self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._lost or self._handed_over or not self._due_at:
            return
        if self._due_at > self._clock.monotonic():
            self._arm()
        elif self._writable is not None:
            self._transport.abort()
        elif self._begun_at is None or self._reader.in_head:
            self._transport.close()
        else:
            self._refused = Refused(408, f"Request Timeout: not whole after {self._limits.request_seconds:g} s")
            self._wake()

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────

    async def _work(self) -> None:
        while not self._transport.is_closing() and not self._handed_over:
            if self._reader.ready:
                incoming = self._reader.ready.popleft()
                await self._answer(incoming, await self._handle(incoming.request))
                if not self._reader.upgraded:
                    self._transport.resume_reading()
            elif self._refused is not None:
                await self._refuse(self._refused)
            else:
                await self._rest()

    async def _rest(self) -> None:
        """Wait until there is a request."""
        self._busy = False
        if self._closing:
            self._transport.close()
            return
        self._waiter = asyncio.get_running_loop().create_future()
        self._wait_for_more()
        await self._waiter

    async def _handle(self, request: HttpRequest) -> HttpResponse:
        try:
            return await self._handler(request)
        except Exception as error:
            _log.error("a handler failed", error, method=request.method, target=request.raw_target)
            return self._refusal(500, "Internal Server Error")

    async def _answer(self, incoming: Incoming, response: HttpResponse) -> None:
        if response.upgrade is not None:
            self._hand_over(response)
            return
        close = self._closing or not incoming.keep_alive or incoming.upgrade
        if response.stream is not None:
            await self._stream(incoming, response, response.stream, close)
        else:
            self._write_whole(incoming, response, close)
        if close or (response.stream is not None and not incoming.chunks):
            self._transport.close()
        else:
            await self._drained()

    def _write_whole(self, incoming: Incoming, response: HttpResponse, close: bool) -> None:
        if self._lost:
            return
        body = response.body
        counted = response.status not in (204, 304)
        head = wire.response_head(
            response.status, response.content_type, response.headers,
            length=len(body) if counted else None, chunked=False, close=close, date=self._server.date(),
        )  # fmt: skip
        if not wire.has_body(incoming.request.method, response.status):
            self._transport.write(head)
        elif len(body) <= _JOINED_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    async def _stream(
        self, incoming: Incoming, response: HttpResponse, stream: AsyncIterator[bytes], close: bool
    ) -> None:
        """Write a stream as it comes. One that fails has its connection cut: its head has left long ago."""
        try:
            if self._lost:
                return
            self._streaming = True
            self._transport.write(
                wire.response_head(
                    response.status, response.content_type, response.headers, length=None, chunked=incoming.chunks,
                    close=close or not incoming.chunks, date=self._server.date(),
                )
            )  # fmt: skip
            if wire.has_body(incoming.request.method, response.status):
                await self._pump(stream, incoming.chunks)
        except Exception as error:
            _log.error("a stream failed", error, method=incoming.request.method, target=incoming.request.raw_target)
            self._transport.abort()
        finally:
            self._streaming = False
            await _close(stream)

    async def _pump(self, stream: AsyncIterator[bytes], chunked: bool) -> None:
        async for data in stream:
            if data:
                self._transport.write(wire.chunk(data) if chunked else data)
                if self._writable is not None:
                    await self._drained()
        if chunked:
            self._transport.write(wire.LAST_CHUNK)

    async def _drained(self) -> None:
        """Return when the client has read enough for more to be written, or has gone."""
        if self._writable is not None:
            await self._writable

    async def _refuse(self, refused: Refused) -> None:
        """Say why, then end the connection; what still comes is read and dropped for a moment."""
        incoming = Incoming(HttpRequest("GET", "/"), keep_alive=False, chunks=True)
        self._closing = True
        self._write_whole(incoming, self._refusal(refused.status, refused.message), close=True)
        with suppress(NotImplementedError):
            if self._transport.can_write_eof():
                self._transport.write_eof()
        self._clock.call_later(_LINGER_SECONDS, self._transport.close)
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _hand_over(self, response: HttpResponse) -> None:
        assert response.upgrade is not None
        self._handed_over = True
        self._server.remove(self)
        successor = response.upgrade(self._transport, bytes(self._reader.surplus))
        if self._lost:
            successor.connection_lost(None)
            return
        self._transport.set_protocol(successor)
        self._server.add_upgraded(self._transport)
        if self._writable is not None:
            successor.pause_writing()
        self._transport.resume_reading()


async def _close(stream: AsyncIterator[bytes]) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        await close()
