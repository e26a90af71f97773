"""Logs and streams from a client to a real container: API server, the node's API over TLS, containerd.

Raw WebSockets show what travels; real kubectl, the oldest and the newest here, speaks SPDY or WebSocket as it likes.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import websocket

from pybernetes.client.kubeconfig import Kubeconfig, write
from pybernetes.cluster import pki
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.entropy import SystemEntropy
from pybernetes.lib.http.client import HttpClient
from pybernetes.lib.http.serve import serve
from pybernetes.node.server import NodeServer
from pybernetes.server.api import Api, Options
from pybernetes.server.connect import Connector
from pybernetes.testing.onenode import FOREVER, OneNode, container_status, shell

pytestmark = pytest.mark.node
V4 = "v4.channel.k8s.io"
IN, OUT, ERR, STATUS = range(4)
"""Channels of that protocol."""
SECONDS = 30


class Streams:
    """A node under an API server that listens on ``port`` of loopback; ``files`` has the admin's certificate."""

    def __init__(self, world: OneNode, port: int, files: pki.Pki) -> None:
        self.world, self.files = world, files
        self.url = f"127.0.0.1:{port}"
        self.ca = files.certificate("ca")
        self.certificate, self.key = files.certificate(pki.ADMIN), files.key(pki.ADMIN)
        context = tls.client_context(self.ca, self.certificate, self.key)
        self.http = HttpClient(f"https://{self.url}", context, world.clock)

    def path(self, pod: str, verb: str, **query: Any) -> str:
        return f"/api/v1/namespaces/default/pods/{pod}/{verb}?{urlencode(query, doseq=True)}"

    @contextmanager
    def open(self, pod: str, verb: str, protocol: str = V4, **query: Any) -> Iterator[websocket.WebSocket]:
        """A WebSocket; for use in a thread."""
        ours = {"ca_certs": str(self.ca), "certfile": str(self.certificate), "keyfile": str(self.key)}
        url = f"wss://{self.url}{self.path(pod, verb, **query)}"
        with closing(websocket.create_connection(url, subprotocols=[protocol], timeout=SECONDS, sslopt=ours)) as socket:
            yield socket

    async def log(self, pod: str, **query: Any) -> str:
        return (await self.http.request("GET", self.path(pod, "log", **query)))[2].decode()

    async def page(self) -> None:
        """A pod ``web`` that serves ``hello`` on port 8080."""
        await self.world.pod("web", shell("c", "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"))
        pod = await self.world.ready("web")
        await self.world.eventually(lambda: self._listens(pod))

    async def _listens(self, pod: Any) -> bool:
        return f":{8080:04X} " in await self.world.run_in(pod, "c", "cat", "/proc/net/tcp", "/proc/net/tcp6")


@pytest.fixture
async def streams(world: OneNode, tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Streams]:
    files = pki.Pki(tmp_path / "pki", time.time())
    served, node = pki.apiserver(["127.0.0.1"]), pki.kubelet("node-1", ["127.0.0.1"])
    files.ensure([served, node, pki.KUBELET_CLIENT, pki.ADMIN])
    ca = files.certificate("ca")
    api = reaching_nodes(world, files)
    await world.stop_agent()  # to come back as a node that can be reached
    await world.admin.delete("nodes", "node-1")
    world.config = replace(world.config, ip="127.0.0.1", port=unused_tcp_port)
    await world.start_agent()
    manager = Manager(world.admin, world.clock, SystemEntropy())
    pods = manager.informer("pods", fields="spec.nodeName=node-1")
    agent = NodeServer("node-1", pods.cache, world.runtime, world.clock)
    await agent.start(tls.server_context(files.certificate(node), files.key(node), ca), "127.0.0.1", unused_tcp_port)
    context = tls.server_context(files.certificate(served), files.key(served), ca)
    front = await serve(api.serve, clock=world.clock, ssl_context=context, refusal=api.refusal)
    yield Streams(world, front.port, files)
    await asyncio.gather(front.stop(0.1), agent.stop())
    await manager.stop()
    await api.stop()


def reaching_nodes(world: OneNode, files: pki.Pki) -> Api:
    """A second server over the same cache, which has a way to the node."""
    mine = tls.client_context(
        files.certificate("ca"), files.certificate(pki.KUBELET_CLIENT), files.key(pki.KUBELET_CLIENT)
    )
    connect = Connector(world._cache, mine, world.clock)
    return Api(world._cache, table.builtin(), world.clock, SystemEntropy(), Options(connect=connect))


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
    assert (found[OUT], found[ERR]) == (b"out\n", b"err\n")
    told = orjson.loads(found[STATUS])
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
                socket.send_binary(bytes([IN]) + megabytes[at : at + 30_000])
            return received(socket)

    found = await asyncio.to_thread(execute)
    assert found[OUT].split()[0].decode() == hashlib.sha256(megabytes).hexdigest()


async def test_who_attaches_talks_to_the_first_process(streams: Streams) -> None:
    await streams.world.pod("web", shell("c", "read line; echo got $line; sleep 100", stdin=True))
    await streams.world.ready("web")

    def attach() -> bytes:
        with streams.open("web", "attach", stdin="true", stdout="true") as socket:
            socket.send_binary(bytes([IN]) + b"this\n")
            said = b""
            while not said.endswith(b"\n"):
                data = socket.recv_data()[1]
                said += data[1:] if data[0] == OUT else b""
            return said

    assert await asyncio.to_thread(attach) == b"got this\n"


async def test_a_port_of_a_pod_is_reached_through_the_node(streams: Streams) -> None:
    await streams.page()

    def forward() -> bytes:
        with streams.open("web", "portforward", ports="8080") as socket:
            socket.send_binary(b"\0GET / HTTP/1.0\r\n\r\n")
            return received(socket)[0]

    answer = await asyncio.to_thread(forward)
    assert answer.startswith((8080).to_bytes(2, "little"))
    assert answer.endswith(b"hello\n")


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
    await streams.world.until("web", lambda pod: container_status(pod, "c").get("restartCount"))
    assert await streams.log("web", previous="true") == "run\n"


# ── real kubectl ─────────────────────────────────────────────────────────────────────────────────────────


def programs() -> list[str]:
    """The oldest and the newest kubectl on this machine."""
    first = shutil.which("kubectl")
    if first is None:
        return []
    found = sorted(map(str, Path(first).resolve().parent.glob("kubectl.1.*"))) or [first]
    return list(dict.fromkeys((found[0], found[-1])))


class Kubectl:
    def __init__(self, program: str, kubeconfig: Path, streams: Streams) -> None:
        self._program, self._kubeconfig = program, kubeconfig
        self.streams, self.world = streams, streams.world

    async def start(self, *arguments: str, **pipes: Any) -> Process:
        environment = os.environ | {"KUBECACHEDIR": str(self._kubeconfig.parent / "cache")}
        return await asyncio.create_subprocess_exec(
            self._program, f"--kubeconfig={self._kubeconfig}", *arguments, env=environment, **pipes
        )

    async def __call__(self, *arguments: str, stdin: bytes = b"") -> tuple[int, bytes]:
        """(exit code, all that it said)"""
        process = await self.start(*arguments, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
        async with asyncio.timeout(SECONDS):
            said, _ = await process.communicate(stdin)
        return process.returncode or 0, said


@pytest.fixture(params=programs() or [None], ids=lambda program: str(program).rpartition("/")[2])
def kubectl(request: pytest.FixtureRequest, streams: Streams, tmp_path: Path) -> Kubectl:
    if request.param is None:
        pytest.skip("there is no kubectl on the PATH")
    access = Kubeconfig.with_certificate(
        cluster="t", user="admin", server=f"https://{streams.url}", ca=streams.ca.read_bytes(),
        certificate=streams.certificate.read_bytes(), key=streams.key.read_bytes(),
    )  # fmt: skip
    write(tmp_path / "kubeconfig", access)
    return Kubectl(str(request.param), tmp_path / "kubeconfig", streams)


async def test_commands_run_with_output_input_and_exit_code(kubectl: Kubectl) -> None:
    await kubectl.world.pod("web", shell("c", FOREVER), shell("d", FOREVER))
    await kubectl.world.ready("web")
    code, said = await kubectl("exec", "web", "-c", "c", "--", "sh", "-c", "echo out; exit 7")
    assert (code, said) == (7, b"out\ncommand terminated with exit code 7\n")
    megabytes = bytes(range(256)) * 4096 * 3
    code, said = await kubectl("exec", "-i", "web", "-c", "c", "--", "sha256sum", stdin=megabytes)
    assert (code, said.split()[0].decode()) == (0, hashlib.sha256(megabytes).hexdigest())
    code, said = await kubectl("exec", "web", "-c", "x", "--", "true")
    assert code == 1
    assert b"container x is not valid for pod web" in said or b"container not found" in said


async def test_files_are_copied_in_and_out(kubectl: Kubectl, tmp_path: Path) -> None:
    await kubectl.world.pod("web", shell("c", FOREVER))
    await kubectl.world.ready("web")
    (tmp_path / "in").write_bytes(os.urandom(300_000))
    assert (await kubectl("cp", str(tmp_path / "in"), "web:/tmp/there"))[0] == 0
    assert (await kubectl("cp", "web:/tmp/there", str(tmp_path / "out")))[0] == 0
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in").read_bytes()


async def test_a_terminal_is_one_in_the_container(kubectl: Kubectl) -> None:
    await kubectl.world.pod("web", shell("c", FOREVER))
    await kubectl.world.ready("web")
    ours, theirs = os.openpty()
    process = await kubectl.start("exec", "-it", "web", "--", "sh", "-c", "tty && read x && echo [$x]", stdin=theirs,
                                  stdout=PIPE, stderr=STDOUT)  # fmt: skip
    os.write(ours, b"typed\n")
    async with asyncio.timeout(SECONDS):
        said, _ = await process.communicate()
    os.close(ours)
    os.close(theirs)
    assert b"/dev/pts/" in said
    assert b"[typed]" in said


async def test_logs_are_followed_and_attached_to(kubectl: Kubectl) -> None:
    script = "echo ready; while read line; do echo got $line; done; sleep 100"
    await kubectl.world.pod("web", shell("c", script, stdin=True))
    await kubectl.world.ready("web")
    following = await kubectl.start("logs", "-f", "web", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    attached = await kubectl.start("attach", "-i", "web", stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    assert following.stdout is not None
    assert attached.stdin is not None
    attached.stdin.write(b"this\n")
    async with asyncio.timeout(SECONDS):
        assert [await following.stdout.readline() for _ in range(2)] == [b"ready\n", b"got this\n"]
    for process in (following, attached):
        process.kill()
        await process.communicate()


async def test_a_port_is_forwarded(kubectl: Kubectl) -> None:
    await kubectl.streams.page()
    process = await kubectl.start("port-forward", "pod/web", ":8080", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        found = re.search(rb"127\.0\.0\.1:(\d+)", await process.stdout.readline())
        assert found is not None
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert (await reader.read()).endswith(b"hello\n")
            writer.close()
    process.kill()
    await process.communicate()
