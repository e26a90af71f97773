"""Logs and streams from a client to a real container: over the API server's way, TLS, the node's API and containerd."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import websocket

from pybernetes.cluster import pki
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.entropy import SystemEntropy
from pybernetes.lib.http.client import HttpClient
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve
from pybernetes.meta.errors import ApiError
from pybernetes.node.server import NodeServer
from pybernetes.server import requestinfo
from pybernetes.server.connect import Connector
from pybernetes.server.context import Request
from pybernetes.testing.onenode import container_status

from .world import FOREVER, World, shell

pytestmark = pytest.mark.node
V4 = "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR = range(4)
PODS = table.builtin().by_resource("pods")


class Streams:
    """A world whose node's API is open, and ``port`` of an HTTP server that leads to it as the API server does."""

    def __init__(self, world: World, port: int) -> None:
        self.world, self.port = world, port
        self.http = HttpClient(f"http://127.0.0.1:{port}", None, world.clock)

    def path(self, pod: str, verb: str, **query: Any) -> str:
        return f"/api/v1/namespaces/default/pods/{pod}/{verb}?{urlencode(query, doseq=True)}"

    @contextmanager
    def open(self, pod: str, verb: str, protocol: str = V4, **query: Any) -> Iterator[websocket.WebSocket]:
        """A WebSocket; for use in a thread."""
        url = f"ws://127.0.0.1:{self.port}{self.path(pod, verb, **query)}"
        with closing(websocket.create_connection(url, subprotocols=[protocol], timeout=20)) as socket:
            yield socket

    async def log(self, pod: str, **query: Any) -> str:
        return (await self.http.request("GET", self.path(pod, "log", **query)))[2].decode()


@pytest.fixture
async def streams(
    containerd: Any, tmp_path_factory: pytest.TempPathFactory, unused_tcp_port: int
) -> AsyncIterator[Streams]:
    files = pki.Pki(tmp_path_factory.mktemp("pki"), time.time())
    node, api = pki.kubelet("node-1", ["127.0.0.1"]), pki.KUBELET_CLIENT
    files.ensure([node, api])
    ca = files.certificate("ca")
    world = World(containerd)
    world.config = replace(world.config, ip="127.0.0.1", port=unused_tcp_port)
    await world.start()
    manager = Manager(world.admin, world.clock, SystemEntropy())
    pods = manager.informer("pods", fields="spec.nodeName=node-1")
    server = NodeServer("node-1", pods.cache, world.runtime, world.clock)
    await server.start(tls.server_context(files.certificate(node), files.key(node), ca), "127.0.0.1", unused_tcp_port)
    context = tls.client_context(ca, files.certificate(api), files.key(api))
    connector = Connector(world._cache, context, world.clock)

    async def handle(incoming: HttpRequest) -> HttpResponse:
        request = Request(
            incoming.method, incoming.path, incoming.query, incoming.headers, raw_target=incoming.raw_target
        )
        request.info = requestinfo.of(request)
        assert PODS is not None
        try:
            return await connector(request, PODS)
        except ApiError as error:
            return HttpResponse(status=error.http_code, body=error.message.encode())

    front = await serve(handle, clock=world.clock)
    yield Streams(world, front.port)
    await asyncio.gather(front.stop(0.1), server.stop())
    await manager.stop()
    await world.stop()


def received(socket: websocket.WebSocket) -> dict[int, bytes]:
    """All that comes until the other side ends, by channel."""
    found: dict[int, bytes] = {}
    while True:
        opcode, data = socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE or not data:
            return found
        found[data[0]] = found.get(data[0], b"") + data[1:]


async def test_a_command_has_its_output_its_errors_and_its_exit_code(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", FOREVER))
    await streams.world.ready("web")

    def execute() -> dict[int, bytes]:
        command = ["sh", "-c", "echo out; echo err >&2; exit 7"]
        with streams.open("web", "exec", command=command, stdout="true", stderr="true") as socket:
            return received(socket)

    found = await asyncio.to_thread(execute)
    assert (found[STDOUT], found[STDERR]) == (b"out\n", b"err\n")
    told = orjson.loads(found[ERROR])
    assert (told["reason"], told["details"]["causes"]) == (
        "NonZeroExitCode", [{"reason": "ExitCode", "message": "7"}],
    )  # fmt: skip


async def test_megabytes_go_into_a_command_whole(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", FOREVER))
    await streams.world.ready("web")
    megabytes = bytes(range(256)) * 4096 * 3

    def execute() -> dict[int, bytes]:
        command = ["sh", "-c", f"head -c {len(megabytes)} | sha256sum"]
        with streams.open("web", "exec", command=command, stdin="true", stdout="true") as socket:
            for at in range(0, len(megabytes), 30_000):
                socket.send_binary(bytes([STDIN]) + megabytes[at : at + 30_000])
            return received(socket)

    found = await asyncio.to_thread(execute)
    assert found[STDOUT].split()[0].decode() == hashlib.sha256(megabytes).hexdigest()


async def test_who_attaches_talks_to_the_first_process(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", "read line; echo got $line; sleep 100", stdin=True))
    await streams.world.ready("web")

    def attach() -> bytes:
        with streams.open("web", "attach", stdin="true", stdout="true") as socket:
            socket.send_binary(bytes([STDIN]) + b"this\n")
            said = b""
            while not said.endswith(b"\n"):
                data = socket.recv_data()[1]
                said += data[1:] if data[0] == STDOUT else b""
            return said

    assert await asyncio.to_thread(attach) == b"got this\n"


async def test_a_port_of_a_pod_is_reached_through_the_node(streams: Streams) -> None:
    serve_page = "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"
    await streams.world.pod("web", shell("c", serve_page))
    pod = await streams.world.ready("web")
    await streams.world.eventually(lambda: listens(streams.world, pod))

    def forward() -> bytes:
        with streams.open("web", "portforward", ports="8080") as socket:
            socket.send_binary(b"\0GET / HTTP/1.0\r\n\r\n")
            return received(socket)[0]

    answer = await asyncio.to_thread(forward)
    assert answer.startswith((8080).to_bytes(2, "little"))
    assert answer.endswith(b"hello\n")


async def listens(world: World, pod: Any) -> bool:
    return ":1F90" in await world.run_in(pod, "c", "cat", "/proc/net/tcp", "/proc/net/tcp6")


async def test_a_protocol_that_the_runtime_does_not_speak_is_refused_by_the_runtime(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", FOREVER))
    await streams.world.ready("web")

    def execute() -> int:
        try:
            with streams.open("web", "exec", protocol="v5.channel.k8s.io", command="true", stdout="true"):
                return 101
        except websocket.WebSocketBadStatusException as refused:
            return refused.status_code

    assert await asyncio.to_thread(execute) == 403


async def test_a_log_is_followed_to_the_end_of_its_container(streams: Streams) -> None:
    script = "echo one; echo two >&2; echo three; while [ ! -e /tmp/go ]; do sleep 0.05; done; echo last"
    await streams.world.pod("web", shell("c", script), restartPolicy="Never")
    pod = await streams.world.ready("web")
    assert sorted((await streams.log("web")).split()) == ["one", "three", "two"]
    assert len((await streams.log("web", tailLines=2, timestamps="true")).splitlines()) == 2
    stream = await streams.http.stream("GET", streams.path("web", "log", follow="true", container="c"))
    said = b""
    async with asyncio.timeout(20):
        while said.count(b"\n") < 3:
            said += await anext(stream)
        await streams.world.run_in(pod, "c", "touch", "/tmp/go")
        said += await stream.read()
    assert said.splitlines()[-1] == b"last"


async def test_the_log_of_the_run_before_is_kept(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", "echo run; exit 1"))
    found = await streams.log("web", previous="true")
    assert found == 'previous terminated container "c" in pod "web" not found'
    await streams.world.until("web", lambda pod: container_status(pod, "c").get("restartCount"))
    assert await streams.log("web", previous="true") == "run\n"
