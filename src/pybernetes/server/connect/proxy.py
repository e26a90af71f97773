"""nodes/proxy, pods/proxy and services/proxy: an HTTP request handed on to what stands behind the object.

Rule: a name may say more than the name (``https:web:8443``). Bodies are passed as they come and nothing in them is
rewritten; an upgrade is joined raw. What cannot be reached is 503 in upstream's words.
"""

from __future__ import annotations

import ipaddress
import itertools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.lib.http import splice
from pybernetes.lib.http.client import HttpClient, HttpError, Stream
from pybernetes.lib.http.splice import Backend, SpliceError
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.connect import passing
from pybernetes.server.connect.kubelets import Kubelets, dialled
from pybernetes.server.context import Request, Response
from pybernetes.server.live import Live

_KEPT_BACK: Final = frozenset((
    "authorization", "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te",
    "trailer", "transfer-encoding", "upgrade",
))  # fmt: skip
"""Headers that are meant for us, or that hold for one connection only."""
_REACH: Final = "error trying to reach service: "


@dataclass(frozen=True, slots=True)
class Named:
    """A name with what stands around it."""

    scheme: str
    name: str
    port: str

    @classmethod
    def parse(cls, text: str) -> Named:
        """``name``, ``name:port``, ``scheme:name:port`` (utilnet.SplitSchemeNamePort). Raises BadRequest."""
        parts = text.split(":")
        if len(parts) == 1:
            parts = ["", text, ""]
        elif len(parts) == 2:
            parts = ["", *parts]
        if len(parts) != 3 or parts[0] not in ("", "http", "https") or not parts[1]:
            raise errors.BadRequest(f'invalid proxy request "{text}"')
        return cls(*parts)


class Proxy:
    def __init__(self, live: Live, kubelets: Kubelets, clock: Clock) -> None:
        self._live, self._kubelets, self._clock = live, kubelets, clock
        self._turn = itertools.count()

    async def node(self, request: Request) -> Response:
        """To the API of a node's agent."""
        assert request.info is not None
        return await self._pass(request, self._kubelets.backend(Named.parse(request.info.name).name))

    async def pod(self, request: Request) -> Response:
        """To a port of a pod: the one that is named, else its first."""
        assert request.info is not None
        named = Named.parse(request.info.name)
        pod = self._live.get("", "pods", request.info.namespace, named.name)
        if pod is None:
            raise errors.not_found("", "pods", named.name)
        self._kubelets.check_real(objects.get(pod, "spec", "nodeName", default=""))
        return await self._pass(request, _backend(named, _proxyable(pod), int(named.port or _first_port(pod))))

    async def service(self, request: Request) -> Response:
        """To one of the ready endpoints of a service, in turn."""
        assert request.info is not None
        named, namespace = Named.parse(request.info.name), request.info.namespace
        service = self._live.get("", "services", namespace, named.name)
        if service is None:
            raise errors.not_found("", "services", named.name)
        endpoints = self._live.get("", "endpoints", namespace, named.name)
        found = _endpoints(endpoints, _port_name(service, named))
        if not found:
            raise errors.ServiceUnavailable(f'no endpoints available for service "{named.name}"')
        address, port, node = found[next(self._turn) % len(found)]
        self._kubelets.check_real(node)
        return await self._pass(request, _backend(named, address, port))

    async def _pass(self, request: Request, backend: Backend) -> Response:
        target = tail(request)
        if not target.startswith("/"):
            return _redirect(request)
        if splice.wants_upgrade(request):
            try:
                return passing.whole(await splice.splice(request, target, backend, self._clock))
            except SpliceError as error:
                raise errors.ServiceUnavailable(f"{_REACH}{error}") from error
        return passing.streamed(await self._ask(request, target, backend))

    async def _ask(self, request: Request, target: str, backend: Backend) -> Stream:
        scheme = "http" if backend.ssl_context is None else "https"
        client = HttpClient(f"{scheme}://{backend}", backend.ssl_context, self._clock)
        headers = {name: value for name, value in request.headers.items() if name not in _KEPT_BACK}
        headers |= {"connection": "close", "x-forwarded-for": request.remote.rpartition(":")[0]}
        try:
            return await client.stream(request.method, target, headers, request.body)
        except HttpError as error:
            raise errors.ServiceUnavailable(f"{_REACH}{dialled(error, backend)}") from error


def tail(request: Request) -> str:
    """What is asked of the backend, quoted as it came; without a slash at its begin where ``/proxy`` was the end."""
    assert request.info is not None
    path, mark, query = request.raw_target.partition("?")
    steps = 7 if request.info.namespace else 5
    rest = path.split("/", steps + 1)[steps + 1 :]
    return (f"/{rest[0]}" if rest else "") + mark + query


def _redirect(request: Request) -> Response:
    """Relative links of a page need the slash behind ``/proxy``."""
    path, mark, query = request.raw_target.partition("?")
    return Response(301, content_type="text/plain", headers=[("Location", f"{path}/{mark}{query}")])


def _backend(named: Named, address: str, port: int) -> Backend:
    return Backend(address, port, _unverified() if named.scheme == "https" else None)


def _unverified() -> ssl.SSLContext:
    """Nobody knows the CA of what runs in a pod."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _proxyable(pod: Obj) -> str:
    """The pod's address, unless it would lead to this machine itself (proxyutil.IsProxyableIP)."""
    address = objects.get(pod, "status", "podIP", default="")
    if not address:
        raise errors.BadRequest("address not allowed")
    parsed = ipaddress.ip_address(address)
    if parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified or parsed.is_multicast:
        raise errors.BadRequest("address not allowed")
    return str(address)


def _first_port(pod: Obj) -> int:
    ports = [p for c in objects.get(pod, "spec", "containers", default=[]) for p in c.get("ports") or ()]
    return int(ports[0]["containerPort"]) if ports else 80


def _port_name(service: Obj, named: Named) -> str:
    """The name of a service's port that is asked for by name or number."""
    if not named.port.isdigit():
        return named.port
    for port in objects.get(service, "spec", "ports", default=[]):
        if port["port"] == int(named.port):
            return str(port.get("name") or "")
    raise errors.ServiceUnavailable(f'no service port {named.port} found for service "{named.name}"')


def _endpoints(endpoints: Obj | None, port_name: str) -> list[tuple[str, int, str]]:
    """(address, port, node) of every ready endpoint of a port."""
    subsets: list[Mapping[str, list[Obj]]] = objects.get(endpoints, "subsets", default=[])
    return [
        (address["ip"], int(port["port"]), address.get("nodeName") or "")
        for subset in subsets
        for port in subset.get("ports") or ()
        if (port.get("name") or "") == port_name
        for address in subset.get("addresses") or ()
    ]
