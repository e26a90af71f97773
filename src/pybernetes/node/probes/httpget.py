"""The ``httpGet`` of probes and hooks: one GET on a connection of its own, as the kubelet does it.

Rule: certificates are not checked; a redirect is followed on the same host, and one that leads away ends the matter
well. A failure is a ``GetFailed`` with the sentence that the kubelet's client would say.
Neighbours: ``check.py`` judges the answer, ``hooks.py`` is content with any.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from pybernetes.lib import tasks, tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.http import wire
from pybernetes.lib.http.connection import BrokenOff, Connection
from pybernetes.meta.objects import Obj
from pybernetes.node.probes import networds

USER_AGENT: Final = "kube-probe/1.36"
_REDIRECTS_MAX: Final = 10
_BODY_BYTES_MAX: Final = 10 * 1024
_MOVED: Final = frozenset((301, 302, 303, 307, 308))


class GetFailed(Exception):
    """No answer; the text is Go's."""


class Answer(NamedTuple):
    status: int
    body: str
    left: bool = False
    """A redirect to another host, which was not followed."""


def url_of(action: Obj, host: str, port: int) -> str:
    """Where an ``httpGet`` goes; ``host`` is the pod's address, unless the action names another."""
    scheme = (action.get("scheme") or "HTTP").lower()
    path = action.get("path") or "/"
    return f"{scheme}://{networds.address(action.get('host') or host, port)}{path if path[0] == '/' else '/' + path}"


def headers_of(action: Obj) -> list[tuple[str, str]]:
    """The action's headers, and those that a probe always sends unless the action has its own."""
    given = [(h["name"], h.get("value", "")) for h in action.get("httpHeaders") or ()]
    names = {name.lower() for name, _ in given}
    always = (("User-Agent", USER_AGENT), ("Accept", "*/*"))
    return [*given, *((name, value) for name, value in always if name.lower() not in names)]


async def get(url: str, headers: Iterable[tuple[str, str]], seconds: float, clock: Clock) -> Answer:
    """Get ``url`` within ``seconds``. Raises GetFailed."""
    given = [(name, value) for name, value in headers if value or name.lower() != "accept"]
    here = url
    try:
        async with tasks.deadline(clock, seconds):
            for _ in range(_REDIRECTS_MAX):
                answer, location = await _once(here, given)
                if answer.status not in _MOVED or not location:
                    return answer
                there = urljoin(here, location)
                if urlsplit(there).hostname != urlsplit(url).hostname:
                    return answer._replace(left=True)
                here = there
    except TimeoutError as error:
        why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise GetFailed(f'Get "{here}": {why}') from error
    raise GetFailed(f'Get "{here}": stopped after {_REDIRECTS_MAX} redirects')


async def _once(url: str, headers: list[tuple[str, str]]) -> tuple[Answer, str]:
    """One exchange; the answer, and where it points to."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    connection = await _connect(url, host, port, _unverified() if parts.scheme == "https" else None)
    try:
        connection.send("GET", _head(parts.path or "/", parts.query, parts.netloc, headers), b"")
        head = await connection.head()
        return Answer(head.status, await _body(connection)), head.headers.get("location", "")
    except BrokenOff as error:
        raise GetFailed(f'Get "{url}": {networds.reading(str(error), host, port)}') from error
    finally:
        connection.close()


async def _connect(url: str, host: str, port: int, context: ssl.SSLContext | None) -> Connection:
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(
            lambda: Connection(lambda _: None), host, port, ssl=context, server_hostname=host if context else None
        )
    except OSError as error:
        raise GetFailed(f'Get "{url}": {networds.dialing(error, host, port)}') from error
    return connection


def _head(path: str, query: str, authority: str, headers: list[tuple[str, str]]) -> bytes:
    names = {name.lower() for name, _ in headers}
    framing = [] if "host" in names else [("Host", authority)]
    framing.append(("Connection", "close"))
    return wire.request_head("GET", f"{path}?{query}" if query else path, [*framing, *headers])


async def _body(connection: Connection) -> str:
    """The first of it: nobody reads more of a probe's answer."""
    said = b""
    while len(said) < _BODY_BYTES_MAX and (piece := await connection.piece()):
        said += piece
    return said[:_BODY_BYTES_MAX].decode(errors="replace")


@lru_cache(maxsize=1)
def _unverified() -> ssl.SSLContext:
    return tls.client_context(None, verify=False)
