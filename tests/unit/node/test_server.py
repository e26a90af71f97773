"""The node's own API: who may ask, and which container's log is meant."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pybernetes.cluster import pki
from pybernetes.control.cache import Cache
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest
from pybernetes.meta.objects import Obj
from pybernetes.node import server_logs
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.node.server import NodeServer
from pybernetes.node.server_logs import NoLog

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Certificates in DER by the names of their files."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    files = pki.Pki(tmp_path_factory.mktemp("pki"), time.time())
    leaves = [pki.KUBELET_CLIENT, pki.kubelet("node-1", [])]
    files.ensure(leaves)
    return {
        leaf.file: x509.load_pem_x509_certificate(files.certificate(leaf).read_bytes()).public_bytes(Encoding.DER)
        for leaf in leaves
    }


def server(*pods: Obj) -> NodeServer:
    cache = Cache()
    for found in pods:
        cache.put(found)
    return NodeServer("node-1", cache, MemoryRuntime(SystemClock()), SystemClock())


def pod(**status: Any) -> Obj:
    return {
        "metadata": {"name": "web", "namespace": "ns", "uid": "u"},
        "spec": {"containers": [{"name": "c"}, {"name": "d"}]},
        "status": {"containerStatuses": [{"name": "c", **status}]} if status else {},
    }


async def test_without_a_certificate_nothing_is_answered(certificates: dict[str, bytes]) -> None:
    assert (await server().handle(HttpRequest("GET", "/healthz"))).status == 401


async def test_a_node_may_not_use_the_api_of_another_and_the_api_server_may(certificates: dict[str, bytes]) -> None:
    theirs = HttpRequest("GET", "/healthz", peer_certificate=certificates["kubelet-node-1"])
    ours = HttpRequest("GET", "/healthz", peer_certificate=certificates["apiserver-kubelet-client"])
    assert (await server().handle(theirs)).status == 403
    assert (await server().handle(ours)).body == b"ok"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/containerLogs/ns/web/c", 400, 'container "c" in pod "web" is waiting to start: ContainerCreating'),
        ("/containerLogs/ns/web/d", 400, 'container "d" in pod "web" is not available'),
        ("/containerLogs/ns/web/x", 404, 'container "x" not found in pod "web"'),
        ("/containerLogs/ns/web/c?tailLines=few", 400, "tailLines: 'few' is not what it should be"),
        ("/containerLogs/ns/other/c", 404, "pod does not exist"),
        ("/exec/ns/web/c", 500, 'container not found ("c")'),
        ("/exec/ns/web/not-the-uid/c", 404, "pod does not exist"),
        ("/exec/ns", 404, "404 page not found"),
        ("/other", 404, "404 page not found"),
    ],
)
async def test_what_cannot_be_had_is_told_in_the_kubelets_words(
    certificates: dict[str, bytes], path: str, status: int, said: str
) -> None:
    waiting = pod(state={"waiting": {"reason": "ContainerCreating"}})
    base, _, query = path.partition("?")
    name, _, value = query.partition("=")
    asked = HttpRequest(
        "GET", base, {name: [value]} if name else {}, peer_certificate=certificates["apiserver-kubelet-client"]
    )
    answer = await server(waiting).handle(asked)
    assert (answer.status, answer.body.decode()) == (status, said)


RUNS, ENDED = {"running": {}}, {"terminated": {"containerID": "containerd://old"}}


@pytest.mark.parametrize(
    ("status", "previous", "expected"),
    [
        ({"state": RUNS, "containerID": "containerd://new"}, False, "new"),
        ({"state": RUNS, "containerID": "containerd://new", "lastState": ENDED}, True, "old"),
        ({"state": ENDED, "containerID": "containerd://old"}, False, "old"),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED}, False, "old"),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ENDED}, True, "old"),
    ],
)
def test_the_status_says_whose_log_is_meant(status: Obj, previous: bool, expected: str) -> None:
    assert server_logs.container_id(pod(**status), "c", previous=previous) == expected


@pytest.mark.parametrize(
    ("state", "previous", "why"),
    [
        (RUNS, True, 'previous terminated container "c" in pod "web" not found'),
        ({"waiting": {"reason": "ErrImagePull"}}, False, "is waiting to start: image can't be pulled"),
        ({"waiting": {"reason": "ImagePullBackOff"}}, False, "is waiting to start: trying and failing to pull image"),
        ({"terminated": {}}, False, 'container "c" in pod "web" is terminated'),
    ],
)
def test_where_there_is_no_log_it_is_told_why(state: Obj, previous: bool, why: str) -> None:
    with pytest.raises(NoLog) as refused:
        server_logs.container_id(pod(state=state), "c", previous=previous)
    assert why in str(refused.value)


def test_a_query_becomes_options() -> None:
    asked = server_logs.options(
        {"follow": ["true"], "tailLines": ["3"], "sinceSeconds": ["60"], "timestamps": ["0"], "stream": ["Stderr"]}, NOW
    )
    assert (asked.follow, asked.tail_lines, asked.since, asked.timestamps) == (True, 3, NOW - 60, False)
    assert asked.stream == "stderr"
    assert server_logs.options({"sinceTime": ["2023-11-14T22:13:20Z"]}, 0).since == NOW
