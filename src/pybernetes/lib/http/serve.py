"""Listening: ``serve`` opens the port, ``HttpServer.stop`` closes it in an orderly way.

Neighbours: ``protocol.py`` is one connection; ``lib/tls.py`` makes the context.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from pybernetes.lib.clock import Clock
from pybernetes.lib.http import wire
from pybernetes.lib.http.incoming import Limits
from pybernetes.lib.http.message import HttpHandler, HttpResponse
from pybernetes.lib.http.protocol import Connection, plain_refusal

_HANDSHAKE_SECONDS = 10.0


class HttpServer:
    """A listening server and its connections."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listener: asyncio.Server
        self._connections: set[Connection] = set()
        self._upgraded: set[asyncio.Transport] = set()
        self._empty: asyncio.Future[None] | None = None
        self._date = (0, b"")

    @property
    def port(self) -> int:
        """The port that it listens on, also where 0 was asked for."""
        return int(self._listener.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def stop(self, grace_seconds: float = 2.0) -> None:
        """Accept nothing more, let answers under way leave for ``grace_seconds``, then cut what is left."""
        self._listener.close()
        for connection in tuple(self._connections):
            connection.finish()
        if self._connections:
            self._empty = asyncio.get_running_loop().create_future()
            timer = self._clock.call_later(grace_seconds, self._cut)
            await self._empty
            timer.cancel()
        for transport in self._upgraded:
            transport.abort()
        await self._listener.wait_closed()

    def _cut(self) -> None:
        for connection in tuple(self._connections):
            connection.abort()

    # ── for the connections ──────────────────────────────────────────────────────────────────────────────

    def add(self, connection: Connection) -> None:
        self._connections.add(connection)

    def remove(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def add_upgraded(self, transport: asyncio.Transport) -> None:
        """Remember a connection that has been handed over, to cut it when the server stops."""
        self._upgraded = {t for t in self._upgraded if not t.is_closing()}
        self._upgraded.add(transport)

    def date(self) -> bytes:
        """The Date header, made once a second."""
        second = int(self._clock.time())
        if second != self._date[0]:
            self._date = (second, wire.date_header(second))
        return self._date[1]


async def serve(
    handler: HttpHandler,
    *,
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 0,
    sock: socket.socket | None = None,
    ssl_context: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    refusal: Callable[[int, str], HttpResponse] = plain_refusal,
) -> HttpServer:
    """Listen on ``host`` and ``port`` (0: any free one), or on ``sock``. Raises OSError."""
    server = HttpServer(clock)
    bounds = limits or Limits()
    loop = asyncio.get_running_loop()

    def connection() -> Connection:
        return Connection(handler, clock, bounds, refusal, server)

    seconds = _HANDSHAKE_SECONDS if ssl_context is not None else None
    if sock is not None:
        listening = loop.create_server(
            connection, sock=sock, backlog=512, ssl=ssl_context, ssl_handshake_timeout=seconds
        )
    else:
        listening = loop.create_server(
            connection, host, port, backlog=512, ssl=ssl_context, ssl_handshake_timeout=seconds
        )
    server._listener = await listening
    return server
