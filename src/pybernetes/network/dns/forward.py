"""Questions about the world outside go to the machine's own resolvers, or are refused at once.

Rule: a resolver that did not answer is left alone for a while, so that an offline machine says SERVFAIL quickly instead
of letting every caller wait. At most ``CONCURRENT`` questions are under way; one more is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

from pybernetes.lib.clock import Clock
from pybernetes.network.dns.settings import Address

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
    """``told`` hears of each question that is sent, and to whom."""

    def __init__(
        self, servers: Sequence[Address], clock: Clock, *, told: Callable[[str], None] = lambda server: None
    ) -> None:
        self._servers, self._clock, self._told = servers, clock, told
        self._resting: dict[Address, float] = {}
        self._under_way = 0

    def __bool__(self) -> bool:
        """Is there anybody to ask?"""
        return bool(self._servers)

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
            self._told(f"{server[0]}:{server[1]}")
            try:
                return await (self._ask_tcp(server, query) if tcp else self._ask_udp(server, query))
            except (OSError, asyncio.IncompleteReadError):
                self._resting[server] = self._clock.monotonic() + REST_SECONDS
        return None

    async def _ask_udp(self, server: Address, query: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: _OneAnswer(query, answer), remote_addr=server)
        timer = self._clock.call_later(TIMEOUT_SECONDS, lambda: _fail(answer, TimeoutError(server[0])))
        try:
            return await answer
        finally:
            timer.cancel()
            transport.close()

    async def _ask_tcp(self, server: Address, query: bytes) -> bytes:
        asking = asyncio.ensure_future(_exchange(server, query))
        timer = self._clock.call_later(TIMEOUT_SECONDS, asking.cancel)
        try:
            return await asking
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise TimeoutError(server[0]) from error
        finally:
            timer.cancel()


async def _exchange(server: Address, query: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
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
