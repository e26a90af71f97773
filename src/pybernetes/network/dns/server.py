"""The cluster's name server on one node: UDP and TCP in front of ``records.py``.

Rule: a question about the cluster's zone is answered at once from the caches, so the names that a search list makes up
cost nothing; a question about the world goes to ``forward.py``, and where that knows no one, to SERVFAIL.
Answers with several addresses are turned by one place each time, so that clients which take the first share them.
Neighbours: ``wire.py`` (bytes), ``network/index.py`` (Services and EndpointSlices), ``cluster`` (runs it per node).
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections.abc import Sequence
from typing import Final, cast

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.network import informing
from pybernetes.network.dns import forward, records, wire
from pybernetes.network.dns.records import Answer, Record
from pybernetes.network.dns.wire import Question
from pybernetes.network.index import SERVICES, SLICES, Delta, Key, ServiceIndex
from pybernetes.network.informing import Manager

_log = logging.getLogger(__name__)
IDLE_SECONDS: Final = 10.0
"""A TCP connection without a question for so long is closed."""


class DnsServer:
    """``upstream``: name servers for the world outside; None takes the machine's own. ``port`` 0: any free one."""

    def __init__(
        self, manager: Manager, address: str, port: int = 53, domain: str = "cluster.local", *,
        upstream: list[str] | None = None, upstream_port: int = 53, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._manager, self.address, self.port, self._domain = manager, address, port, domain
        self._clock = clock or SystemClock()
        servers = forward.of_machine() if upstream is None else upstream
        self._forwarder = forward.Forwarder([s for s in servers if s != address], self._clock, port=upstream_port)
        self._has_upstream = bool(servers)
        self._index = ServiceIndex()
        self._reverse: dict[str, dict[Key, str]] = {}
        self._addresses: dict[Key, Sequence[str]] = {}
        self._turn = itertools.count()
        self._stopping = asyncio.Event()
        self._asked: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        """Set when it listens and knows all that is there; ``port`` then says where."""

    async def run(self) -> None:
        """Answer until ``stop``. Raises OSError where the address cannot be had."""
        for resource in (SERVICES, SLICES):
            await informing.follow(self._manager, resource, functools.partial(self._changed, resource))
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve_tcp, self.address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self.address, self.port))
            self.ready.set()
            await self._stopping.wait()
            transport.close()
        finally:
            server.close()
            for task in self._asked:
                task.cancel()

    async def stop(self) -> None:
        self._stopping.set()

    async def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        """The answer to a message; None for what is no question."""
        question = wire.parse(data)
        if question is None:
            return None
        quick = self.answer_at_once(question, udp=udp)
        return quick if quick is not None else await self._answer_elsewhere(question, data, udp)

    def answer_at_once(self, question: Question, *, udp: bool) -> bytes | None:
        """The answer where the caches have it; None where someone else must be asked."""
        if address := records.address_of(question.name):
            return self._answer_reverse(question, address, udp)
        found = records.lookup(self._index, self._domain, question.name, question.type)
        if found.status == "outside" or found.elsewhere:
            return None
        return self._rendered(question, found, udp)

    def _rendered(self, question: Question, found: Answer, udp: bool) -> bytes:
        soa = () if found.records else (records.soa(self._domain),)
        code = "NXDOMAIN" if found.status == "nxdomain" else "NOERROR"
        rows = self._turned(found.records)
        return wire.render(question, rows, code=code, authority=soa, additional=found.additional, udp=udp)

    def _turned(self, rows: Sequence[Record]) -> Sequence[Record]:
        if len(rows) < 2 or rows[0].type == "CNAME":
            return rows
        start = next(self._turn) % len(rows)
        return [*rows[start:], *rows[:start]]

    def _answer_reverse(self, question: Question, address: str, udp: bool) -> bytes | None:
        names = sorted(self._reverse.get(address, {}).values())
        if not names:
            return None if self._has_upstream else self._rendered(question, records.NXDOMAIN, udp)
        rows = [Record(question.name, "PTR", name) for name in names] if question.type in ("PTR", "ANY") else []
        return self._rendered(question, Answer("ok", rows), udp)

    async def _answer_elsewhere(self, question: Question, data: bytes, udp: bool) -> bytes:
        found = records.lookup(self._index, self._domain, question.name, question.type)
        if found.elsewhere:
            told = await self._forwarder.ask(wire.query(question, found.elsewhere))
            return wire.render(question, [*found.records, *(wire.answers(told) if told else ())], udp=udp)
        told = await self._forwarder.ask(data, tcp=not udp)
        return told if told is not None else wire.render(question, code="SERVFAIL", is_authority=False, udp=udp)

    # ── caches ───────────────────────────────────────────────────────────────────────────────────────────

    def _changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        for key in self._index.apply(resource, deltas):
            for address in self._addresses.pop(key, ()):
                self._reverse[address].pop(key, None)
                if not self._reverse[address]:
                    del self._reverse[address]
            names = records.reverse_names(self._index, self._domain, key)
            for address, name in names.items():
                self._reverse.setdefault(address, {})[key] = name
            if names:
                self._addresses[key] = tuple(names)

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────

    def received(self, transport: asyncio.DatagramTransport, data: bytes, sender: tuple[str, int]) -> None:
        """A datagram: answered here and now where the caches can, else by a task of its own."""
        question = wire.parse(data)
        if question is None:
            return
        if (quick := self.answer_at_once(question, udp=True)) is not None:
            transport.sendto(quick, sender)
            return
        task = asyncio.ensure_future(self._reply(transport, question, data, sender))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _reply(
        self, transport: asyncio.DatagramTransport, question: Question, data: bytes, sender: tuple[str, int]
    ) -> None:
        reply = await self._answer_elsewhere(question, data, True)
        if not transport.is_closing():
            transport.sendto(reply, sender)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        timer = self._clock.call_later(IDLE_SECONDS, writer.close)
        try:
            while not self._stopping.is_set():
                size = int.from_bytes(await reader.readexactly(2), "big")
                reply = await self.answer(await reader.readexactly(size), udp=False)
                if reply is None:
                    return
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
                timer.cancel()
                timer = self._clock.call_later(IDLE_SECONDS, writer.close)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the caller has gone, or was idle for too long
        finally:
            timer.cancel()
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # nor does every loop's inherit from it

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._server.received(self._transport, data, addr)

    def error_received(self, exc: Exception) -> None:
        _log.debug("a DNS answer could not be delivered: %s", exc)
