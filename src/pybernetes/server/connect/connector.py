"""Every subresource that leads behind the API server, and who answers it.

Neighbours: ``registry/dispatch.py`` sends them here (``registry.context.Connect``).
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson

from pybernetes.kinds.kind import Kind
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.connect.kubelets import Kubelets
from pybernetes.server.connect.pods import Pods
from pybernetes.server.connect.proxy import Proxy
from pybernetes.server.context import Request, Response
from pybernetes.server.live import Live
from pybernetes.storage.watchcache import WatchCache

_Answer: TypeAlias = Callable[[Request], Awaitable[Response]]


class Connector:
    """``kubelet_tls``: for the nodes' agents, with the certificate that they let in (``tls.client_context``)."""

    def __init__(self, cache: WatchCache, kubelet_tls: ssl.SSLContext | None, clock: Clock) -> None:
        live = Live(cache)
        kubelets = self._kubelets = Kubelets(live, kubelet_tls, clock)
        pods, proxy = Pods(live, kubelets, clock), Proxy(live, kubelets, clock)
        self._answers: Mapping[str, _Answer] = {
            "pods/log": pods.log,
            "pods/exec": pods.execute,
            "pods/attach": pods.attach,
            "pods/portforward": pods.port_forward,
            "pods/proxy": proxy.pod,
            "services/proxy": proxy.service,
            "nodes/proxy": proxy.node,
        }

    async def stats(self, node: str) -> Obj:
        """What a node's agent tells at ``/stats/summary``. Raises ApiError."""
        stream = await self._kubelets.get(node, "/stats/summary")
        told: Obj = orjson.loads(await stream.read())
        return told

    async def __call__(self, request: Request, kind: Kind) -> Response:
        """See ``registry.context.Connect``."""
        assert request.info is not None
        answer = self._answers.get(f"{kind.resource}/{request.info.subresource}")
        if answer is None:
            raise errors.NotFound("the server could not find the requested resource")
        return await answer(request)
