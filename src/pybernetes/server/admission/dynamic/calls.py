"""The way to webhooks: a URL, or a service through one of its endpoints; the configuration vouches for their CA.

Rule 1: connections are kept; one that the other side has closed meanwhile costs a second attempt and no failure.
Rule 2: a service is known by the certificate of ``<name>.<namespace>.svc``, wherever its endpoint lies.
Source: apiserver/pkg/util/webhook. Neighbour: ``server/connect/proxy.py`` finds endpoints likewise.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.http.client import HttpClient, HttpError, Interrupted, TimedOut, Unreachable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.live import Live

_KEPT: Final = 128
_HTTPS_PORT: Final = 443
_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json, */*", "User-Agent": "pybernetes"}
_SAID_CHARS: Final = 1000


class NoAnswer(Exception):
    """The webhook could not be asked, or answered with no review; the text is as Go's client tells it."""


@dataclass(frozen=True, slots=True)
class _Target:
    base: str
    """``https://host[:port]`` as certificate and messages name it."""
    path: str
    address: tuple[str, int] | None
    """Where it is, if not where ``base`` says."""


class Calls:
    """Posts to the webhooks of all configurations."""

    def __init__(self, live: Live, clock: Clock) -> None:
        self._live, self._clock = live, clock
        self._clients: dict[tuple[object, ...], HttpClient] = {}
        self._turn = itertools.count()

    async def post(self, config: Obj, body: bytes, timeout_seconds: int) -> bytes:
        """The body of the answer to a POST to a ``clientConfig``. Raises NoAnswer."""
        url, target = _url(config), None
        asked = f"{url}{'&' if '?' in url else '?'}timeout={timeout_seconds}s"
        try:
            target = self._target(config, asked)
            status, _, answer = await self._ask(self._client(config, target), target.path, body, timeout_seconds)
        except (HttpError, NoAnswer) as error:
            raise NoAnswer(f'Post "{asked}": {_told(error, target)}') from error
        if status != 200:
            raise NoAnswer(_refused(status, answer))
        return answer

    async def _ask(self, client: HttpClient, path: str, body: bytes, timeout_seconds: int) -> tuple[int, object, bytes]:
        try:
            return await client.request("POST", path, _HEADERS, body, timeout_seconds)
        except Interrupted:
            return await client.request("POST", path, _HEADERS, body, timeout_seconds)

    def _target(self, config: Obj, asked: str) -> _Target:
        parts = urlsplit(asked)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        service = config.get("service")
        return _Target(f"https://{parts.netloc}", path, self._address(service) if service is not None else None)

    def _address(self, service: Obj) -> tuple[str, int]:
        """One of the service's endpoints, in turn. Raises NoAnswer."""
        name, namespace, number = service["name"], service["namespace"], service.get("port") or _HTTPS_PORT
        found = self._live.get("", "services", namespace, name)
        if found is None:
            raise NoAnswer(f'service "{name}" not found')
        spec = found.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return str(spec.get("externalName")), int(number)
        ports = [port for port in spec.get("ports") or () if port.get("port") == number]
        if not ports:
            raise NoAnswer(f'no service port {number} found for service "{name}"')
        ready = list(_endpoints(self._live.get("", "endpoints", namespace, name), ports[0].get("name") or ""))
        if not ready:
            raise NoAnswer(f'no endpoints available for service "{name}"')
        return ready[next(self._turn) % len(ready)]

    def _client(self, config: Obj, target: _Target) -> HttpClient:
        bundle = config.get("caBundle") or ""
        key = target.base, target.address, bundle
        found = self._clients.get(key)
        if found is None:
            if len(self._clients) >= _KEPT:
                self._clients.pop(next(iter(self._clients)))
            found = HttpClient(target.base, _context(bundle), self._clock, address=target.address)
            self._clients[key] = found
        return found

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        self._clients.clear()


def _url(config: Obj) -> str:
    service = config.get("service")
    if service is None:
        return str(config["url"])
    port = service.get("port") or _HTTPS_PORT
    path = (service.get("path") or "").removeprefix("/")
    return f"https://{service['name']}.{service['namespace']}.svc:{port}/{path}"


def _endpoints(endpoints: Obj | None, port_name: str) -> Iterator[tuple[str, int]]:
    for subset in objects.get(endpoints, "subsets", default=()):
        for port in subset.get("ports") or ():
            if (port.get("name") or "") == port_name:
                yield from ((address["ip"], int(port["port"])) for address in subset.get("addresses") or ())


def _context(bundle: str) -> ssl.SSLContext:
    """Raises NoAnswer."""
    try:
        return tls.client_context(base64.b64decode(bundle) if bundle else None)
    except (tls.TlsError, binascii.Error) as error:
        raise NoAnswer(f"unable to load root certificates: {error}") from error


def _told(error: Exception, target: _Target | None) -> str:
    """Why there is no answer, in the words of Go's client where it has some."""
    if isinstance(error, TimedOut):
        return "context deadline exceeded"
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_verdict(cause)}"
    if isinstance(error, Unreachable) and isinstance(cause, OSError) and cause.errno and cause.errno > 0 and target:
        parts = urlsplit(target.base)
        host, port = target.address or (parts.hostname, parts.port or _HTTPS_PORT)
        return f"dial tcp {host}:{port}: connect: {os.strerror(cause.errno).lower()}"
    return "EOF" if isinstance(error, Interrupted) else str(error)


def _verdict(error: ssl.SSLCertVerificationError) -> str:
    message = str(error.verify_message)
    is_unknown = "self-signed" in message or "self signed" in message or "unable to get local issuer" in message
    return "certificate signed by unknown authority" if is_unknown else message


def _refused(status: int, answer: bytes) -> str:
    """What Go's client makes of an answer that is no success."""
    if status == 404:
        return "the server could not find the requested resource"
    said = answer[:_SAID_CHARS].decode(errors="replace").strip()
    if status >= 500:
        return f'an error on the server ("{said or "unknown"}") has prevented the request from succeeding'
    return said or "the server rejected our request for an unknown reason"
