"""The API server as one object: what it is made of, and how requests come in.

Rule: composition only. ``handle`` is the chain for everybody; ``serve`` is its door for HTTP, ``client`` the door for
components in this process.
Neighbours: ``chain.py`` (the path), ``registry/dispatch.py`` (resources), ``cluster/control_plane.py`` (the builder).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import orjson

from pybernetes.client.client import Client
from pybernetes.kinds import schemas
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.metrics import Metrics
from pybernetes.meta import errors
from pybernetes.meta.schema import Schemas
from pybernetes.server import chain, discovery, health, inprocess, openapi, refusal
from pybernetes.server.admission.plugin import World
from pybernetes.server.admission.table import Admission
from pybernetes.server.aggregation import proxy
from pybernetes.server.aggregation.remote import Identity
from pybernetes.server.aggregation.remotes import Remotes
from pybernetes.server.audit import AuditIds
from pybernetes.server.auditing.policy import Policy
from pybernetes.server.auditing.trail import Sink, Trail
from pybernetes.server.authn import issuer, jwt, oidc
from pybernetes.server.authn.bootstraptokens import BootstrapTokens
from pybernetes.server.authn.table import Authenticate, Authenticator, authenticated
from pybernetes.server.authn.tokenfile import TokenFile
from pybernetes.server.authn.tokens import Tokens
from pybernetes.server.authn.x509 import X509
from pybernetes.server.authz.authorizer import Authorizer
from pybernetes.server.context import Handler, Request, Response, User
from pybernetes.server.definitions.lifecycle import Definitions
from pybernetes.server.definitions.register import Register
from pybernetes.server.flow.control import SEATS, FlowControl
from pybernetes.server.instruments import Instruments
from pybernetes.server.live import Live
from pybernetes.server.metrics.api import MetricsApi
from pybernetes.server.metrics.collector import Stats
from pybernetes.server.registry.context import Connect, Context
from pybernetes.server.registry.decoded import Decoded
from pybernetes.server.registry.dispatch import Registry
from pybernetes.server.registry.services import ServiceNetwork
from pybernetes.server.reviews import Reviews
from pybernetes.storage.watchcache import WatchCache

ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
_SELF: Final = User("system:apiserver", groups=("system:masters",))
Route: TypeAlias = tuple[Callable[[str], bool], Callable[[Request], Response]]
"""(does it serve this path?, the answer)"""


async def no_connections(request: Request, kind: Kind) -> Response:
    """What a server without nodes says to logs, exec and proxy."""
    raise errors.ServiceUnavailable("this API server has no way to the nodes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    signing_key: bytes = b""
    """PEM of the private key that signs ServiceAccount tokens; empty: one that is forgotten at the end."""
    issuer: str = ISSUER
    audiences: tuple[str, ...] = ()
    """Empty: the issuer."""
    anonymous: bool = True
    server_address: str = ""
    """``host:port`` under which clients reach us."""
    service_network: ServiceNetwork = field(default_factory=ServiceNetwork)
    connect: Connect = no_connections
    stats: Stats | None = None
    """What the agent of a real node tells of its containers; None where there are no real nodes."""
    static_tokens: Mapping[str, User] = field(default_factory=dict)
    oidc: tuple[oidc.Settings, ssl.SSLContext | None] | None = None
    """A provider whose users are ours, and the TLS by which it is known."""
    audit: tuple[Policy, Sink] | None = None
    """What shall be told of requests, and to whom; None: nothing."""
    seats: int = SEATS
    """So many requests are carried out at a time."""
    front_proxy: Identity | None = None
    """By which servers behind this one know it."""
    own: Mapping[str, Handler] = field(default_factory=dict)
    """Further paths by their handlers, behind authentication and authorization."""
    tls_clock: Clock | None = None
    """By which client certificates end; None: the server's. It is another where the server's clock is turned, for
    those who make and check certificates outside do not turn theirs."""


class Api:
    def __init__(self, cache: WatchCache, kinds: KindTable, clock: Clock, entropy: Entropy, options: Options) -> None:
        self.kinds, self.metrics, self.health = kinds, Metrics(), health.Health()
        self._own = options.own
        decoded = Decoded()
        live = Live(cache, decoded)
        self.authorizer = Authorizer(cache)
        signer = jwt.Signer(options.signing_key or jwt.new_key())
        self.tokens = Tokens(
            live, signer, clock, entropy, issuer=options.issuer, audiences=options.audiences
        )  # fmt: skip
        self._schemas = Schemas(schemas.definitions())
        self._world = World(live, clock, entropy, self.authorizer, kinds, self._schemas)
        self._registry = Registry(
            Context(
                cache=cache, kinds=kinds, schemas=self._schemas, clock=clock, entropy=entropy,
                admission=Admission(self._world), reviews=Reviews(self.authorizer, self.tokens).rows(),
                connect=options.connect, service_network=options.service_network, decoded=decoded,
            )
        )  # fmt: skip
        self._metrics = MetricsApi(self._registry.context, live, options.stats)
        clients, bootstrapping = X509(options.tls_clock or clock), BootstrapTokens(live, clock)
        authenticators = (clients.authenticate, bootstrapping.authenticate, self.tokens.authenticate)
        self._flow = FlowControl(live, clock, self.metrics, seats=options.seats)
        parts = chain.Parts(
            clock=clock, instruments=Instruments(self.metrics, kinds), audit_ids=AuditIds(entropy),
            authenticator=_authenticator(authenticators, options, clock), authorizer=self.authorizer,
            flow=self._flow, trail=Trail(*options.audit, clock) if options.audit is not None else None,
        )  # fmt: skip
        self.handle = chain.assemble(parts, self._last)
        """A Request to its Response, by the whole chain; what is refused comes as a Status."""
        self._definitions = Definitions(
            cache, live, Register(kinds, self._schemas), self.client(_SELF, "kube-apiserver"), clock
        )
        self._registry.context.defined = self._definitions.serve
        self.remotes = Remotes(
            live, kinds, self.client(_SELF, "kube-apiserver"), clock, options.front_proxy
        )  # fmt: skip
        self._clock = clock
        self._routes = self._table(signer, options)
        self._started = self.health.hold("poststarthook/start-api")

    async def start(self) -> None:
        """Be ready as far as the server itself is concerned; the watch cache runs already."""
        self._registry.start()
        self._definitions.start()
        self.remotes.start()
        self._flow.start(self.client(_SELF, "api-priority-and-fairness-config-consumer-v1"))
        self._started()

    async def stop(self) -> None:
        await self._flow.stop()
        await self.remotes.stop()
        await self._definitions.stop()
        await self._registry.stop()
        await self._world.calls.close()
        self.authorizer.close()

    async def serve(self, request: HttpRequest) -> HttpResponse:
        """The handler for ``lib/http/serve.py``."""
        return await self.handle(
            Request(
                request.method, request.path, request.query, request.headers, request.body,
                request.peer_certificate, request.remote, request.raw_target,
            )
        )  # fmt: skip

    refusal = staticmethod(refusal.malformed)
    """For ``lib/http/serve.py``: the answer to what never became a request."""

    def client(self, user: User, manager: str = "") -> Client:
        """A client of a component in this process, acting as ``user``."""
        transport = inprocess.transport(self.handle, authenticated(user))
        return Client(transport, self.kinds, manager=manager or "pybernetes")

    # ── behind the chain ─────────────────────────────────────────────────────────────────────────────────

    async def _last(self, request: Request) -> Response:
        assert request.info is not None
        remote = self.remotes.find(request.path)
        if remote is not None:
            return await proxy.handle(request, remote, self._clock)
        if request.info.is_resource:
            if self._metrics.serves(request.info):
                return await self._metrics.handle(request)
            return await self._registry.handle(request)
        if request.path in self._own:
            return await self._own[request.path](request)
        for serves, respond in self._routes:
            if serves(request.path):
                return respond(request)
        raise discovery.missing()

    def _table(self, signer: jwt.Signer, options: Options) -> tuple[Route, ...]:
        documents = openapi.OpenApi(self.kinds, self._schemas, health.GIT_VERSION, self.remotes)
        told = discovery.Discovery(self.kinds, options.server_address, self.remotes)
        identity = issuer.Issuer(signer, options.issuer)
        return (
            (discovery.serves, told.respond),
            (self.health.serves, self.health.respond),
            (openapi.serves, documents.respond),
            (("/version", "/version/").__contains__, lambda request: health.version()),
            ("/metrics".__eq__, lambda request: health.metrics(self.metrics)),
            (identity.serves, identity.respond),
            ("/".__eq__, lambda request: Response(body=orjson.dumps({"paths": self._paths()}))),
        )

    def _paths(self) -> list[str]:
        """What there is below ``/``."""
        versions = {"/apis/" + row.api_version if row.group else "/api/" + row.version for row in self.kinds}
        groups = {f"/apis/{row.group}" for row in self.kinds if row.group}
        documents = {"/openapi/v2", "/openapi/v3", "/version", "/metrics", *issuer.PATHS}
        return sorted({"/api", "/apis", *versions, *groups, *self.health.paths(), *documents})


def _authenticator(own: Sequence[Authenticate], options: Options, clock: Clock) -> Authenticator:
    """Ours, and before the last, which refuses the tokens that it does not know, those that options add."""
    rows = [*own[:-1], TokenFile(dict(options.static_tokens)).authenticate] if options.static_tokens else [*own[:-1]]
    provider = oidc.Oidc(*options.oidc, clock) if options.oidc is not None else None
    if provider is not None:
        rows.append(provider.authenticate)
    prepare = provider.prepare if provider is not None else None
    return Authenticator((*rows, own[-1]), anonymous=options.anonymous, prepare=prepare)
