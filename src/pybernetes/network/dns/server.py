"""The cluster's name server on one node: UDP and TCP, and HTTP for those who count, in front of ``resolver.py``.

Rule: a datagram whose answer the caches have is answered where it is received, without a task; only what must be asked
elsewhere gets one. The ConfigMap ``kube-dns`` of kube-system says who is asked (``settings.py``).
Neighbours: ``network/index.py`` (Services and EndpointSlices), ``cluster`` (runs it per node).
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Sequence
from typing import Final, cast

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.meta import objects
from pybernetes.network import informing
from pybernetes.network.dns import forward, settings
from pybernetes.network.dns.resolver import Resolver
from pybernetes.network.dns.settings import Address
from pybernetes.network.index import SERVICES, SLICES, Delta
from pybernetes.network.informing import Manager

_log = logging.getLogger(__name__)
IDLE_SECONDS: Final = 10.0
"""A TCP connection without a question for so long is closed."""


class DnsServer:
    """``upstream``: name servers for the world outside; None takes the machine's own. ``port`` 0: any free one.
    ``metrics_port``: where ``/metrics`` is served, None for nowhere."""

    def __init__(
        self, manager: Manager, address: str, port: int = 53, domain: str = "cluster.local", *,
        upstream: Sequence[Address] | None = None, metrics_port: int | None = None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._manager, self.address, self.port, self.metrics_port = manager, address, port, metrics_port
        self._clock = clock or SystemClock()
        servers = [(each, settings.PORT) for each in forward.of_machine()] if upstream is None else upstream
        self._resolver = Resolver(domain, servers, address, self._clock)
        self._stopping = asyncio.Event()
        self._asked: set[asyncio.Task[None]] = set()
        self.ready = asyncio.Event()
        """Set when it listens and knows all that is there; ``port`` then says where."""

    async def run(self) -> None:
        """Answer until ``stop``. Raises OSError where the address cannot be had."""
        for resource in (SERVICES, SLICES):
            await informing.follow(self._manager, resource, functools.partial(self._resolver.changed, resource))
        fields = f"metadata.name={settings.NAME},metadata.namespace={settings.NAMESPACE}"
        await informing.follow(self._manager, "configmaps", self._configured, fields=fields)
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve_tcp, self.address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        measured: HttpServer | None = None
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self.address, self.port))
            measured = await self._serve_metrics()
            self.ready.set()
            await self._stopping.wait()
            transport.close()
        finally:
            server.close()
            for task in self._asked:
                task.cancel()
            if measured is not None:
                await measured.stop(0)

    async def stop(self) -> None:
        self._stopping.set()

    async def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        """The answer to a message; None for what is no question."""
        return await self._resolver.answer(data, udp=udp)

    def _configured(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            told = new or old or {}
            if (objects.namespace(told), objects.name(told)) != (settings.NAMESPACE, settings.NAME):
                continue
            try:
                self._resolver.set(settings.read(new))
            except settings.SettingsError as error:
                _log.warning("ConfigMap %s/%s is left aside: %s", settings.NAMESPACE, settings.NAME, error)

    async def _serve_metrics(self) -> HttpServer | None:
        if self.metrics_port is None:
            return None
        handler = self._resolver.measures.serve
        server = await serve(handler, clock=self._clock, host=self.address, port=self.metrics_port)
        self.metrics_port = server.port
        return server

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────

    def received(self, transport: asyncio.DatagramTransport, data: bytes, sender: tuple[str, int]) -> None:
        """A datagram: answered here and now where the caches can, else by a task of its own."""
        if (quick := self._resolver.answer_at_once(data, udp=True)) is not None:
            if quick:
                transport.sendto(quick, sender)
            return
        task = asyncio.ensure_future(self._reply(transport, data, sender))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _reply(self, transport: asyncio.DatagramTransport, data: bytes, sender: tuple[str, int]) -> None:
        reply = await self._resolver.answer(data, udp=True)
        if reply is not None and not transport.is_closing():
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
