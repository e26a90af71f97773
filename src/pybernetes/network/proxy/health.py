"""Health checks for load balancers (spec.healthCheckNodePort): does this node have an endpoint of the Service?

Rule: 200 where it has, 503 where it has none, in the words of kube-proxy (pkg/proxy/healthcheck). Only Services of type
LoadBalancer with externalTrafficPolicy Local have such a port. A port that cannot be had is told of and tried at the
next change.
Neighbours: ``model.health_check`` says what to answer, ``loop.py`` when.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import orjson

from pybernetes.lib.clock import Clock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.network.index import Key
from pybernetes.network.proxy.model import HealthCheck

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Served:
    key: Key
    port: int
    endpoints: int
    server: HttpServer | None = None

    async def answer(self, request: HttpRequest) -> HttpResponse:
        body = {
            "service": {"namespace": self.key[0], "name": self.key[1]},
            "localEndpoints": self.endpoints,
            "serviceProxyHealthy": True,
        }
        headers = [("X-Content-Type-Options", "nosniff"), ("X-Load-Balancing-Endpoint-Weight", str(self.endpoints))]
        return HttpResponse(200 if self.endpoints else 503, orjson.dumps(body), headers=headers)


class HealthChecks:
    def __init__(self, address: str, clock: Clock) -> None:
        self._address, self._clock = address, clock
        self._served: dict[Key, _Served] = {}

    async def put(self, key: Key, check: HealthCheck | None) -> None:
        """Serve a Service's check from now on; None: no more."""
        found = self._served.get(key)
        if found is not None and (check is None or check.port != found.port or found.server is None):
            await self._end(key)
            found = None
        if check is None:
            return
        if found is None:
            found = self._served[key] = _Served(key, check.port, check.endpoints)
            await self._begin(found)
        found.endpoints = check.endpoints

    async def stop(self) -> None:
        for key in list(self._served):
            await self._end(key)

    async def _begin(self, served: _Served) -> None:
        try:
            served.server = await serve(served.answer, clock=self._clock, host=self._address, port=served.port)
        except OSError as error:
            _log.warning("the health check of %s/%s cannot have port %d: %s", *served.key, served.port, error)

    async def _end(self, key: Key) -> None:
        if (server := self._served.pop(key).server) is not None:
            await server.stop(0)
