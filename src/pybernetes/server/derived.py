"""Documents made from the kind table: built when first asked for, kept until the table changes, told by their hash.

Rule: whoever holds the hash (``If-None-Match``) gets a 304 and no body.
Neighbours: ``discovery.py`` and ``openapi/`` are made of these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.lib.http.message import HttpRequest
from pybernetes.server.context import Response

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Derived(Generic[K, T]):
    """What ``build(key)`` answered for the rows that the table has now. ``generation`` changes with whatever else the
    documents are made of."""

    def __init__(self, kinds: KindTable, build: Callable[[K], T], generation: Callable[[], int] = lambda: 0) -> None:
        self._kinds, self._build, self._generation = kinds, build, generation
        self._rows: tuple[Kind, ...] = ()
        self._of = generation()
        self._built: dict[K, T] = {}

    def get(self, key: K) -> T:
        rows = tuple(self._kinds)
        same_rows = len(rows) == len(self._rows) and all(a is b for a, b in zip(rows, self._rows, strict=True))
        if not same_rows or self._of != self._generation():
            self._rows, self._built, self._of = rows, {}, self._generation()
        if key not in self._built:
            self._built[key] = self._build(key)
        return self._built[key]


def etag(body: bytes) -> str:
    """Upstream's kind of tag: SHA-512 in capital hexadecimal."""
    return hashlib.sha512(body).hexdigest().upper()


def document(request: HttpRequest, body: bytes, tag: str, media: str, *, immutable: bool = False) -> Response:
    """``body`` as an answer with its tag, or 304 for one who has it. ``immutable``: its address names its hash."""
    headers = [("ETag", f'"{tag}"'), ("Vary", "Accept")]
    headers.append(("Cache-Control", "public, immutable, max-age=31536000" if immutable else "no-cache, private"))
    if tag in (
        part.strip().removeprefix("W/").strip('"') for part in request.headers.get("if-none-match", "").split(",")
    ):
        # A client's cache takes the headers over: another media type here would rename what it holds.
        return Response(status=304, content_type=media, headers=headers)
    return Response(body=body, content_type=media, headers=headers)
