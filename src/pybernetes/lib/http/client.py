"""An HTTP/1.1 client of one server, with a pool of kept-alive connections.

Rule 1: a request that may have been carried out is not sent twice. A pooled connection can have died unseen; then a
        GET or HEAD to which no byte of an answer came goes out once more, on a fresh connection.
Rule 2: every failure is an ``HttpError`` whose message names the server.
Neighbours: ``connection.py`` is one connection; ``client/http.py`` speaks Kubernetes over this.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from pybernetes.lib import tasks
from pybernetes.lib.clock import Clock
from pybernetes.lib.http import wire
from pybernetes.lib.http.answers import Head
from pybernetes.lib.http.connection import BrokenOff, Connection

_CONNECT_SECONDS: Final = 10.0
_IDLE_SECONDS: Final = 60.0
"""Less than a server's 90, so that it is we who end an idle connection."""
_IDLE_MOST: Final = 32
_REQUESTS_MOST: Final = 128
"""Requests at a time; more wait. Streams are not counted, since they last."""
_SAFE: Final = frozenset(("GET", "HEAD"))
_NO_HEADERS: Final[Mapping[str, str]] = {}
Headers: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]
"""Pairs where a name comes more than once."""


class HttpError(Exception):
    """A request without an answer."""


class Unreachable(HttpError):
    """No connection came about: nothing has been sent."""


class Interrupted(HttpError):
    """The connection ended before the answer did; whether the request was carried out is unknown."""


class TimedOut(HttpError):
    """No answer in time."""


class Stream:
    """An answer whose body is read as it comes: ``async for data in stream``. ``aclose`` ends it early."""

    def __init__(self, client: HttpClient, connection: Connection, head: Head) -> None:
        self.status, self.headers = head.status, head.headers
        self._client, self._connection, self._open = client, connection, True

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        if not self._open:
            raise StopAsyncIteration
        try:
            data = await self._connection.piece()
        except BrokenOff as error:
            await self.aclose()
            raise Interrupted(f"{self._client.base_url} broke off its answer: {error}") from error
        if not data:
            await self.aclose()
            raise StopAsyncIteration
        return data

    async def read(self) -> bytes:
        """The rest of the body."""
        return b"".join([data async for data in self])

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._client.give_back(self._connection)


class HttpClient:
    """``base_url`` is ``http[s]://host[:port][/prefix]``; ``ssl_context`` is needed for https. ``address``: where the
    server is to be found, if its name does not tell."""

    def __init__(
        self, base_url: str, ssl_context: ssl.SSLContext | None, clock: Clock, *, address: tuple[str, int] | None = None
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is no http or https URL")
        self.base_url = base_url.rstrip("/")
        self._host = parts.hostname
        self._address = address or (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
        self._prefix, self._authority = parts.path.rstrip("/"), parts.netloc.rpartition("@")[2]
        self._ssl = (ssl_context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._clock = clock
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._turn = asyncio.Semaphore(_REQUESTS_MOST)

    async def request(
        self, method: str, target: str, headers: Mapping[str, str] = _NO_HEADERS, body: bytes = b"",
        timeout_seconds: float = 60.0,
    ) -> tuple[int, Mapping[str, str], bytes]:  # fmt: skip
        """(status, headers with lower-case names, body). Raises HttpError; 0 or less is no time limit."""
        try:
            async with self._turn, self._deadline(timeout_seconds):
                stream = await self._exchange(method, target, headers, body)
                try:
                    return stream.status, stream.headers, await stream.read()
                finally:
                    await stream.aclose()
        except TimeoutError as error:
            raise TimedOut(f"{self.base_url} did not answer within {timeout_seconds:g} s") from error

    async def stream(
        self, method: str, target: str, headers: Headers = _NO_HEADERS, body: bytes = b"",
        timeout_seconds: float = 60.0,
    ) -> Stream:  # fmt: skip
        """The answer once its head is there (``timeout_seconds`` is for the head alone). Raises HttpError."""
        try:
            async with self._deadline(timeout_seconds):
                return await self._exchange(method, target, headers, body)
        except TimeoutError as error:
            raise TimedOut(f"{self.base_url} did not answer within {timeout_seconds:g} s") from error

    async def close(self) -> None:
        """Cut all connections."""
        for connection in tuple(self._open):
            connection.close()
        self._idle.clear()

    def give_back(self, connection: Connection) -> None:
        """For ``Stream``: its answer has been read, or is not wanted any more."""
        if connection.release():
            connection.idle_since = self._clock.monotonic()
            self._idle.append(connection)
            if len(self._idle) > _IDLE_MOST:
                self._idle.pop(0).close()

    def _deadline(self, seconds: float) -> AbstractAsyncContextManager[None]:
        return tasks.deadline(self._clock, seconds)

    async def _exchange(self, method: str, target: str, headers: Headers, body: bytes) -> Stream:
        data = self._request_head(method, target, headers, body)
        pooled = self._take_idle()
        if pooled is not None:
            try:
                return await self._send(pooled, method, data, body)
            except BrokenOff as error:
                if error.begun or method not in _SAFE:
                    raise Interrupted(f"{self.base_url} closed the connection without an answer: {error}") from error
        connection = await self._connect()
        try:
            return await self._send(connection, method, data, body)
        except BrokenOff as error:
            raise Interrupted(f"{self.base_url} closed the connection without an answer: {error}") from error

    def _request_head(self, method: str, target: str, headers: Headers, body: bytes) -> bytes:
        framing = {"Host": self._authority}
        if body or method in ("POST", "PUT", "PATCH"):
            framing["Content-Length"] = str(len(body))
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return wire.request_head(method, self._prefix + target, (*framing.items(), *pairs))

    async def _send(self, connection: Connection, method: str, data: bytes, body: bytes) -> Stream:
        connection.send(method, data, body)
        try:
            return Stream(self, connection, await connection.head())
        except BaseException:
            connection.close()  # also when cancelled: the answer would reach the next request
            raise

    def _take_idle(self) -> Connection | None:
        """The connection used last, since the others may rest until they end."""
        oldest = self._clock.monotonic() - _IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.alive and connection.idle_since >= oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        try:
            async with tasks.deadline(self._clock, _CONNECT_SECONDS):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._lost), *self._address, ssl=self._ssl,
                    server_hostname=self._host if self._ssl is not None else None,
                )  # fmt: skip
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"{self.base_url} shows a certificate that is not to be trusted: {error.verify_message}"
            ) from error
        except TimeoutError as error:
            raise Unreachable(f"{self.base_url} cannot be reached: no connection in {_CONNECT_SECONDS:g} s") from error
        except OSError as error:
            raise Unreachable(f"{self.base_url} cannot be reached: {_told(error)}") from error
        self._open.add(connection)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)


def _told(error: OSError) -> str:
    """The system's sentence without asyncio's listing of every address."""
    import os

    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
