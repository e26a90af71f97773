"""Logs, streams and proxies through the API server: what is refused with which sentence, and what reaches a node.

The server is the real one in process; the node's agent is a real TLS server on a loopback port.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pybernetes.client.client import Client
from pybernetes.cluster import pki
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.meta import errors
from pybernetes.server.api import Api, Options
from pybernetes.server.connect import Connector, containers
from pybernetes.server.connect.proxy import Named
from pybernetes.server.context import Request, User
from pybernetes.storage import codec
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

ROOT = User("root", groups=("system:masters",))
CLOCK = SystemClock()
POD = "/api/v1/namespaces/default/pods/web"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    files = pki.Pki(tmp_path_factory.mktemp("pki"), time.time())
    files.ensure([pki.kubelet("node-1", ["127.0.0.1"]), pki.KUBELET_CLIENT])
    return files


def pem(files: pki.Pki, name: str) -> tuple[Path, Path]:
    return files.certificate(name), files.key(name)


class Agent:
    """What a node's agent was asked, and what it says."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []
        self.answer = HttpResponse(body=b"a log\n", content_type="text/plain")

    async def handle(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        return self.answer


class Cluster:
    def __init__(self, api: Api, cache: WatchCache, agent: Agent, port: int) -> None:
        self.api, self.cache, self.agent, self.port = api, cache, agent, port
        self.client: Client = api.client(ROOT)

    async def node(self, name: str = "node-1", **labels: str) -> None:
        addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": "127.0.0.1"}]
        endpoint = {"kubeletEndpoint": {"Port": self.port}}
        await self.client.create(
            "nodes",
            {
                "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
                "status": {"addresses": addresses, "daemonEndpoints": endpoint},
            },
        )  # fmt: skip

    async def pod(self, *names: str, phase: str = "Running", **spec: Any) -> None:
        listed = [{"name": name, "image": "i"} for name in names or ("c",)]
        pod = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"nodeName": "node-1", "containers": listed, **spec},
        }  # fmt: skip
        await self.client.create("pods", pod)
        status = {"status": {"phase": phase, "podIP": "10.244.1.9"}}
        await self.client.patch("pods", "web", status, namespace="default", subresource="status")

    async def ask(self, path: str, method: str = "GET") -> Any:
        base, _, query = path.partition("?")
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        return await self.client.transport.request(method, base, query={k: v for k, _, v in pairs})


@pytest.fixture
async def cluster(certificates: pki.Pki) -> AsyncIterator[Cluster]:
    agent = Agent()
    secured = tls.server_context(*pem(certificates, "kubelet-node-1"), client_ca=certificates.certificate("ca"))
    server = await serve(agent.handle, clock=CLOCK, ssl_context=secured)
    cache = WatchCache(MemoryStore(), CLOCK)
    await cache.start()
    context = tls.client_context(certificates.certificate("ca"), *pem(certificates, pki.KUBELET_CLIENT.file))
    api = Api(
        cache, table.builtin(), CLOCK, SeededEntropy(1), Options(connect=Connector(cache, context, CLOCK))
    )  # fmt: skip
    await api.start()
    found = Cluster(api, cache, agent, server.port)
    await found.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
    await found.client.create("serviceaccounts", account)
    yield found
    await api.stop()
    await server.stop(0)
    await cache.stop()


# ── logs ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_log_comes_from_the_agent_which_sees_our_certificate(cluster: Cluster) -> None:
    await cluster.node()
    await cluster.pod()
    assert await cluster.ask(f"{POD}/log?tailLines=5&follow=false&timestamps=true&pretty=x") == "a log\n"
    (asked,) = cluster.agent.asked
    assert asked.raw_target == "/containerLogs/default/web/c?follow=false&timestamps=true&tailLines=5"
    assert asked.peer_certificate is not None


async def test_a_pod_of_several_containers_must_be_told_which(cluster: Cluster) -> None:
    await cluster.pod("a", "b")
    with pytest.raises(errors.BadRequest) as refused:
        await cluster.ask(f"{POD}/log")
    assert refused.value.message == "a container name must be specified for pod web, choose one of: [a b]"
    with pytest.raises(errors.BadRequest) as refused:
        await cluster.ask(f"{POD}/log?container=x")
    assert refused.value.message == "container x is not valid for pod web"


def test_init_containers_are_offered_too() -> None:
    spec = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}
    with pytest.raises(errors.BadRequest, match=r"choose one of: \[a b\] or one of the init containers: \[i\]$"):
        containers.chosen({"metadata": {"name": "web"}, "spec": spec}, "")


async def test_a_pod_without_a_node_has_an_empty_log_and_takes_no_command(cluster: Cluster) -> None:
    await cluster.pod(nodeName="")
    assert not await cluster.ask(f"{POD}/log")
    with pytest.raises(errors.BadRequest) as refused:
        await cluster.ask(f"{POD}/exec?command=ls&stdout=true", "POST")
    assert refused.value.message == "pod web does not have a host assigned"


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("tailLines=-1", "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", "sinceSeconds: Invalid value: 0: must be greater than 0"),
    ],
)
async def test_amounts_that_make_no_sense_are_refused(cluster: Cluster, query: str, complaint: str) -> None:
    await cluster.pod()
    with pytest.raises(errors.Invalid) as refused:
        await cluster.ask(f"{POD}/log?{query}")
    assert refused.value.message == f'PodLogOptions "web" is invalid: {complaint}'


async def test_what_the_agent_refuses_becomes_a_status_with_its_sentence(cluster: Cluster) -> None:
    await cluster.node()
    await cluster.pod()
    said = 'container "c" in pod "web" is waiting to start: ContainerCreating'
    cluster.agent.answer = HttpResponse(status=400, body=said.encode())
    with pytest.raises(errors.BadRequest) as refused:
        await cluster.ask(f"{POD}/log")
    assert refused.value.message == said


async def test_an_agent_that_is_not_there_is_an_internal_error_that_names_it(
    cluster: Cluster, unused_tcp_port: int
) -> None:
    cluster.port = unused_tcp_port
    await cluster.node()
    await cluster.pod()
    with pytest.raises(errors.InternalError) as refused:
        await cluster.ask(f"{POD}/log")
    where = f"127.0.0.1:{unused_tcp_port}"
    told = f'Get "https://{where}/containerLogs/default/web/c": dial tcp {where}: connect: connection refused'
    assert refused.value.message == f"Internal error occurred: {told}"


async def test_a_simulated_node_says_that_nothing_runs_there(cluster: Cluster) -> None:
    await cluster.node(**{"pybernetes.io/simulated": "true"})
    await cluster.pod()
    asked = (("log", "GET"), ("exec?command=ls", "POST"), ("portforward", "POST"), ("proxy/", "GET"))
    for path, method in asked:
        with pytest.raises(errors.BadRequest, match='node "node-1" is simulated: nothing runs there'):
            await cluster.ask(f"{POD}/{path}", method)


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_is_executed_in_a_completed_pod(cluster: Cluster) -> None:
    await cluster.pod(phase="Succeeded")
    with pytest.raises(errors.BadRequest) as refused:
        await cluster.ask(f"{POD}/exec?command=ls", "POST")
    assert refused.value.message == "cannot exec into a container in a completed pod; current phase is Succeeded"


async def test_an_upgraded_stream_reaches_the_agent_and_comes_back(cluster: Cluster) -> None:
    def upgrade(transport: asyncio.Transport, surplus: bytes) -> asyncio.Protocol:
        transport.write(SWITCH + b"hello")

        class Echo(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                transport.write(data)

        return Echo()

    cluster.agent.answer = HttpResponse(upgrade=upgrade)
    await cluster.node()
    await cluster.pod()
    server = await front(cluster.api)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"POST {POD}/exec?command=sh&command=-c&command=a+b&stdin=true&stdout=true&tty=true HTTP/1.1\r\n"
        "Host: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n".encode()
    )
    assert await reader.readexactly(len(SWITCH) + 5) == SWITCH + b"hello"
    writer.write(b"and back")
    assert await reader.readexactly(8) == b"and back"
    (asked,) = cluster.agent.asked
    assert asked.raw_target == "/exec/default/web/c?command=sh&command=-c&command=a+b&input=1&output=1&tty=1"
    writer.close()
    await server.stop(0)


async def front(api: Api) -> HttpServer:
    """The API server on a port, where everybody is root."""

    async def handle(request: HttpRequest) -> HttpResponse:
        return await api.handle(
            Request(
                request.method, request.path, request.query, request.headers, request.body,
                remote=request.remote, raw_target=request.raw_target, in_process=True, user=ROOT,
            )
        )  # fmt: skip

    return await serve(handle, clock=CLOCK)


# ── proxies ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_proxied_request_reaches_an_endpoint_of_the_service_as_it_came(cluster: Cluster) -> None:
    behind = Agent()
    behind.answer = HttpResponse(status=418, body=b"tea", content_type="text/x-tea", headers=[("X-Pot", "small")])
    backend = await serve(behind.handle, clock=CLOCK)
    await service(cluster, backend.port)
    server = await front(cluster.api)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    path = "/api/v1/namespaces/default/services/web:http/proxy/a%2Fb/?q=%20x"
    writer.write(
        f"PUT {path} HTTP/1.1\r\nHost: x\r\nX-Mine: 1\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody".encode()
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 418 ")
    assert b"x-pot: small\r\n" in answer
    assert b"tea" in answer
    (asked,) = behind.asked
    assert (asked.method, asked.raw_target, asked.body) == ("PUT", "/a%2Fb/?q=%20x", b"body")
    assert asked.headers["x-mine"] == "1"
    assert asked.headers["x-forwarded-for"] == "127.0.0.1"
    writer.close()
    await asyncio.gather(server.stop(0), backend.stop(0))


async def service(cluster: Cluster, port: int | None) -> None:
    ports = [{"name": "http", "port": 80}]
    metadata = {"name": "web", "namespace": "default"}
    await cluster.client.create(
        "services", {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    )
    if port is not None:
        subset = {"addresses": [{"ip": "127.0.0.1"}], "ports": [{"name": "http", "port": port}]}
        made = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]}
        # as the store has it: through the API no endpoint may be on this machine itself
        await cluster.cache.write(codec.key("", "endpoints", "default", "web"), codec.encode(made))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("web:http", 'no endpoints available for service "web"'),
        ("web:80", 'no endpoints available for service "web"'),
        ("web:81", 'no service port 81 found for service "web"'),
    ],
)
async def test_a_service_without_what_is_asked_for_says_so(cluster: Cluster, name: str, complaint: str) -> None:
    await service(cluster, None)
    with pytest.raises(errors.ServiceUnavailable) as refused:
        await cluster.ask(f"/api/v1/namespaces/default/services/{name}/proxy/")
    assert refused.value.message == complaint


@pytest.mark.parametrize(
    ("text", "parts"),
    [("web", ("", "web", "")), ("web:80", ("", "web", "80")), ("https:web:", ("https", "web", ""))],
)
def test_a_proxied_name_may_carry_scheme_and_port(text: str, parts: tuple[str, str, str]) -> None:
    assert Named.parse(text) == Named(*parts)


@pytest.mark.parametrize("text", ["ftp:web:80", "a:b:c:d", "http::80"])
def test_a_proxied_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.BadRequest, match="invalid proxy request"):
        Named.parse(text)
