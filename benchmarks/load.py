"""A load of plain HTTP/1.1 requests over TLS with a client certificate, light enough not to be what is measured.

It runs in a process of its own per call, so that the server and the load each have a core.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    per_second: float
    p50_ms: float
    p99_ms: float
    count: int


Make = Callable[[int], tuple[str, str, bytes]]
"""Request number → (method, path, body)."""


async def run(port: int, context: ssl.SSLContext, connections: int, count: int, make: Make) -> Result:
    """``count`` requests over ``connections`` keep-alive connections; every answer must be a success."""
    numbers = iter(range(count))
    times: list[float] = []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        for number in numbers:
            method, path, body = make(number)
            begin = time.perf_counter()
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            status, answer = await _answer(reader)
            times.append(time.perf_counter() - begin)
            if status >= 400:
                raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    took = time.perf_counter() - begin
    times.sort()
    return Result(count / took, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3, count)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at >= 0:
        length = int(lower[at + 15 : lower.find(b"\r\n", at)])
        return status, await reader.readexactly(length)
    body = b""
    while size := int((await reader.readline()).strip() or b"0", 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return status, body
