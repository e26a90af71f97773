"""Bytes of a client's connection to one answer at a time, on llhttp. No I/O: bytes in, heads and pieces out.

Rule: nothing is gathered here; a piece of the body goes to its reader as it comes, so a watch costs no memory.
Neighbours: ``client.py`` keeps the connections, ``splice.py`` looks at heads only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httptools

HEAD_BYTES: Final = 256 * 1024


class BadAnswer(Exception):
    """Bytes that are no HTTP/1.1 answer."""


@dataclass(slots=True)
class Head:
    """Status and headers of an answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Lower-case names; a repeated header's values are joined with a comma."""


class AnswerReader:
    """``head`` is set when the head is whole, ``pieces`` fills with the body, ``complete`` tells its end."""

    def __init__(self, method: str) -> None:
        self.head: Head | None = None
        self.pieces: deque[bytes] = deque()
        self.complete = False
        self.reusable = False
        """May the connection carry another request? Known when the answer is complete."""
        self.begun = False
        self._method = method
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Raises BadAnswer."""
        if self.complete:
            raise BadAnswer("the server went on after the end of its answer")
        self.begun = True
        if self.head is None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.pieces:
                raise BadAnswer(f"the answer's head is longer than {HEAD_BYTES} bytes")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete, self.reusable = True, False
        except httptools.HttpParserError as error:
            if not self.complete:
                raise BadAnswer(f"the server does not speak HTTP/1.1: {error}") from error

    def end(self) -> None:
        """The connection has ended: right for an answer without a length, an error for any other."""
        if self.complete:
            return
        if self.head is None or "content-length" in self.head.headers or self._is_chunked(self.head):
            raise BadAnswer("the connection ended in the midst of an answer")
        self.complete = True

    @staticmethod
    def _is_chunked(head: Head) -> bool:
        return head.headers.get("transfer-encoding", "").lower().endswith("chunked")

    # ── llhttp's callbacks ───────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        self._headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head is not None:
            return  # a trailer: nobody asked for one
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape").strip()
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 or status == 101:
            self.head = Head(status, self._headers)
            self.complete = self._is_bodiless(status)
            self.reusable = self.complete and self._parser.should_keep_alive()

    def _is_bodiless(self, status: int) -> bool:
        """llhttp does not know that it reads the answer to a HEAD, which has a length but no body."""
        return self._method == "HEAD" or status in (204, 304)

    def on_body(self, data: bytes) -> None:
        self.pieces.append(data)

    def on_message_complete(self) -> None:
        if self.head is not None:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()
