"""HTTP/1.1 heads: what a request target says, and the bytes that open a response. Pure.

Neighbours: ``incoming.py`` reads requests, ``protocol.py`` writes answers, ``client.py`` is the other end.
"""

from __future__ import annotations

import http
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

Target: TypeAlias = tuple[str, Mapping[str, Sequence[str]]]
"""(decoded path, query)."""
_CACHED_BYTES: Final = 512
_BODILESS: Final = frozenset((204, 304))


class BadTarget(ValueError):
    """A request target that is no path and query."""


def target(raw: bytes) -> Target:
    """The path and query of a request target, which may also be absolute (``http://host/path``)."""
    return _cached_target(raw) if len(raw) <= _CACHED_BYTES else _target(raw)


def _target(raw: bytes) -> Target:
    try:
        text = raw.decode("ascii")
        if not text.startswith("/") and text != "*":
            parts = urlsplit(text)
            text = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        path, _, query = text.partition("?")
        decoded = unquote(path, errors="strict") if "%" in path else path
        return decoded, parse_qs(query, keep_blank_values=True, errors="strict") if query else {}
    except ValueError as error:
        raise BadTarget(f"bad request target: {error}") from error


_cached_target = lru_cache(maxsize=2048)(_target)


def has_body(method: str, status: int) -> bool:
    """May an answer of this status to this method carry a body? (RFC 9110, 6.4.1)"""
    return method != "HEAD" and status not in _BODILESS and status >= 200


def response_head(
    status: int, content_type: str, headers: Iterable[tuple[str, str]], *, length: int | None, chunked: bool,
    close: bool, date: bytes,
) -> bytes:  # fmt: skip
    """Status line and headers with the empty line. ``length`` None: no Content-Length."""
    parts = [_opening(status, content_type), date]
    parts += [b"%b: %b\r\n" % (_token(name), _value(value)) for name, value in headers]
    if length is not None:
        parts.append(b"Content-Length: %d\r\n" % length)
    if chunked:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    parts.append(b"Connection: close\r\n\r\n" if close else b"\r\n")
    return b"".join(parts)


def request_head(method: str, raw_target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Request line and headers with the empty line. Raises BadTarget for what would end the line too early."""
    if any(c <= " " or c == "\x7f" for c in raw_target):
        raise BadTarget(f"bad request target: {raw_target!r} holds blanks or control characters")
    lines = b"".join(b"%b: %b\r\n" % (_token(name), _value(value)) for name, value in headers)
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), raw_target.encode(), lines)


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; empty data would end it, so it is not for this function."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"


def date_header(seconds: float) -> bytes:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n").encode()


def reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@lru_cache(maxsize=256)
def _opening(status: int, content_type: str) -> bytes:
    line = f"HTTP/1.1 {status} {reason(status)}\r\n".encode()
    return line + (b"Content-Type: %b\r\n" % _value(content_type) if content_type else b"")


@lru_cache(maxsize=256)
def _token(name: str) -> bytes:
    if not name or any(c <= " " or c == ":" or c >= "\x7f" for c in name):
        raise ValueError(f"{name!r} is no header name")
    return name.encode()


def _value(value: str) -> bytes:
    """A header's value; a line end inside it would start another header, so it becomes a blank."""
    if "\r" in value or "\n" in value or "\0" in value:
        value = value.translate({13: " ", 10: " ", 0: " "})
    return value.encode()
