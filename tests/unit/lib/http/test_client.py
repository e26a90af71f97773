"""The client against the real server on a loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock, VirtualClock
from pybernetes.lib.http import client as http
from pybernetes.lib.http.message import HttpRequest, HttpResponse


@pytest.fixture
async def client_of():
    """``client_of(server)`` speaks plainly to it; closed when the test ends."""
    made: list[http.HttpClient] = []

    def make(server_or_port, *, context=None, clock=None) -> http.HttpClient:
        port = getattr(server_or_port, "port", server_or_port)
        scheme = "https" if context else "http"
        made.append(http.HttpClient(f"{scheme}://127.0.0.1:{port}", context, clock or SystemClock()))
        return made[-1]

    yield make
    for client in made:
        await client.close()


async def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(body=request.method.encode() + request.body, headers=[("X-Path", request.path)])


async def test_one_connection_carries_many_requests(start, client_of, certificates) -> None:
    server = await start(echo, secure=True)
    context = tls.client_context(
        certificates.certificate("ca"), certificates.certificate(pki.ADMIN), certificates.key(pki.ADMIN)
    )
    client = client_of(server, context=context)
    for n in range(20):
        status, headers, body = await client.request("PUT", f"/{n}", {"X-A": "b"}, b"!" * n * 20_000)
        assert (status, headers["x-path"], len(body)) == (200, f"/{n}", 3 + n * 20_000)
    assert server.connections == 1


async def test_requests_at_a_time_take_a_connection_each(start, client_of) -> None:
    together = asyncio.Barrier(3)

    async def handler(request: HttpRequest) -> HttpResponse:
        await together.wait()
        return HttpResponse(body=request.path.encode())

    client = client_of(await start(handler))
    answers = await asyncio.gather(*(client.request("GET", f"/{n}") for n in range(3)))
    assert [body for _, _, body in answers] == [b"/0", b"/1", b"/2"]


async def test_the_answer_to_head_and_204_ends_with_its_head(start, client_of) -> None:
    async def handler(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=204) if request.method == "DELETE" else HttpResponse(body=b"12345")

    server = await start(handler)
    client = client_of(server)
    assert (await client.request("HEAD", "/"))[1]["content-length"] == "5"
    assert (await client.request("DELETE", "/"))[0] == 204
    assert (await client.request("GET", "/"))[2] == b"12345"
    assert server.connections == 1


async def test_a_stream_gives_each_chunk_when_it_comes(start, client_of) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def handler(request: HttpRequest) -> HttpResponse:
        async def chunks() -> AsyncIterator[bytes]:
            while data := await said.get():
                yield data

        return HttpResponse(stream=chunks())

    client = client_of(await start(handler))
    stream = await client.stream("GET", "/watch")
    for text in (b"one", b"two"):
        said.put_nowait(text)
        assert await anext(stream) == text
    said.put_nowait(b"")
    assert await stream.read() == b""


async def test_an_abandoned_stream_ends_at_the_server(start, client_of) -> None:
    ended = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.set()

    async def handler(request: HttpRequest) -> HttpResponse:
        return HttpResponse(stream=chunks())

    client = client_of(await start(handler))
    stream = await client.stream("GET", "/")
    await anext(stream)
    await stream.aclose()
    await asyncio.wait_for(ended.wait(), 5)


async def half_closing_server(answers: list[bytes]):
    """Answers each connection's first request from the list, then closes unseen when the next one comes."""
    asked: list[bytes] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers.pop(0))
        asked.append(await reader.read(1000))
        writer.close()

    return await asyncio.start_server(speak, "127.0.0.1", 0), asked


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def test_a_get_on_a_stale_connection_goes_out_once_more(client_of) -> None:
    server, asked = await half_closing_server([OK, OK])
    client = client_of(server.sockets[0].getsockname()[1])
    await client.request("GET", "/1")
    assert (await client.request("GET", "/2"))[2] == b"ok"
    assert [line.split()[1] for line in asked] == [b"/1", b"/2", b"/2"]
    server.close()


async def test_a_post_on_a_stale_connection_is_not_sent_twice(client_of) -> None:
    server, asked = await half_closing_server([OK, OK])
    client = client_of(server.sockets[0].getsockname()[1])
    await client.request("POST", "/1")
    with pytest.raises(http.Interrupted, match=r"http://127.0.0.1:\d+ closed the connection without an answer"):
        await client.request("POST", "/2")
    assert len(asked) == 2
    server.close()


async def test_an_answer_cut_short_is_an_error(client_of) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    with pytest.raises(http.Interrupted, match="broke off its answer"):
        await client_of(server.sockets[0].getsockname()[1]).request("GET", "/")
    server.close()


async def test_a_closed_port_is_told_with_its_address(client_of, unused_port) -> None:
    with pytest.raises(http.Unreachable, match=f"http://127.0.0.1:{unused_port} cannot be reached: Connection refused"):
        await client_of(unused_port).request("GET", "/")


async def test_a_strange_certificate_is_refused(start, client_of, tmp_path) -> None:
    other = pki.Pki(tmp_path, SystemClock().time())
    other.ensure([])
    server = await start(echo, secure=True)
    with pytest.raises(http.Unreachable, match="not to be trusted"):
        await client_of(server, context=tls.client_context(other.certificate("ca"))).request("GET", "/")


async def test_silence_is_ended_by_the_clock(start, client_of) -> None:
    begun = asyncio.Event()

    async def handler(request: HttpRequest) -> HttpResponse:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    clock = VirtualClock()
    client = client_of(await start(handler), clock=clock)
    asking = asyncio.ensure_future(client.request("GET", "/", timeout_seconds=30))
    await begun.wait()
    await clock.advance(30)
    with pytest.raises(http.TimedOut, match="did not answer within 30 s"):
        await asking
