"""A node's own API, as the kubelet has it on port 10250: what the API server asks for logs, exec and the like.

Rule: whoever shows no certificate is asked for one (401); whoever shows one that ``allowed`` does not know is turned
away (403). Answers are plain text but for the lists; the API server makes a Status of a refusal.
Neighbours: ``streams.py`` (exec, attach, port-forward), ``server_logs.py`` and ``logs.py``, ``server_stats.py``.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import orjson

from pybernetes.control.cache import Cache
from pybernetes.lib import metrics
from pybernetes.lib.clock import Clock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import logs, podspec, server_access, server_logs, server_stats, streams
from pybernetes.node.config import KUBELET_PORT
from pybernetes.node.logs_watch import Watcher
from pybernetes.node.runtime.port import Runtime, RuntimeFailure
from pybernetes.node.streams import StreamRefused, Streams

_TEXT: Final = "text/plain; charset=utf-8"
_Handle: TypeAlias = "Callable[[NodeServer, HttpRequest, list[str]], Awaitable[HttpResponse]]"


class _Refused(Exception):
    """An answer that says no; ``status`` is its HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class NodeServer:
    """``pods`` is the cache of this node's pods; ``allowed`` judges a client's certificate (DER)."""

    def __init__(
        self, node: str, pods: Cache, runtime: Runtime, clock: Clock, *,
        allowed: Callable[[bytes], bool] = server_access.is_master, measured: metrics.Metrics | None = None,
    ) -> None:  # fmt: skip
        self.node, self.pods, self.runtime, self.clock = node, pods, runtime, clock
        self.streams = Streams(runtime, clock)
        self.watcher = Watcher()
        self.metrics = measured or metrics.Metrics()
        self._allowed = allowed
        self._server: HttpServer | None = None

    async def start(self, ssl_context: ssl.SSLContext, host: str = "0.0.0.0", port: int = KUBELET_PORT) -> int:
        """Listen; the port. The context asks for client certificates (``tls.server_context`` with ``client_ca``).
        Raises OSError."""
        self._server = await serve(self.handle, clock=self.clock, host=host, port=port, ssl_context=ssl_context)
        return self._server.port

    async def stop(self) -> None:
        """Listen no more and cut what is open."""
        if self._server is not None:
            await self._server.stop(0.5)

    async def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        if request.peer_certificate is None:
            return text(401, "Unauthorized")
        if not self._allowed(request.peer_certificate):
            return text(403, "Forbidden: this certificate may not use the node's API")
        first, *rest = request.path.strip("/").split("/")
        lengths, handle = _ROUTES.get(first, ((), _healthz))
        if len(rest) not in lengths:
            return text(404, "404 page not found")
        try:
            return await handle(self, request, rest)
        except (_Refused, StreamRefused) as refused:
            return text(refused.status, str(refused))
        except RuntimeFailure as failure:
            return text(streams.told(failure).status, failure.description)

    def pod(self, parts: Sequence[str]) -> Obj:
        """The pod that a path's first two parts (and its uid, if there are four) name. Raises _Refused."""
        found = self.pods.get(parts[0], parts[1])
        if found is None or (len(parts) == 4 and objects.uid(found) != parts[2]):
            raise _Refused(404, "pod does not exist")
        return found

    async def is_alive(self, container: str) -> bool:
        """Does the container still write a log?"""
        try:
            return (await self.runtime.container(container)).state in ("created", "running")
        except RuntimeFailure:
            return False


def text(status: int, said: str) -> HttpResponse:
    return HttpResponse(status=status, body=said.encode(), content_type=_TEXT)


# ── what is answered ─────────────────────────────────────────────────────────────────────────────────────


async def _healthz(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    return text(200, "ok")


async def _pods(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    items = list(server.pods.list())
    return HttpResponse(body=orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}))


async def _metrics(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    return HttpResponse(body=server.metrics.render(), content_type=metrics.CONTENT_TYPE)


async def _stats(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    rows = await server.runtime.stats()
    return HttpResponse(
        body=orjson.dumps(server_stats.summary(server.node, server.pods.list(), rows, server.clock.time()))
    )


async def _logs(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    pod, name = server.pod(parts), parts[-1]
    if podspec.container(pod, name) is None:
        raise _Refused(404, f'container "{name}" not found in pod "{objects.name(pod)}"')
    try:
        options = server_logs.options(request.query, server.clock.time())
        container = server_logs.container_id(pod, name, previous=request.flag("previous"))
    except (ValueError, server_logs.NoLog) as error:
        raise _Refused(400, str(error)) from error
    path = Path((await server.runtime.container(container)).log_path)
    if not path.is_file():
        raise _Refused(500, f"failed to try resolving symlinks in path {str(path)!r}: no such file or directory")
    pieces = logs.read(
        path, options, watcher=server.watcher, alive=partial(server.is_alive, container), clock=server.clock
    )
    return HttpResponse(stream=pieces, content_type="text/plain")


async def _exec(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    return await server.streams.execute(request, server.pod(parts), parts[-1])


async def _attach(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    return await server.streams.attach(request, server.pod(parts), parts[-1])


async def _port_forward(server: NodeServer, request: HttpRequest, parts: list[str]) -> HttpResponse:
    return await server.streams.port_forward(request, server.pod(parts[:2]))


_ROUTES: Final[Mapping[str, tuple[tuple[int, ...], _Handle]]] = {
    "healthz": ((0,), _healthz),
    "pods": ((0,), _pods),
    "metrics": ((0,), _metrics),
    "stats": ((0, 1), _stats),
    "containerLogs": ((3,), _logs),
    "exec": ((3, 4), _exec),
    "attach": ((3, 4), _attach),
    "portForward": ((2, 3), _port_forward),
}
"""First part of the path → how many parts follow (namespace, pod, uid where there are four, container), and who."""
