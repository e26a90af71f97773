"""Bytes of a connection to whole requests, on llhttp. No I/O: bytes in, ``Incoming`` out.

Rule 1: a request is delivered when its last byte has come; what is too large or malformed raises ``Refused``.
Rule 2: after an upgrade request or a refusal nothing more is parsed; ``surplus`` holds what came behind the former.
Rule 3: a head equal to the connection's last one gives the very same mapping, so whoever made something of it
        (a user, say) may keep that by identity.
Neighbours: ``protocol.py`` feeds it and answers in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httptools

from pybernetes.lib.http import wire
from pybernetes.lib.http.message import HttpRequest

CONTINUE: Final = "100-continue"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection; times in seconds."""

    body_bytes: int = 3 * 1024 * 1024
    """Upstream's MaxRequestBodyBytes."""
    head_bytes: int = 1024 * 1024
    head_seconds: float = 32
    """From a request's first byte to the end of its head (upstream's ReadHeaderTimeout)."""
    request_seconds: float = 60
    """From a request's first byte to its last."""
    idle_seconds: float = 90
    """Between requests (upstream's IdleTimeout)."""
    write_seconds: float = 60
    """How long a client may leave an answer unread."""
    pipelined: int = 16
    """Requests that wait for their turn before no more are read."""


class Refused(Exception):
    """A request that cannot be served; ``status`` and the message become its answer, and the connection ends."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(slots=True)
class Incoming:
    request: HttpRequest
    keep_alive: bool
    chunks: bool
    """Does the client know chunked answers (HTTP/1.1)?"""
    upgrade: bool = False


class RequestReader:
    """``ready`` fills as requests become whole. ``expects`` is true while a client waits for 100 Continue."""

    def __init__(self, limits: Limits, peer_certificate: bytes | None = None, remote: str = "") -> None:
        self.ready: deque[Incoming] = deque()
        self.surplus = bytearray()
        self.upgraded = False
        self.expects = False
        self.begun = False
        """Has a part of a request come that is not whole yet?"""
        self.in_head = False
        self._limits, self._certificate, self._remote = limits, peer_certificate, remote
        self._parser = httptools.HttpRequestParser(self)
        self._last_raw: list[tuple[bytes, bytes]] = []
        self._last_headers: Mapping[str, str] = {}
        self._refused: Refused | None = None

    def feed(self, data: bytes) -> None:
        """Raises Refused; what became ``ready`` before the bad bytes still counts."""
        if self.upgraded:
            self.surplus += data
            return
        self._count_head(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._set_upgraded(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise self._refused or Refused(400, "Bad Request") from None
        except httptools.HttpParserError as error:
            if self.ready and not self.ready[-1].keep_alive:
                return  # the client said that nothing more would come; it is told so by the end of the connection
            raise Refused(400, f"Bad Request: {error}") from error

    def _count_head(self, data: bytes) -> None:
        if self.in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                raise Refused(431, "Request Header Fields Too Large")

    def _set_upgraded(self, surplus: bytes) -> None:
        self.upgraded = True
        self.surplus += surplus
        if self.ready:
            self.ready[-1].upgrade = True

    def _refuse(self, status: int, message: str) -> None:
        """Make ``feed`` raise: llhttp's callbacks cannot pass an exception through."""
        self._refused = Refused(status, message)
        raise self._refused

    # ── llhttp's callbacks ───────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        self.begun = self.in_head = True
        self._head_bytes = 0
        self._url = b""
        self._raw: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw.append((name, value))
        if self.in_head:
            return
        self._refuse(400, "Bad Request: trailers are not supported")

    def on_headers_complete(self) -> None:
        self.in_head = False
        if self._raw != self._last_raw:
            self._last_raw, self._last_headers = self._raw, _joined(self._raw)
        headers = self._last_headers
        self._check_length(headers)
        if headers.get("expect", "").lower() == CONTINUE and self._parser.get_http_version() == "1.1":
            self.expects = True

    def _check_length(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            self._refuse_body()
        if self._parser.should_upgrade() and (length != "0" or "transfer-encoding" in headers):
            self._refuse(400, "Bad Request: an upgrade request carries no body")

    def _refuse_body(self) -> None:
        self._refuse(413, f"Request entity too large: limit is {self._limits.body_bytes}")

    def on_body(self, data: bytes) -> None:
        self._body_bytes += len(data)
        if self._body_bytes > self._limits.body_bytes:
            self._refuse_body()
        self._body.append(data)

    def on_message_complete(self) -> None:
        self.begun = self.expects = False
        parser = self._parser
        try:
            path, query = wire.target(self._url)
        except wire.BadTarget as error:
            self._refuse(400, f"Bad Request: {error}")
        self.ready.append(
            Incoming(
                HttpRequest(
                    method=parser.get_method().decode("ascii"), path=path, query=query, headers=self._last_headers,
                    body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
                    peer_certificate=self._certificate, remote=self._remote, raw_target=self._url.decode("ascii"),
                ),
                keep_alive=parser.should_keep_alive(),
                chunks=parser.get_http_version() == "1.1",
            )
        )  # fmt: skip


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; values of a repeated header joined with a comma (RFC 9110, 5.3)."""
    out: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape").strip()
        out[key] = f"{out[key]},{text}" if key in out else text
    return out
