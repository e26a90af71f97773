"""exec, attach and port-forward: the runtime says where its streaming server waits, and the client is joined to it.

Rule: nothing of SPDY or WebSocket is understood here. Which protocol is spoken is between client and runtime; the
answer to the upgrade, a refusal too, is passed on as it is.
Neighbours: ``lib/http/splice.py`` joins, ``server.py`` has the paths, the API server does the same one step before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pybernetes.lib.clock import Clock
from pybernetes.lib.http import splice
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.splice import Backend, SpliceError
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, static
from pybernetes.node.runtime.port import Container, Runtime, RuntimeFailure

_STREAMS: Final = {"stdin": "input", "stdout": "output", "stderr": "error"}
"""The runtime's names of streams, and the kubelet's in a query."""
_CODES: Final = {"InvalidArgument": 400, "NotFound": 404, "ResourceExhausted": 429}


class StreamRefused(Exception):
    """No stream; ``status`` is the HTTP code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Streams:
    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock

    async def execute(self, request: HttpRequest, pod: Obj, name: str) -> HttpResponse:
        """``/exec``: run ``command`` in a running container. Raises StreamRefused and RuntimeFailure."""
        container = await self._running(pod, name)
        url = await self._runtime.exec_url(
            container.id, request.query.get("command", ()), tty=request.flag("tty"), streams=_streams(request)
        )
        return await self._join(request, url)

    async def attach(self, request: HttpRequest, pod: Obj, name: str) -> HttpResponse:
        """``/attach``: to a container's first process. Raises StreamRefused and RuntimeFailure."""
        container = await self._running(pod, name)
        tty = bool((podspec.container(pod, name) or {}).get("tty"))
        streams = {**_streams(request), **({"stderr": False} if tty else {})}
        return await self._join(request, await self._runtime.attach_url(container.id, tty=tty, streams=streams))

    async def port_forward(self, request: HttpRequest, pod: Obj) -> HttpResponse:
        """``/portForward``: into the pod's network. Raises StreamRefused and RuntimeFailure."""
        ready = [s for s in await self._runtime.sandboxes(static.runtime_uid(pod)) if s.ready]
        if not ready:
            raise StreamRefused(500, f'sandbox of pod "{podspec.reference(pod)}" is not running')
        ports = [int(p) for text in request.query.get("port", ()) for p in text.split(",") if p.isdigit()]
        newest = max(ready, key=lambda sandbox: sandbox.attempt)
        return await self._join(request, await self._runtime.port_forward_url(newest.id, ports))

    async def _running(self, pod: Obj, name: str) -> Container:
        found = [
            c
            for c in await self._runtime.containers(static.runtime_uid(pod))
            if c.name == name and c.state == "running"
        ]
        if not found:
            raise StreamRefused(500, f'container not found ("{name}")')
        return max(found, key=lambda container: container.attempt)

    async def _join(self, request: HttpRequest, url: str) -> HttpResponse:
        if not splice.wants_upgrade(request):
            raise StreamRefused(400, "Upgrade request required")
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        backend = Backend(parts.hostname or "127.0.0.1", parts.port or 80)
        try:
            return await splice.splice(request, target, backend, self._clock)
        except SpliceError as error:
            raise StreamRefused(502, f"error dialing backend: {error}") from error


def _streams(request: HttpRequest) -> Mapping[str, bool]:
    """With a terminal there is no stderr of its own."""
    asked = {ours: request.flag(theirs) for ours, theirs in _STREAMS.items()}
    return asked | {"stderr": False} if request.flag("tty") else asked


def told(failure: RuntimeFailure) -> StreamRefused:
    """A runtime's refusal as the kubelet answers it."""
    return StreamRefused(_CODES.get(failure.code, 500), failure.description)
