"""One HTTP/1.1 connection of a client: a request goes out, its answer comes back, then the next may go.

Rule: an answer that nobody reads stops the other side (``_HELD_BYTES``) and is never piled up here.
Neighbours: ``client.py`` pools these; ``answers.py`` understands the bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from pybernetes.lib.http.answers import AnswerReader, BadAnswer, Head

_HELD_BYTES: Final = 256 * 1024


class BrokenOff(Exception):
    """The connection ended, or its bytes made no sense, before the answer was whole. ``begun``: had it begun?"""

    def __init__(self, message: str, *, begun: bool) -> None:
        super().__init__(message)
        self.begun = begun


class Connection(asyncio.Protocol):
    """``lost`` is told once when the connection has ended, whoever ended it."""

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self._lost = lost
        self._transport: asyncio.Transport
        self._reader: AnswerReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._held = 0
        self._error: BrokenOff | None = None
        self.alive = False
        self.idle_since = 0.0

    # ── the event loop's calls ───────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from asyncio's
        self.alive = True

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            self.close()  # the server speaks unasked: it says farewell to an idle connection
            return
        try:
            reader.feed(data)
        except BadAnswer as error:
            self._fail(str(error))
        self._held += len(data)
        if self._held > _HELD_BYTES:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.alive = False
        try:
            if self._reader is not None:
                self._reader.end()
        except BadAnswer as bad:
            self._fail(str(error or bad))
        self._wake()
        self._lost(self)

    # ── for the client ───────────────────────────────────────────────────────────────────────────────────

    def send(self, method: str, data: bytes, body: bytes) -> None:
        """Send a request; read its answer with ``head`` and ``piece``."""
        self._reader, self._held = AnswerReader(method), 0
        self._transport.write(data + body if len(body) <= _HELD_BYTES else data)
        if len(body) > _HELD_BYTES:
            self._transport.write(body)

    async def head(self) -> Head:
        """Raises BrokenOff."""
        reader = self._asked()
        while reader.head is None:
            await self._more()
        return reader.head

    async def piece(self) -> bytes:
        """What has come of the body since the last call; empty at its end. Raises BrokenOff."""
        reader = self._asked()
        while not reader.pieces and not reader.complete:
            await self._more()
        data = reader.pieces[0] if len(reader.pieces) == 1 else b"".join(reader.pieces)
        reader.pieces.clear()
        if self._held > _HELD_BYTES and self.alive:
            self._transport.resume_reading()
        self._held = 0
        return data

    def release(self) -> bool:
        """End of the exchange: True where the connection may carry another; else it is closed."""
        reader, self._reader = self._asked(), None
        if self.alive and reader.complete and reader.reusable and not self._transport.is_closing():
            return True
        self.close()
        return False

    def close(self) -> None:
        """Cut the connection at once."""
        self.alive = False
        self._transport.abort()

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────────────

    def _asked(self) -> AnswerReader:
        assert self._reader is not None, "there is no request under way"
        return self._reader

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        if not self.alive:
            raise BrokenOff("the connection was closed", begun=self._asked().begun)
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, message: str) -> None:
        begun = self._reader is not None and self._reader.begun
        self._error = self._error or BrokenOff(message, begun=begun)
        self.close()
