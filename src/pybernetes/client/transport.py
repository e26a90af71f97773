"""How a component reaches the API: one narrow port, two adapters (``direct`` without a socket, ``http`` over TLS)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from pybernetes.meta.objects import Obj

Query: TypeAlias = Mapping[str, str | Sequence[str]]


class Transport(Protocol):
    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """The decoded answer of a successful request. Raises ``meta.errors.ApiError`` for any refusal, and
        ``meta.errors.ServiceUnavailable`` where the server cannot be reached. ``body`` is handed over for good;
        the answer is shared and never changed."""
        ...

    def watch(self, path: str, *, query: Query | None = None) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        """Batches of (ADDED | MODIFIED | DELETED | BOOKMARK, object). Ends when the server ends it;
        raises ApiError (``Expired`` for a too old resourceVersion) as ``request`` does, ERROR events included."""
        ...

    async def close(self) -> None: ...
