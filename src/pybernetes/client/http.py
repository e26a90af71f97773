"""The API over a socket: the adapter of ``transport.Transport`` that speaks JSON to any Kubernetes API server.

Rule: a failed connection is ``errors.ServiceUnavailable`` with the server's address; a Status body is its ApiError.
Neighbours: ``direct.py`` is the adapter without a socket, ``kubeconfig.py`` tells where the server is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from pybernetes.client import kubeconfig
from pybernetes.client.client import Client
from pybernetes.client.transport import Query
from pybernetes.kinds.table import KindTable
from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.http.client import HttpClient, HttpError, Stream, TimedOut
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

USER_AGENT: Final = "pybernetes"
_REQUEST_SECONDS: Final = 65.0
"""A little more than the server's own limit of 60, so that its answer comes first."""


def from_kubeconfig(path: Path, clock: Clock, kinds: KindTable, *, manager: str = "pybernetes") -> Client:
    """A client of the current context. Raises KubeconfigError and TlsError."""
    return Client(connect(kubeconfig.load(path).access(), clock), kinds, manager=manager)


def connect(access: kubeconfig.Access, clock: Clock) -> HttpTransport:
    """Raises TlsError, and KubeconfigError for a server that is no URL."""
    context = None
    if access.server.startswith("https:"):
        context = tls.client_context(access.ca, access.certificate, access.key, verify=access.verify)
    try:
        client = HttpClient(access.server, context, clock)
    except ValueError as error:
        raise kubeconfig.KubeconfigError(f"server: {error}; it looks like https://127.0.0.1:6443") from error
    return HttpTransport(client, token=access.token)


class HttpTransport:
    """``token`` is sent as a bearer token."""

    def __init__(self, http: HttpClient, *, token: str = "") -> None:
        self._http = http
        self._headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    async def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Any:  # fmt: skip
        """See ``Transport``; an answer that is no JSON (``/readyz``, a log) comes as text."""
        headers, data = self._headers, b""
        if body is not None:
            headers, data = {**headers, "Content-Type": content_type}, _encoded(body)
        try:
            status, answered, content = await self._http.request(
                method, target(path, query), headers, data, timeout_seconds=_REQUEST_SECONDS
            )
        except HttpError as error:
            raise _unanswered(error) from error
        if status >= 400:
            raise refusal(status, answered, content)
        return _decoded(answered, content)

    async def watch(self, path: str, *, query: Query | None = None) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        """See ``Transport``: one event a line, and all lines that came together are one batch."""
        async with self._opened(path, query) as stream:
            async for lines in _lines(stream):
                batch, error = _events(lines)
                if batch:
                    yield batch
                if error is not None:
                    raise error

    async def stream(self, path: str, *, query: Query | None = None) -> AsyncIterator[bytes]:
        """The body as it comes: a container's log that is followed."""
        async with self._opened(path, query) as stream:
            async for data in stream:
                yield data

    @asynccontextmanager
    async def _opened(self, path: str, query: Query | None) -> AsyncIterator[Stream]:
        try:
            stream = await self._http.stream("GET", target(path, query), self._headers)
            try:
                if stream.status >= 400:
                    raise refusal(stream.status, stream.headers, await stream.read())
                yield stream
            finally:
                await stream.aclose()
        except HttpError as error:
            raise _unanswered(error) from error

    async def close(self) -> None:
        await self._http.close()


def target(path: str, query: Query | None) -> str:
    """A request target; ``path`` is decoded."""
    quoted = quote(path, safe="/:@!$&'()*+,;=~-._")
    return f"{quoted}?{urlencode(query, doseq=True)}" if query else quoted


def refusal(status: int, headers: Mapping[str, str], content: bytes) -> errors.ApiError:
    """The error of an answer of 400 or more, with a Status or any other body."""
    answer = _decoded(headers, content)
    if not isinstance(answer, dict) or answer.get("kind") != "Status":
        answer = {"message": content.decode(errors="replace").strip()[:1000]}
    error = errors.from_status(answer, status)
    if not error.retry_after_seconds and headers.get("retry-after", "").isdigit():
        error.retry_after_seconds = int(headers["retry-after"])
    return error


def _encoded(body: Any) -> bytes:
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def _decoded(headers: Mapping[str, str], content: bytes) -> Any:
    if not headers.get("content-type", "").startswith("application/json"):
        return content.decode(errors="replace")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise errors.ServiceUnavailable(f"the server's answer is no JSON: {error}") from error


async def _lines(stream: Stream) -> AsyncIterator[list[bytes]]:
    """Whole lines, as many as have come."""
    rest = bytearray()
    async for data in stream:
        rest += data
        end = rest.rfind(b"\n", len(rest) - len(data))
        if end >= 0:
            yield [line for line in bytes(rest[:end]).split(b"\n") if line]
            del rest[: end + 1]


def _events(lines: Sequence[bytes]) -> tuple[list[tuple[str, Obj]], errors.ApiError | None]:
    """The events up to an ERROR, and that error."""
    batch: list[tuple[str, Obj]] = []
    for line in lines:
        try:
            event = orjson.loads(line)
            kind, obj = event["type"], event["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return batch, errors.ServiceUnavailable(f"the server sent what is no watch event: {line[:100]!r}")
        if kind == "ERROR":
            return batch, errors.from_status(obj)
        batch.append((kind, obj))
    return batch, None


def _unanswered(error: HttpError) -> errors.ApiError:
    return errors.Timeout(str(error)) if isinstance(error, TimedOut) else errors.ServiceUnavailable(str(error))
