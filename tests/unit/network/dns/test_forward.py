"""Asking other resolvers, without ever waiting for a dead one twice."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from pybernetes.lib.clock import VirtualClock
from pybernetes.network.dns import forward


class Resolver(asyncio.DatagramProtocol):
    """Answers with the question's number and ``yes``, or keeps quiet."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet, self.asked = quiet, 0
        self.got = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        self.got.set()
        if not self.quiet:
            self.transport.sendto(b"\0\0no", addr)
            self.transport.sendto(data[:2] + b"yes", addr)


async def serve(resolver: Resolver, address: str, port: int = 0) -> int:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: resolver, local_addr=(address, port))
    found: int = transport.get_extra_info("sockname")[1]
    return found


def test_name_servers_are_read_from_the_machines_file(tmp_path: Path) -> None:
    text = "search a b\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n# nameserver 192.0.2.9\nnameserver\n"
    file = tmp_path / "resolv.conf"
    file.write_text(text)
    assert forward.of_machine(file) == ["192.0.2.1"]
    assert forward.of_machine(tmp_path / "missing") == []


async def test_only_the_answer_to_this_question_counts() -> None:
    port = await serve(resolver := Resolver(), "127.0.0.3")
    assert await forward.Forwarder([("127.0.0.3", port)], VirtualClock()).ask(b"\1\2?") == b"\1\2yes"
    resolver.transport.close()


async def test_a_resolver_that_keeps_quiet_is_left_alone_for_a_while() -> None:
    quiet, lively, clock = Resolver(quiet=True), Resolver(), VirtualClock()
    port = await serve(quiet, "127.0.0.3")
    await serve(lively, "127.0.0.4", port)
    forwarder = forward.Forwarder([("127.0.0.3", port), ("127.0.0.4", port)], clock)
    first = asyncio.ensure_future(forwarder.ask(b"\1\2?"))
    await asyncio.wait_for(quiet.got.wait(), 5)
    await clock.advance(forward.TIMEOUT_SECONDS)
    assert await asyncio.wait_for(first, 5) == b"\1\2yes"
    assert await forwarder.ask(b"\1\3?") == b"\1\3yes"
    assert (quiet.asked, lively.asked) == (1, 2)
    await clock.advance(forward.REST_SECONDS)
    quiet.quiet = False
    assert await forwarder.ask(b"\1\4?") == b"\1\4yes"
    assert quiet.asked == 2
    quiet.transport.close()
    lively.transport.close()


async def test_a_port_where_nobody_listens_is_no_answer() -> None:
    port = await serve(resolver := Resolver(), "127.0.0.3")
    resolver.transport.close()
    await asyncio.sleep(0)
    forwarder = forward.Forwarder([("127.0.0.3", port)], VirtualClock())
    assert await forwarder.ask(b"\1\2?") is None
    assert await forwarder.ask(b"\1\2?", tcp=True) is None
