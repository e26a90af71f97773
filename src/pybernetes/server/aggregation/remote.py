"""One server behind this one: the way to it, and what it has told of itself.

Neighbours: ``remotes.py`` keeps one of these for each APIService that names a service; ``proxy.py`` asks through it.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.http.client import HttpClient, HttpError
from pybernetes.lib.http.splice import Backend
from pybernetes.meta.objects import Obj
from pybernetes.server.aggregation import endpoint
from pybernetes.server.aggregation.endpoint import Address, Reference, Unavailable
from pybernetes.server.live import Live

CHECK_SECONDS: Final = 5.0
USER: Final = {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"}
"""As whom this server asks what it wants to know itself (upstream's discovery manager)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The certificate by which servers behind this one know that it is this one who names users to them."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a server tells of a group and version: documents, each empty where it has none."""

    resources: Sequence[Obj] = ()
    v3: bytes = b""
    v2: Mapping[str, Any] = field(default_factory=dict)


class Remote:
    """Made anew when the APIService's spec changes."""

    def __init__(self, api_service: Obj, live: Live, identity: Identity | None, clock: Clock) -> None:
        self.spec: Obj = api_service["spec"]
        self.group, self.version = str(self.spec.get("group") or ""), str(self.spec["version"])
        self.reference = Reference.of(api_service)
        self.told: Told | None = None
        """None: it cannot be reached now, or has not been yet."""
        self._live, self._identity, self._clock = live, identity, clock
        self._context: ssl.SSLContext | None = None
        self._clients: dict[Address, HttpClient] = {}
        self._turn = itertools.count()

    @property
    def path(self) -> str:
        return f"/apis/{self.group}/{self.version}"

    def address(self) -> Address:
        """One of its endpoints, in turn. Raises Unavailable."""
        ref = self.reference
        service = self._live.get("", "services", ref.namespace, ref.name)
        found = endpoint.addresses(ref, service, self._live.get("", "endpoints", ref.namespace, ref.name))
        return found[next(self._turn) % len(found)]

    def backend(self) -> Backend:
        """For a splice. Raises Unavailable."""
        return Backend(*self.address(), self._tls(), self.reference.host)

    def client(self) -> HttpClient:
        """To one of its endpoints. Raises Unavailable."""
        address = self.address()
        found = self._clients.get(address)
        if found is None:
            base = f"https://{self.reference.host}:{self.reference.port}"
            found = self._clients[address] = HttpClient(base, self._tls(), self._clock, address=address)
        return found

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            bundle, mine = self.spec.get("caBundle") or "", self._identity
            try:
                self._context = tls.client_context(
                    base64.b64decode(bundle) if bundle else None,
                    mine.certificate if mine is not None else None, mine.key if mine is not None else None,
                    verify=not self.spec.get("insecureSkipTLSVerify"),
                )  # fmt: skip
            except (tls.TlsError, binascii.Error) as error:
                raise Unavailable("FailedDiscoveryCheck", f"unable to load root certificates: {error}") from error
        return self._context

    async def look(self) -> None:
        """Find out what it tells of itself now. Raises Unavailable."""
        client = self.client()
        resources = await self._resources(client)
        v3, v2 = await self._document(client, f"/openapi/v3{self.path}"), await self._document(client, "/openapi/v2")
        self.told = Told(resources, v3, _object(v2))

    async def _resources(self, client: HttpClient) -> Sequence[Obj]:
        url = f"{client.base_url}{self.path}"
        try:
            status, _, body = await client.request("GET", self.path, _asking(), timeout_seconds=CHECK_SECONDS)
        except HttpError as error:
            raise _failed(url, str(error)) from error
        if not 200 <= status < 300:
            raise _failed(url, f"bad status from {url}: {status}")
        return tuple(r for r in _object(body).get("resources") or () if isinstance(r, dict) and r.get("name"))

    async def _document(self, client: HttpClient, path: str) -> bytes:
        """A server need not describe itself: what fails here is nothing that it must have."""
        try:
            status, _, body = await client.request("GET", path, _asking(), timeout_seconds=CHECK_SECONDS)
        except HttpError:
            return b""
        return body if status == 200 else b""

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()


def _asking() -> dict[str, str]:
    return {"Accept": "application/json", "User-Agent": "pybernetes", **USER}


def _failed(url: str, why: str) -> Unavailable:
    return Unavailable("FailedDiscoveryCheck", f"failing or missing response from {url}: {why}")


def _object(body: bytes) -> Obj:
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return {}  # it answers, if with nothing that can be merged
    return found if isinstance(found, dict) else {}
