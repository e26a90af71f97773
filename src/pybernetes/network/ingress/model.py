"""What the entrance does with a request: for each host its routes in order, for each route where it leads. Pure data.

Rule 1: the host decides first: its own name, then a wildcard for its first label, then the host of no name. Where a
host is known, no other host's routes count.
Rule 2: of a host's routes the first that matches decides; they stand in upstream's order (``precedence``).
Rule 3: a canary decides by header, then by cookie, then by chance (``canaries``, as ingress-nginx's balancer).
Neighbours: ``routing.py`` makes this from Ingresses, ``gateway.py`` from HTTPRoutes; ``render.py`` puts it into
HAProxy's words; ``find`` answers for one request what HAProxy would do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

ANY_HOST: Final = ""
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 60
"""Upstream's proxy-connect-timeout and proxy-read-timeout."""

PathKind: TypeAlias = Literal["exact", "prefix", "regex"]


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """The object that asked for something."""

    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an object does not get (all of) what it asks for; ``reason`` is one word that programs can match on."""

    source: Source
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer that sends the client elsewhere. Empty or 0: as the request has it; ``location`` overrides all."""

    code: int
    location: str = ""
    scheme: str = ""
    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """A change of the request's or the answer's headers."""

    direction: Literal["request", "response"]
    action: Literal["set", "add", "del"]
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Handling:
    """What is done to a request on its way, beyond choosing where it goes."""

    rewrite: tuple[str, str] | None = None
    """(regular expression, new path with ``\\1`` for its groups)."""
    to_tls: bool = False
    """Plain HTTP is sent to HTTPS."""
    redirect: Redirect | None = None
    protocol: Literal["HTTP", "HTTPS", "GRPC", "GRPCS"] = "HTTP"
    body_bytes: int = 0
    """A larger body is refused; 0: any size."""
    sticky_cookie: str = ""
    host: str = ""
    """The Host that the service sees instead of the client's."""
    connect_seconds: int = CONNECT_SECONDS
    read_seconds: int = READ_SECONDS
    allowed: tuple[str, ...] = ()
    """Networks whose clients are let in; empty: all."""
    headers: tuple[Header, ...] = ()
    answer: int = 0
    """A status with which every request is answered at once."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A port (its number or its name) of a service, and how it is reached. No service: nothing is there to answer."""

    namespace: str
    service: str
    port: str
    handling: Handling = field(default_factory=Handling)


@dataclass(frozen=True, slots=True)
class Canary:
    backend: Backend
    header: str = ""
    header_value: str = ""
    header_pattern: str = ""
    cookie: str = ""
    weight: int = 0
    weight_total: int = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the backends by weight; a canary, where there is one, takes its part of the requests before."""

    splits: tuple[tuple[Backend, int], ...]
    canary: Canary | None = None

    def backends(self) -> Iterable[Backend]:
        yield from (backend for backend, _ in self.splits)
        if self.canary:
            yield self.canary.backend


@dataclass(frozen=True, slots=True)
class Condition:
    """Something besides host and path that a request must have."""

    what: Literal["method", "header", "query", "scheme"]
    name: str
    value: str
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    kind: PathKind
    path: str
    """As the client says it, or a regular expression that the start of a path must match, in any case of letters."""
    choice: Choice
    source: Source
    conditions: tuple[Condition, ...] = ()
    implied: bool = False
    """The path of a prefix itself, which yields to one that is written as exact."""
    rank: tuple[int | str, ...] = ()
    """Decides between routes that are equal otherwise: the smaller first."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The TLS Secret that a host is answered with."""

    host: str
    namespace: str
    secret: str


@dataclass(frozen=True, slots=True)
class Table:
    hosts: Mapping[str, Sequence[Route]] = field(default_factory=dict)
    certificates: Sequence[Certificate] = ()
    problems: Sequence[Problem] = ()

    def backends(self) -> list[Backend]:
        """Each backend once, in a fixed order."""
        routes = (route for host in sorted(self.hosts) for route in self.hosts[host])
        return list(dict.fromkeys(b for route in routes for b in route.choice.backends()))


def merged(one: Table, other: Table) -> Table:
    """Both together; a host that both have has the routes of both."""
    names = dict.fromkeys((*one.hosts, *other.hosts))
    hosts = {name: precedence((*one.hosts.get(name, ()), *other.hosts.get(name, ()))) for name in names}
    certificates = {c.host: c for c in (*other.certificates, *one.certificates)}
    return Table(hosts, list(certificates.values()), [*one.problems, *other.problems])


# ── one request ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Request:
    host: str
    path: str
    method: str = "GET"
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    query: Mapping[str, str] = field(default_factory=dict)


def find(table: Table, request: Request) -> Route | None:
    """The route that a request takes."""
    host = known_host(table, request.host)
    routes = () if host is None else table.hosts[host]
    return next((route for route in routes if matches(route, request)), None)


def known_host(table: Table, host: str) -> str | None:
    """The name under which the table knows a host (rule 1)."""
    name = host.partition(":")[0].lower()
    candidates = (name, f"*.{name.partition('.')[2]}", ANY_HOST)
    return next((c for c in candidates if c in table.hosts), None)


def matches(route: Route, request: Request) -> bool:
    return _path_matches(route, request.path) and all(_holds(c, request) for c in route.conditions)


def _path_matches(route: Route, path: str) -> bool:
    if route.kind == "exact":
        return path == route.path
    if route.kind == "prefix":
        return path.startswith(route.path)
    return re.match(f"(?i:{route.path})", path) is not None


def _holds(condition: Condition, request: Request) -> bool:
    found = {
        "method": request.method,
        "scheme": request.scheme,
        "header": request.headers.get(condition.name.lower()),
        "query": request.query.get(condition.name),
    }[condition.what]
    if found is None:
        return False
    return re.search(condition.value, found) is not None if condition.is_regex else found == condition.value


def precedence(routes: Iterable[Route]) -> list[Route]:
    """In the order in which they are tried: exact paths, then longer paths, then more conditions, then ``rank``.

    A host with a regular expression has nothing else, and there the longer expression comes first.
    """
    return sorted(routes, key=lambda r: (r.kind != "exact", -len(r.path), r.implied, *_specificity(r), r.rank))


def _specificity(route: Route) -> tuple[int, int, int]:
    """Gateway API's order of ties: a method, then the number of headers, then the number of query parameters."""
    told = [condition.what for condition in route.conditions]
    return -told.count("method"), -told.count("header"), -told.count("query")
