"""Two real connections joined: what one side sends, the other gets, whole and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http import splice
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import HttpServer
from pybernetes.lib.http.splice import Backend, SpliceError

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Start = Callable[..., Awaitable[HttpServer]]
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"
ASK = (
    b"POST /front?command=ls HTTP/1.1\r\nHost: front\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
    b"Authorization: Bearer secret\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
    b"X-Stream-Protocol-Version: v1.channel.k8s.io\r\nContent-Length: 0\r\n\r\n"
)


@asynccontextmanager
async def backend(talk: Talk) -> AsyncIterator[int]:
    """A server that speaks as ``talk`` does; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def front(start: Start, port: int, **more: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client of a server that splices everything to the backend at ``port``."""

    async def handle(request: HttpRequest) -> HttpResponse:
        try:
            return await splice.splice(request, "/back/token", Backend("127.0.0.1", port), SystemClock())
        except SpliceError as error:
            return HttpResponse(status=502, body=str(error).encode())

    server = await start(handle, **more)
    return await asyncio.open_connection("127.0.0.1", server.port)


async def test_the_head_is_replayed_with_another_target_and_without_secrets(start: Start) -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(SWITCH)

    async with backend(talk) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        assert await asyncio.wait_for(reader.read(), 5) == SWITCH
        writer.close()
    head = heads[0].decode().lower()
    assert head.startswith("post /back/token http/1.1\r\n")
    assert f"host: 127.0.0.1:{port}\r\n" in head
    assert "x-stream-protocol-version: v4.channel.k8s.io\r\nx-stream-protocol-version: v1.channel.k8s.io\r\n" in head
    assert "upgrade: spdy/3.1" in head
    assert "secret" not in head


async def test_bytes_pass_both_ways_from_the_first_one_on(start: Start) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + b"hello ")
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async with backend(echo) as port:
        reader, writer = await front(start, port)
        writer.write(ASK + b"early ")
        assert await reader.readexactly(len(SWITCH) + 12) == SWITCH + b"hello early "
        writer.write(b"later")
        assert await reader.readexactly(5) == b"later"
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_megabytes_arrive_whole_at_a_slow_reader_after_the_sender_has_gone(start: Start) -> None:
    megabytes = bytes(range(256)) * 4096 * 8

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH + megabytes)

    async with backend(pour) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        assert await reader.readexactly(len(SWITCH)) == SWITCH
        got = bytearray()
        while data := await asyncio.wait_for(reader.read(10_000), 5):
            got += data
        assert got == megabytes
        writer.close()


async def test_a_half_closed_side_still_gets_the_answer(start: Start) -> None:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        writer.write(b"%d" % len(await reader.read()))

    async with backend(count) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        await reader.readexactly(len(SWITCH))
        writer.write(b"x" * 300_000)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b"300000"
        writer.close()


async def test_the_backend_learns_that_the_client_has_gone(start: Start) -> None:
    gone = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCH)
        await reader.read()
        gone.set()

    async with backend(wait) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        await reader.readexactly(len(SWITCH))
        writer.transport.abort()
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_refusal_is_a_plain_answer_and_joins_nothing(start: Start) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nX-Why: no\r\n\r\nno such way!"
        )

    async with backend(refuse) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n")
        assert b"x-why: no\r\n" in answer
        assert answer.endswith(b"\r\n\r\nno such way!")
        writer.close()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 101 Switch"])
async def test_a_backend_that_hangs_up_is_told_of(start: Start, said: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    async with backend(hang_up) as port:
        reader, writer = await front(start, port)
        writer.write(ASK)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert answer.endswith(f"127.0.0.1:{port}: the connection ended without an answer".encode())
        writer.close()


async def test_a_backend_that_is_not_there_is_told_of_in_the_fields_words(start: Start, unused_port: int) -> None:
    reader, writer = await front(start, unused_port)
    writer.write(ASK)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.endswith(f"dial tcp 127.0.0.1:{unused_port}: connect: connection refused".encode())
    writer.close()
