"""The API without a socket: the adapter of ``transport.Transport`` for components in the server's own process.

Rule: nothing is encoded. A body is handed over for good, and what comes back is shared and never changed.
The client may not know the server (layers), so its side is handed in as two calls: ``server/inprocess.py`` has them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from pybernetes.client.transport import Query
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

Values: TypeAlias = Mapping[str, Sequence[str]]
Events: TypeAlias = AsyncIterator[Sequence[tuple[str, Obj]]]


class Send(Protocol):
    def __call__(self, method: str, path: str, query: Values, body: Any, content_type: str) -> Awaitable[Any]:
        """The decoded answer; raises ApiError."""
        ...


class Watch(Protocol):
    def __call__(self, path: str, query: Values) -> Awaitable[Events]:
        """The events once the server has agreed to the watch; raises ApiError."""
        ...


class DirectTransport:
    """``Transport`` over two calls into the server's chain."""

    def __init__(self, send: Send, watch: Watch) -> None:
        self._send, self._watch = send, watch

    async def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Any:  # fmt: skip
        """See ``Transport``."""
        return await self._send(method, path, _values(query), body, content_type)

    async def watch(self, path: str, *, query: Query | None = None) -> Events:
        """See ``Transport``; an ERROR event ends it as the exception it stands for."""
        events = await self._watch(path, _values(query))
        try:
            async for batch in events:
                whole, error = before_error(batch)
                if whole:
                    yield whole
                if error is not None:
                    raise error
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    async def close(self) -> None:
        """Nothing is held open between calls."""


def before_error(batch: Sequence[tuple[str, Obj]]) -> tuple[Sequence[tuple[str, Obj]], errors.ApiError | None]:
    """The events up to an ERROR, and that error."""
    for index, (kind, obj) in enumerate(batch):
        if kind == "ERROR":
            return batch[:index], errors.from_status(obj)
    return batch, None


def _values(query: Query | None) -> Values:
    return {name: (value,) if isinstance(value, str) else value for name, value in (query or {}).items()}
