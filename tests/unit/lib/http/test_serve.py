"""A server on a real loopback port, spoken to in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.http.incoming import Limits
from pybernetes.lib.http.message import HttpRequest, HttpResponse


async def echo(request: HttpRequest) -> HttpResponse:
    who = "somebody" if request.peer_certificate else "nobody"
    said = f"{request.method} {request.path} {dict(request.query)} {who} {request.body.decode()}"
    return HttpResponse(body=said.encode(), content_type="text/plain")


async def say(port: int, data: bytes, **connecting) -> bytes:
    """Everything the server answers to ``data`` until it ends the connection."""
    reader, writer = await asyncio.open_connection("localhost", port, **connecting)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_client_certificate_reaches_the_handler(start, certificates) -> None:
    server = await start(echo, secure=True)
    context = tls.client_context(
        certificates.certificate("ca"), certificates.certificate(pki.ADMIN), certificates.key(pki.ADMIN)
    )
    answer = await say(server.port, b"GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", ssl=context)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"GET /a b {'x': ['1']} somebody ")


async def test_a_client_without_a_certificate_is_served_too(start, ca) -> None:
    server = await start(echo, secure=True)
    answer = await say(server.port, b"GET / HTTP/1.0\r\n\r\n", ssl=tls.client_context(ca))
    assert answer.endswith(b"nobody ")


async def test_pipelined_requests_are_answered_in_their_order(start) -> None:
    server = await start(echo)
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(40))
    answer = await say(server.port, requests + b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 41
    assert answer.index(b"GET /7 ") < answer.index(b"GET /8 ") < answer.index(b"GET /last ")


async def test_a_stream_leaves_in_chunks_and_is_closed_when_the_client_goes(start) -> None:
    closed = asyncio.Event()

    async def ticks() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def handler(request: HttpRequest) -> HttpResponse:
        return HttpResponse(stream=ticks())

    server = await start(handler)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (await reader.readuntil(b"3\r\none\r\n")).startswith(b"HTTP/1.1 200 OK")
    writer.close()
    await asyncio.wait_for(closed.wait(), 5)


async def test_a_body_over_the_limit_is_refused(start) -> None:
    server = await start(echo, limits=Limits(body_bytes=10))
    answer = await say(server.port, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n" + b"x" * 11)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b"Request entity too large: limit is 10")


async def test_a_client_that_waits_for_100_continue_gets_it(start) -> None:
    server = await start(echo)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hi")
    assert (await reader.readuntil(b"hi")).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_a_failing_handler_costs_a_500_and_not_the_connection(start) -> None:
    async def handler(request: HttpRequest) -> HttpResponse:
        if request.path == "/bad":
            raise RuntimeError("no")
        return HttpResponse(body=b"fine")

    server = await start(handler)
    bad, good = b"GET /bad HTTP/1.1\r\nHost: h\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    answer = await say(server.port, bad + good)
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.endswith(b"fine")


async def test_stopping_lets_the_answer_under_way_leave(start) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def handler(request: HttpRequest) -> HttpResponse:
        begun.set()
        await go.wait()
        return HttpResponse(body=b"done")

    server = await start(handler)
    asking = asyncio.ensure_future(say(server.port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
    await begun.wait()
    stopping = asyncio.ensure_future(server.stop())
    await asyncio.sleep(0)
    go.set()
    assert (await asking).endswith(b"done")
    await stopping


class _Echo(asyncio.Protocol):
    """Takes a connection over, and sends back what comes."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def test_a_connection_that_is_handed_over_keeps_no_task_waiting(start) -> None:
    async def hand_over(request: HttpRequest) -> HttpResponse:
        return HttpResponse(upgrade=lambda transport, surplus: _Echo(transport))

    server = await start(hand_over)
    reader, writer = await asyncio.open_connection("localhost", server.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "http connection"]
    writer.close()
