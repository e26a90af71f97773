"""An HTTP request and response as our protocol hands them over; the API server and the node agent share them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(slots=True)
class HttpRequest:
    method: str
    path: str
    """Decoded path without the query."""
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names; a repeated header's values are joined with a comma."""
    body: bytes = b""
    peer_certificate: bytes | None = None
    """DER of the verified client certificate, if the client showed one."""
    remote: str = ""
    """``address:port`` of the other end."""
    raw_target: str = ""
    """The request target as it came, query and all: what a splice sends on."""

    def param(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def flag(self, name: str) -> bool:
        return self.param(name).lower() in ("1", "true", "t")


Upgrade: TypeAlias = Callable[[asyncio.Transport, bytes], asyncio.Protocol]
"""Takes the connection over: gets the transport and the bytes read beyond the request, returns the new protocol,
which has already been told of the transport (its ``connection_made`` is not called again)."""


@dataclass(slots=True)
class HttpResponse:
    """Exactly one of ``body``, ``stream`` and ``upgrade`` carries the answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None
    """Written chunk by chunk (chunked transfer), each flushed; closed (``aclose``) when the client goes away."""
    upgrade: Upgrade | None = None
    """Called instead of writing an answer: the upgrade writes the 101 itself (a splice passes the backend's on)."""


HttpHandler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]
