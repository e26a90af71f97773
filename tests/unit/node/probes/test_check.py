"""Probes against servers of the test's own: what an event says of each failure is what the kubelet would say."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from pybernetes.lib.clock import SystemClock, VirtualClock
from pybernetes.node.probes.check import Target, check
from pybernetes.node.probes.rule import Outcome
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.node.runtime.port import ExecResult, RuntimeFailure

HOST = "127.0.0.1"


def target(**spec: Any) -> Target:
    return Target(MemoryRuntime(VirtualClock()), SystemClock(), {"name": "c", **spec}, "1", HOST)


@contextlib.asynccontextmanager
async def server(answer: Callable[[bytes], bytes] | None) -> AsyncIterator[int]:
    """Answers each request's head; None lets everybody wait."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n") if answer else await reader.read()
        if answer:
            writer.write(answer(head))
        writer.close()

    listening = await asyncio.start_server(serve, HOST, 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def answered(status: str, body: str = "", **headers: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n{body}".encode()


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def get(port: int | str, **more: Any) -> dict[str, Any]:
    return {"httpGet": {"port": port, **more}}


@pytest.mark.parametrize(
    ("status", "good"), [("200 OK", True), ("399 Odd", True), ("404 No", False), ("500 No", False)]
)
async def test_a_status_from_200_to_399_is_a_success(status: str, good: bool) -> None:
    async with server(lambda _: answered(status)) as port:
        outcome = await check(get(port), target())
    assert outcome.succeeded is good
    if not good:
        assert outcome.output == f"HTTP probe failed with statuscode: {status[:3]}"


async def test_a_get_carries_its_headers_and_its_hosts_name_to_a_named_port() -> None:
    heads: list[bytes] = []

    def answer(head: bytes) -> bytes:
        heads.append(head)
        return answered("200 OK")

    headers = [{"name": "Host", "value": "web.example"}, {"name": "X-A", "value": "1"}]
    async with server(answer) as port:
        spec = {"ports": [{"name": "web", "containerPort": port}]}
        assert (await check(get("web", path="health?x=1", httpHeaders=headers), target(**spec))).succeeded
    first, *lines = heads[0].decode().split("\r\n")
    assert first == "GET /health?x=1 HTTP/1.1"
    assert {"Host: web.example", "X-A: 1", "Accept: */*", "Connection: close"} <= set(lines)
    assert any(line.startswith("User-Agent: kube-probe/") for line in lines)


async def test_a_redirect_is_followed_at_home_and_ends_well_where_it_leads_away() -> None:
    places = {b"GET / ": "/next", b"GET /away ": "http://elsewhere.example/"}

    def answer(head: bytes) -> bytes:
        to = next((place for start, place in places.items() if head.startswith(start)), "")
        return answered("302 Found", Location=to) if to else answered("500 Bad")

    async with server(answer) as port:
        assert (await check(get(port), target())).output == "HTTP probe failed with statuscode: 500"
        away = await check(get(port, path="/away"), target())
    assert (away.succeeded, away.warned) == (True, True)
    assert away.output.startswith("Probe terminated redirects, Response body:")


async def test_nobody_at_the_port_is_told_in_gos_words() -> None:
    port = free_port()
    refused = f"dial tcp {HOST}:{port}: connect: connection refused"
    assert await check(get(port, path="/h"), target()) == Outcome(False, f'Get "http://{HOST}:{port}/h": {refused}')
    assert await check({"tcpSocket": {"port": port}}, target()) == Outcome(False, refused)


async def test_a_server_that_says_nothing_takes_too_long() -> None:
    clock = VirtualClock()
    async with server(None) as port:
        trying = asyncio.ensure_future(check({**get(port), "timeoutSeconds": 1}, replace(target(), clock=clock)))
        await clock.advance(1)
        outcome = await trying
    late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    assert outcome == Outcome(False, f'Get "http://{HOST}:{port}/": {late}')


async def test_a_server_that_hangs_up_is_an_eof() -> None:
    async with server(lambda _: b"") as port:
        outcome = await check(get(port), target())
    assert outcome == Outcome(False, f'Get "http://{HOST}:{port}/": EOF')


async def test_a_port_that_listens_is_a_success() -> None:
    async with server(None) as port:
        assert (await check({"tcpSocket": {"port": port}}, target())).succeeded


async def test_a_port_that_the_container_does_not_name_cannot_be_told() -> None:
    outcome = await check(get("web"), target())
    assert outcome.succeeded is None
    assert "couldn't find port" in outcome.output


async def test_a_path_that_is_none_cannot_be_told() -> None:
    async with server(lambda _: answered("200 OK")) as port:
        assert (await check(get(port, path="/a b"), target())).succeeded is None


async def command(answer: ExecResult | RuntimeFailure) -> Outcome:
    runtime = MemoryRuntime(VirtualClock(), images=["i"])
    sandbox = await runtime.run_sandbox({"metadata": {"name": "p", "namespace": "n", "uid": "u"}})
    id = await runtime.create_container(sandbox, {"metadata": {"name": "c"}, "image": {"image": "i"}}, {})
    if isinstance(answer, RuntimeFailure):
        runtime.failures["exec_sync"] = answer
    else:
        runtime.answers["c"] = answer
    return await check({"exec": {"command": ["cat", "/f"]}}, Target(runtime, VirtualClock(), {"name": "c"}, id, HOST))


async def test_a_command_succeeds_by_its_exit_code_and_is_quoted_where_it_fails() -> None:
    assert (await command(ExecResult(0, b"fine", b""))).succeeded
    assert await command(ExecResult(1, b"a", b"b")) == Outcome(False, "ab")
    late = await command(RuntimeFailure("DeadlineExceeded", "timeout 1s exceeded"))
    assert late == Outcome(False, 'command timed out: "cat /f" timed out after 1s')
    assert (await command(RuntimeFailure("Unavailable", "no"))).succeeded is None


@contextlib.asynccontextmanager
async def health_server(answer: Callable[[bytes], bytes] | None) -> AsyncIterator[int]:
    from grpc import aio, method_handlers_generic_handler, unary_unary_rpc_method_handler

    async def serve(request: bytes, _: Any) -> bytes:
        assert answer is not None
        return answer(request)

    running = aio.server()
    if answer is not None:
        methods = {"Check": unary_unary_rpc_method_handler(serve)}
        running.add_generic_rpc_handlers((method_handlers_generic_handler("grpc.health.v1.Health", methods),))
    port = running.add_insecure_port(f"{HOST}:0")
    await running.start()
    yield port
    await running.stop(None)


async def grpc(port: int, service: str = "") -> Outcome:
    return await check({"grpc": {"port": port, "service": service}}, target())


async def test_a_grpc_server_tells_its_health_by_service() -> None:
    def of_service(request: bytes) -> bytes:
        return b"\x08\x01" if request == b"\x0a\x01a" else b"\x08\x02"

    async with health_server(of_service) as port:
        assert (await grpc(port, "a")).succeeded
        assert await grpc(port) == Outcome(False, 'service unhealthy (responded with "NOT_SERVING")')


async def test_a_grpc_server_without_health_says_so() -> None:
    async with health_server(None) as port:
        outcome = await grpc(port)
    assert outcome.succeeded is False
    assert outcome.output.startswith("error: this server does not implement the grpc health protocol")


async def test_no_grpc_server_is_a_failure_to_connect() -> None:
    port = free_port()
    told = f'timeout: failed to connect service "{HOST}:{port}" within 1s: context deadline exceeded'
    assert await grpc(port) == Outcome(False, told)
