"""The way to the nodes' agents: address, TLS with our own client certificate, one pool of connections a node.

Rule: a node is reached at its InternalIP and the port that its status tells. On a simulated node nobody listens, which
is said rather than tried.
"""

from __future__ import annotations

import os
import ssl
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.lib.http.client import HttpClient, HttpError, Stream
from pybernetes.lib.http.splice import Backend
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.live import Live

SIMULATED: Final = "pybernetes.io/simulated"
"""Label of nodes on which nothing runs."""
_PORT: Final = 10250
_PREFERRED: Final = ("InternalIP", "ExternalIP", "Hostname")
_TOLD_BYTES: Final = 50_000


class Kubelets:
    """``tls``: trusts the cluster's CA and shows the certificate that the agents let in."""

    def __init__(self, live: Live, tls: ssl.SSLContext | None, clock: Clock) -> None:
        self._live, self._tls, self._clock = live, tls, clock
        self._clients: dict[str, HttpClient] = {}

    def backend(self, name: str) -> Backend:
        """Where the agent of a node listens. Raises NotFound, BadRequest and ServiceUnavailable."""
        node = self._live.get("", "nodes", "", name)
        if node is None:
            raise errors.not_found("", "nodes", name)
        self.check_real(name)
        port = objects.get(node, "status", "daemonEndpoints", "kubeletEndpoint", "Port", default=0) or _PORT
        return Backend(_address(node), int(port), self._tls)

    def check_real(self, name: str) -> None:
        """Raises BadRequest for a node on which nothing runs, whose pods' addresses are nobody's."""
        if objects.labels(self._live.get("", "nodes", "", name) or {}).get(SIMULATED) == "true":
            raise errors.BadRequest(f'node "{name}" is simulated: nothing runs there that could be reached')

    async def get(self, node: str, target: str) -> Stream:
        """Ask a node's agent. A refusal is raised as the ApiError that upstream makes of it."""
        backend = self.backend(node)
        client = self._clients.get(str(backend))
        if client is None:
            client = self._clients[str(backend)] = HttpClient(f"https://{backend}", self._tls, self._clock)
        try:
            stream = await client.stream("GET", target)
            if stream.status < 300:
                return stream
            said = (await stream.read())[:_TOLD_BYTES].decode(errors="replace")
        except HttpError as error:
            raise internal(f'Get "https://{backend}{target}": {dialled(error, backend)}') from error
        raise refused(stream.status, said)


def refused(status: int, said: str) -> errors.ApiError:
    """An agent's refusal as a Status (registry/rest/response_checker.go)."""
    if status == 400:
        return errors.BadRequest(said)
    if status == 500:
        return internal(said)
    return errors.from_status({"message": said}, status)


def internal(said: str) -> errors.InternalError:
    return errors.InternalError(f"Internal error occurred: {said}")


def dialled(error: HttpError, backend: Backend) -> str:
    """Why there was no answer, as Go's dialler tells it where it knows a word for it."""
    cause = error.__cause__
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno and cause.errno > 0:
        return f"dial tcp {backend}: connect: {os.strerror(cause.errno).lower()}"
    return str(error)


def _address(node: Obj) -> str:
    found = {a.get("type"): a.get("address") for a in objects.get(node, "status", "addresses", default=[])}
    for kind in _PREFERRED:
        if found.get(kind):
            return str(found[kind])
    raise errors.ServiceUnavailable(f"no preferred addresses found; known addresses: {sorted(map(str, found))}")
