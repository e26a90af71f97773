"""The API over TLS against a server on a loopback port."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pybernetes.client import http, kubeconfig
from pybernetes.client.client import Client
from pybernetes.cluster import pki
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve
from pybernetes.meta import errors


class Api:
    """Answers with what a test puts into ``answers``, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []
        self.answers: list[HttpResponse] = []

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        return self.answers.pop(0)


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
async def client(api: Api, tmp_path: Path) -> AsyncIterator[Client]:
    files = pki.Pki(tmp_path, time.time())
    leaf = pki.apiserver(["127.0.0.1"])
    files.ensure([leaf, pki.ADMIN])
    context = tls.server_context(files.certificate(leaf), files.key(leaf), files.certificate("ca"))
    server = await serve(api, clock=SystemClock(), ssl_context=context)
    entry = kubeconfig.Kubeconfig.with_certificate(
        cluster="c", user="u", server=f"https://127.0.0.1:{server.port}", ca=files.certificate("ca").read_bytes(),
        certificate=files.certificate(pki.ADMIN).read_bytes(), key=files.key(pki.ADMIN).read_bytes(),
    )  # fmt: skip
    kubeconfig.write(tmp_path / "config", entry)
    made = http.from_kubeconfig(tmp_path / "config", SystemClock(), table.builtin())
    yield made
    await made.close()
    await server.stop(0.1)


def answer(obj: object, status: int = 200) -> HttpResponse:
    return HttpResponse(status=status, body=json.dumps(obj).encode())


async def test_a_create_sends_json_with_the_certificate(api: Api, client: Client) -> None:
    pod = {"metadata": {"name": "a", "namespace": "ns"}}
    api.answers.append(answer({"kind": "Pod"}, 201))
    assert await client.create("pods", pod) == {"kind": "Pod"}
    (asked,) = api.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/namespaces/ns/pods")
    assert asked.param("fieldManager") == "pybernetes"
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == pod
    assert asked.peer_certificate


async def test_odd_names_and_selectors_survive_the_target(api: Api, client: Client) -> None:
    api.answers += [answer({"items": []}), answer({})]
    await client.list("pods", labels="a in (b,c),d!=e f", fields="metadata.name=x&y")
    await client.get("clusterroles.rbac.authorization.k8s.io", "system:a b/?#%")
    assert api.asked[0].param("labelSelector") == "a in (b,c),d!=e f"
    assert api.asked[0].param("fieldSelector") == "metadata.name=x&y"
    assert api.asked[1].path.endswith("/clusterroles/system:a b/?#%")


async def test_a_status_becomes_its_error(api: Api, client: Client) -> None:
    api.answers.append(answer(errors.conflict("", "pods", "a", errors.MODIFIED).status(), 409))
    with pytest.raises(errors.Conflict, match='Operation cannot be fulfilled on pods "a"'):
        await client.get("pods", "a", "ns")


async def test_a_refusal_in_plain_text_keeps_code_and_words(api: Api, client: Client) -> None:
    refused = HttpResponse(status=429, body=b"slow down\n", content_type="text/plain", headers=[("Retry-After", "3")])
    api.answers.append(refused)
    with pytest.raises(errors.TooManyRequests, match="slow down") as caught:
        await client.get("pods", "a", "ns")
    assert caught.value.retry_after_seconds == 3


async def test_text_comes_as_text(api: Api, client: Client) -> None:
    api.answers.append(HttpResponse(body=b"ok", content_type="text/plain"))
    assert await client.transport.request("GET", "/readyz") == "ok"


async def test_a_watch_gives_what_came_together_as_a_batch_and_then_the_error(api: Api, client: Client) -> None:
    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def chunks() -> AsyncIterator[bytes]:
        while data := await said.get():
            yield data

    api.answers.append(HttpResponse(stream=chunks()))
    watch = client.watch("pods", resource_version="7")
    said.put_nowait(event("ADDED", {"n": 1}) + event("MODIFIED", {"n": 2}) + b'{"type":')
    assert await anext(watch) == [("ADDED", {"n": 1}), ("MODIFIED", {"n": 2})]
    said.put_nowait(b'"DELETED","object":{"n":3}}\n' + event("ERROR", errors.Expired("too old").status()))
    assert await anext(watch) == [("DELETED", {"n": 3})]
    with pytest.raises(errors.Expired, match="too old"):
        await anext(watch)
    assert (api.asked[0].param("watch"), api.asked[0].param("resourceVersion")) == ("1", "7")


async def test_a_watch_ends_when_the_server_ends_it(api: Api, client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield event("ADDED", {})

    api.answers.append(HttpResponse(stream=chunks()))
    assert [b async for b in client.watch("pods", resource_version="7")] == [[("ADDED", {})]]


async def test_a_refused_watch_raises(api: Api, client: Client) -> None:
    api.answers.append(answer(errors.Forbidden("no").status(), 403))
    with pytest.raises(errors.Forbidden):
        await anext(client.watch("pods", resource_version="7"))


async def test_an_unreachable_server_is_named() -> None:
    transport = http.connect(kubeconfig.Access("http://127.0.0.1:1"), SystemClock())
    with pytest.raises(errors.ServiceUnavailable, match=r"http://127\.0\.0\.1:1 cannot be reached: Connection refused"):
        await transport.request("GET", "/")


async def test_a_server_that_is_no_url_is_told() -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match="'somewhere' is no http or https URL; it looks like"):
        http.connect(kubeconfig.Access("somewhere"), SystemClock())


def event(kind: str, obj: object) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"
