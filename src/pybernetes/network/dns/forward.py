"""Questions about the world outside go to the machine's own resolvers, or are refused at once.

Rule: a resolver that did not answer is left alone for a while, so that an offline machine says SERVFAIL quickly instead
of letting every caller wait. At most ``CONCURRENT`` questions are under way; one more is refused.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, cast

from pybernetes.lib.clock import Clock

TIMEOUT_SECONDS: Final = 2.0
REST_SECONDS: Final = 10.0
CONCURRENT: Final = 256
RESOLV_CONF: Final = Path("/etc/resolv.conf")


def name_servers(resolv_conf: str) -> list[str]:
    """The IPv4 name servers of a resolv.conf."""
    rows = (line.split() for line in resolv_conf.splitlines())
    return [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver" and row[1].count(".") == 3]


def of_machine(path: Path = RESOLV_CONF) -> list[str]:
    """The machine's own name servers; none where there is no such file."""
    try:
        return name_servers(path.read_text())
    except OSError:
        return []


class Forwarder:
    def __init__(self, servers: list[str], clock: Clock, *, port: int = 53) -> None:
        self._servers, self._clock, self._port = servers, clock, port
        self._resting: dict[str, float] = {}
        self._under_way = 0

    async def ask(self, query: bytes, *, tcp: bool = False) -> bytes | None:
        """The answer of the first resolver that gives one, as it came; None where none does."""
        if self._under_way >= CONCURRENT:
            return None
        self._under_way += 1
        try:
            return await self._ask_each(query, tcp)
        finally:
            self._under_way -= 1

    async def _ask_each(self, query: bytes, tcp: bool) -> bytes | None:
        for server in self._servers:
            if self._clock.monotonic() < self._resting.get(server, 0):
                continue
            try:
                return await (self._ask_tcp(server, query) if tcp else self._ask_udp(server, query))
            except (OSError, asyncio.IncompleteReadError):
                self._resting[server] = self._clock.monotonic() + REST_SECONDS
        return None

    async def _ask_udp(self, server: str, query: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _OneAnswer(query, answer), remote_addr=(server, self._port)
        )
        timer = self._clock.call_later(TIMEOUT_SECONDS, lambda: _fail(answer, TimeoutError(server)))
        try:
            return await answer
        finally:
            timer.cancel()
            transport.close()

    async def _ask_tcp(self, server: str, query: bytes) -> bytes:
        asking = asyncio.ensure_future(_exchange(server, self._port, query))
        timer = self._clock.call_later(TIMEOUT_SECONDS, asking.cancel)
        try:
            return await asking
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise TimeoutError(server) from error
        finally:
            timer.cancel()


async def _exchange(server: str, port: int, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(len(query).to_bytes(2, "big") + query)
        size = int.from_bytes(await reader.readexactly(2), "big")
        return await reader.readexactly(size)
    finally:
        writer.close()


def _fail(answer: asyncio.Future[bytes], error: OSError) -> None:
    if not answer.done():
        answer.set_exception(error)


class _OneAnswer(asyncio.DatagramProtocol):
    """Sends a question and takes the first answer that carries its number."""

    def __init__(self, query: bytes, answer: asyncio.Future[bytes]) -> None:
        self._query, self._answer = query, answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.DatagramTransport, transport).sendto(self._query)  # nor does every loop's inherit from it

    def datagram_received(self, data: bytes, addr: object) -> None:
        if data[:2] == self._query[:2] and not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        _fail(self._answer, exc if isinstance(exc, OSError) else OSError(str(exc)))
