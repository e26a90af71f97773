"""A client's upgraded connection joined raw to a backend's: exec, attach, port-forward and WebSockets pass here.

Theory of operation. The request's head is replayed to the backend with another target and Host. An answer other than
101 is returned as a plain answer, so that a connection that stayed HTTP is never joined to a backend that the next
request is not meant for. After a 101, that answer and every byte behind it pass in both directions as they come:
nothing is parsed, nothing is piled up (a side that does not read stops the other), and the end of one direction is
passed on as such where the connection can (TLS cannot: there the end of one is the end of both).
Neighbours: ``protocol.py`` hands the client's side over, ``answers.py`` understands the backend's head.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from pybernetes.lib import tasks
from pybernetes.lib.clock import Clock
from pybernetes.lib.http import wire
from pybernetes.lib.http.answers import AnswerReader, BadAnswer
from pybernetes.lib.http.message import HttpRequest, HttpResponse

_HEAD_SECONDS: Final = 30.0
_BODY_BYTES: Final = 1024 * 1024
_SPLIT: Final = frozenset(("x-stream-protocol-version",))
"""Lists that older servers understand only as one header each."""
_KEPT_BACK: Final = ("authorization", "host", "impersonate-", "proxy-")
"""What is said to us and not to the backend."""
_HOP: Final = frozenset(("connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"))


class SpliceError(Exception):
    """The backend could not be reached or did not answer; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Where to; ``ssl_context`` for TLS."""

    host: str
    port: int
    ssl_context: ssl.SSLContext | None = None
    server_name: str = ""
    """What its certificate calls it, if not ``host``."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def wants_upgrade(request: HttpRequest) -> bool:
    """Does the client ask to speak another protocol (RFC 9110, 7.8)?"""
    tokens = request.headers.get("connection", "").lower().split(",")
    return "upgrade" in request.headers and any(t.strip() == "upgrade" for t in tokens)


async def splice(
    request: HttpRequest, raw_target: str, backend: Backend, clock: Clock, more: Sequence[tuple[str, str]] = ()
) -> HttpResponse:
    """Replay ``request`` as ``raw_target`` of ``backend``: its 101 becomes an upgrade, any other answer a plain one.

    ``more``: headers besides the request's. Raises SpliceError.
    """
    far = await _connect(backend, clock)
    try:
        far.transport.write(wire.request_head(request.method, raw_target, [*_headers(request, backend), *more]))
        async with tasks.deadline(clock, _HEAD_SECONDS):
            return await _answer(far, request.method)
    except TimeoutError as error:
        raise SpliceError(f"{backend} did not answer within {_HEAD_SECONDS:g} s") from error
    except BadAnswer as error:
        raise SpliceError(f"{backend}: {error}") from error
    finally:
        if not far.switched:
            far.transport.abort()


async def _answer(far: _Far, method: str) -> HttpResponse:
    """What the backend says. Raises BadAnswer."""
    reader = AnswerReader(method)
    while reader.head is None:
        data = await far.more()
        if not data:
            raise BadAnswer("the connection ended without an answer")
        reader.feed(data)
    if reader.head.status == 101:
        far.switch()
        return HttpResponse(status=101, upgrade=far.join)
    length = sum(map(len, reader.pieces))
    while not reader.complete and length < _BODY_BYTES:
        data = await far.more()
        if not data:
            reader.end()
            break
        reader.feed(data)
        length = sum(map(len, reader.pieces))
    headers = reader.head.headers
    return HttpResponse(
        status=reader.head.status, body=b"".join(reader.pieces), content_type=headers.get("content-type", ""),
        headers=[(name, value) for name, value in headers.items() if name not in _HOP],
    )  # fmt: skip


def _headers(request: HttpRequest, backend: Backend) -> list[tuple[str, str]]:
    host = f"[{backend.host}]" if ":" in backend.host else backend.host
    out = [("host", f"{host}:{backend.port}")]
    for name, value in request.headers.items():
        if name.startswith(_KEPT_BACK):
            continue
        values = [v.strip() for v in value.split(",")] if name in _SPLIT else [value]
        out += [(name, v) for v in values]
    return out


async def _connect(backend: Backend, clock: Clock) -> _Far:
    try:
        async with tasks.deadline(clock, _HEAD_SECONDS):
            _, far = await asyncio.get_running_loop().create_connection(
                _Far, backend.host, backend.port, ssl=backend.ssl_context,
                server_hostname=(backend.server_name or None) if backend.ssl_context is not None else None,
            )  # fmt: skip
    except TimeoutError as error:
        raise SpliceError(f"dial tcp {backend}: i/o timeout") from error
    except OSError as error:
        raise SpliceError(f"dial tcp {backend}: {_told(error)}") from error
    return far


def _told(error: OSError) -> str:
    """As Go has it: ``connect: connection refused``."""
    if isinstance(error, ssl.SSLError) or not error.errno or error.errno < 0:
        return str(error)
    return f"connect: {os.strerror(error.errno).lower()}"


class _End(asyncio.Protocol):
    """One side of a joined connection; ``peer`` is the other."""

    transport: asyncio.Transport
    peer: _End | None = None

    def data_received(self, data: bytes) -> None:
        assert self.peer is not None
        self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the end of this direction on; True keeps the other direction open."""
        if self.peer is None or self.peer.transport.is_closing() or not self.peer.transport.can_write_eof():
            return False
        with suppress(OSError):  # it has ended meanwhile, which ``connection_lost`` tells of
            self.peer.transport.write_eof()
        return self.transport.can_write_eof()

    def connection_lost(self, error: Exception | None) -> None:
        if self.peer is not None:
            self.peer.transport.close()  # what it still has to write, it writes


class _Near(_End):
    """The client's side, taken over from the HTTP server."""

    def __init__(self, transport: asyncio.Transport, peer: _End) -> None:
        self.transport, self.peer = transport, peer


class _Far(_End):
    """The backend's side: first its answer is read, then it is joined."""

    def __init__(self) -> None:
        self.switched = False
        self._came = bytearray()
        """Unread bytes; once the head is there, all bytes from its first on."""
        self._read = 0
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.transport.write(data)
            return
        self._came += data
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        self._wake()
        super().connection_lost(error)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def more(self) -> bytes:
        """Bytes that have come since the last call; empty at the end."""
        while self._read == len(self._came):
            if self._ended:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data, self._read = bytes(self._came[self._read :]), len(self._came)
        return data

    def switch(self) -> None:
        """The answer was 101: read nothing more before ``join``."""
        self.switched = True
        if not self._ended:
            self.transport.pause_reading()

    def join(self, transport: asyncio.Transport, surplus: bytes) -> asyncio.Protocol:
        """The upgrade (``message.Upgrade``): pass on the answer and what came behind it, then everything."""
        near = _Near(transport, self)
        self.peer = near
        transport.write(bytes(self._came))
        self._came.clear()
        self.transport.write(surplus) if surplus else None
        if self._ended:
            transport.close()
        else:
            self.transport.resume_reading()
        return near
