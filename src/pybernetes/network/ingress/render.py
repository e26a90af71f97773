"""The table of routes in HAProxy's words: one configuration, and the files that it reads. Pure.

Theory of operation. Host and path together are looked up in two maps, of whole paths and of beginnings, of which the
longest counts; so a request costs the same however many Ingresses there are. One whose host is not found as it is
written (other letters, a port, a wildcard's) has it looked up first. A host with regular expressions or conditions has
a list of rules instead, tried in order. What is found is a choice: a backend's name, or that of a set of weights or a
canary, which the next rules turn into a backend's.
Servers have slots, more than are needed: an endpoint that comes or goes is a word to the running process (``commands``)
and no new configuration.
Neighbours: ``words.py`` has what a backend does with a request; ``haproxy.py`` performs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from pybernetes.network.ingress import words
from pybernetes.network.ingress.model import ANY_HOST, Backend, Canary, Choice, Condition, Route, Table
from pybernetes.network.ingress.servers import Server
from pybernetes.network.ingress.words import quoted

HTTP_PORT: Final = 10080
HTTPS_PORT: Final = 10443
STATUS_PORT: Final = 10254
"""Where a node's entrance listens: ports of its own, so that 80 and 443 are left to pods of the host's network."""
SCHEMES: Final = ("http", "https")
SLOTS_LEAST: Final = 4
_ANY: Final = "*any"
Slots: TypeAlias = Sequence[Server | None]
"""Who has which slot of a backend."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """``address`` is the node's, ``directory`` holds the files and sockets."""

    address: str
    directory: str
    http_port: int = HTTP_PORT
    https_port: int = HTTPS_PORT
    status_port: int = STATUS_PORT


@dataclass(frozen=True, slots=True)
class Layout:
    """What only a new configuration can change."""

    names: Mapping[Backend, str]
    rules: Mapping[str, str]
    """By scheme: what the maps do not hold."""
    files: Mapping[str, bytes]
    capacity: Mapping[Backend, int]
    """How many slots each has."""
    by_name: Mapping[Backend, Sequence[Server]]
    """Servers that are known by a DNS name and so cannot change while the process runs."""


def layout(
    table: Table, servers: Mapping[Backend, Sequence[Server]], certificates: Mapping[tuple[str, str], bytes],
    directory: str, before: Mapping[Backend, int],
) -> Layout:  # fmt: skip
    """``certificates`` by (namespace, Secret); ``before``: the capacities so far, which do not shrink without need."""
    names = {backend: f"b{index}" for index, backend in enumerate(table.backends())}
    choices = _Choices(names)
    hosts = sorted(table.hosts)
    listed = [host for host in hosts if not _fits_maps(table.hosts[host])]
    files = _maps(table, hosts, listed, choices) | _certificate_files(table, certificates, directory)
    rules = {
        scheme: [
            line
            for host in listed
            for line in _list_rules(_id(hosts.index(host), host), _of_scheme(table.hosts[host], scheme), choices)
        ]
        for scheme in SCHEMES
    }
    return Layout(
        names=names,
        rules={s: _lines(f"  {rule}" for rule in (*found, *choices.rules())) for s, found in rules.items()},
        files=files,
        capacity={backend: _capacity(len(servers[backend]), before.get(backend, 0)) for backend in names},
        by_name={b: servers[b] for b in names if has_names(servers[b])},
    )


def has_names(servers: Iterable[Server]) -> bool:
    """Is one of them known by a DNS name only?"""
    return any(words.is_name(address) for address, _ in servers)


def _capacity(needed: int, before: int) -> int:
    """Room for twice as many, so that growing step by step costs few new configurations."""
    least = max(SLOTS_LEAST, needed)
    return before if least <= before <= 8 * least else max(SLOTS_LEAST, 2 * needed)


# ── choosing ─────────────────────────────────────────────────────────────────────────────────────────────


class _Choices:
    """Names for choices: a lone backend's own, ``c<number>`` for what needs rules."""

    def __init__(self, names: Mapping[Backend, str]) -> None:
        self._names = names
        self._numbers: dict[Choice, int] = {}

    def name(self, choice: Choice) -> str:
        if choice.canary is None and len(choice.splits) == 1:
            return self._names[choice.splits[0][0]]
        return f"c{self._numbers.setdefault(choice, len(self._numbers))}"

    def rules(self) -> Iterator[str]:
        for choice in self._numbers:
            yield from self._canary(choice) if choice.canary else self._weights(choice)

    def _canary(self, choice: Choice) -> Iterator[str]:
        canary, this = choice.canary, f"{{ var(txn.b) -m str {self.name(choice)} }}"
        assert canary is not None
        new, old = self._names[canary.backend], self._names[choice.splits[0][0]]
        for fetched, test in _canary_tests(canary):
            yield _choose(new, f"{this} {{ {fetched} {test} }}")
        for fetched in _never_tests(canary):
            yield _choose(old, f"{this} {{ {fetched} -m str never }}")
        if canary.cookie:
            yield _choose(new, f"{this} {{ req.cook({canary.cookie}) -m str always }}")
            yield _choose(old, f"{this} {{ req.cook({canary.cookie}) -m str never }}")
        yield _choose(new, f"{this} {{ rand({canary.weight_total}) lt {canary.weight} }}")
        yield _choose(old, this)

    def _weights(self, choice: Choice) -> Iterator[str]:
        this = f"{{ var(txn.b) -m str {self.name(choice)} }}"
        total, reached = sum(weight for _, weight in choice.splits), 0
        if not total:
            yield f"http-request return status 500 if {this}"
            return
        yield f"http-request set-var(txn.n) rand({total}) if {this}"
        for backend, weight in choice.splits:
            reached += weight
            yield _choose(self._names[backend], f"{this} {{ var(txn.n) -m int lt {reached} }}")


def _canary_tests(canary: Canary) -> Iterator[tuple[str, str]]:
    if canary.header:
        fetched = f"req.fhdr({canary.header})"
        if canary.header_value:
            yield fetched, f"-m str {quoted(canary.header_value)}"
        elif canary.header_pattern:
            yield fetched, f"-m reg {quoted(canary.header_pattern)}"
        else:
            yield fetched, "-m str always"


def _never_tests(canary: Canary) -> Iterator[str]:
    if canary.header and not canary.header_value and not canary.header_pattern:
        yield f"req.fhdr({canary.header})"


def _choose(backend: str, condition: str) -> str:
    return f"http-request set-var(txn.b) str({backend}) if {condition}"


# ── hosts and paths ──────────────────────────────────────────────────────────────────────────────────────


def _fits_maps(routes: Iterable[Route]) -> bool:
    return not any(r.kind == "regex" or r.conditions or any(c.isspace() for c in r.path) for r in routes)


def _maps(table: Table, hosts: Sequence[str], listed: Sequence[str], choices: _Choices) -> dict[str, bytes]:
    paths: dict[str, dict[str, str]] = {"exact": {}, "prefix": {}}
    for number, host in enumerate(hosts):
        for route in () if host in listed else table.hosts[host]:
            paths[route.kind].setdefault(f"{_id(number, host)}{route.path}", choices.name(route.choice))
    names = {host: _id(number, host) for number, host in enumerate(hosts) if host != ANY_HOST}
    return {
        "hosts.map": _map(names),
        "exact.map": _map(paths["exact"]),
        "prefix.map": _map(paths["prefix"]),
    }


def _id(number: int, host: str) -> str:
    """The name by which the rules know a host; where there is a wildcard, one that is no host's."""
    return _ANY if host == ANY_HOST else f"*{number}" if host.startswith("*") else host


def _map(entries: Mapping[str, str]) -> bytes:
    return _lines(f"{key} {value}" for key, value in entries.items()).encode()


def _of_scheme(routes: Iterable[Route], scheme: str) -> Iterator[Route]:
    """The routes for requests of one scheme, with no word more of it."""
    for route in routes:
        told = {condition.value for condition in route.conditions if condition.what == "scheme"}
        if not told:
            yield route
        elif told == {scheme}:
            yield replace(route, conditions=tuple(c for c in route.conditions if c.what != "scheme"))


def _list_rules(host: str, routes: Iterable[Route], choices: _Choices) -> Iterator[str]:
    for route in routes:
        conditions = " ".join(f"{{ {test} }}" for test in (_path_test(route), *map(_test, route.conditions)))
        yield _choose(
            choices.name(route.choice), f"!{{ var(txn.b) -m found }} {{ var(txn.v) -m str {host} }} {conditions}"
        )


def _path_test(route: Route) -> str:
    if route.kind == "regex":
        return f"var(txn.path) -m reg -i {quoted(f'^(?:{route.path})')}"
    return f"var(txn.path) -m {'str' if route.kind == 'exact' else 'beg'} {quoted(route.path)}"


def _test(condition: Condition) -> str:
    fetched = {
        "method": "method",
        "header": f"req.fhdr({condition.name})",
        "query": f"url_param({condition.name})",
    }[condition.what]
    return f"{fetched} -m {'reg' if condition.is_regex else 'str'} {quoted(condition.value)}"


def _certificate_files(table: Table, certificates: Mapping[tuple[str, str], bytes], directory: str) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    lines = [f"{directory}/default.pem"]
    for certificate in table.certificates:
        content = certificates.get((certificate.namespace, certificate.secret))
        if content is not None:
            name = f"{certificate.namespace}_{certificate.secret}.pem"
            files[name] = content
            lines.append(f"{directory}/{name} {certificate.host}")
    return files | {"certificates.list": _lines(lines).encode()}


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# ── the configuration ────────────────────────────────────────────────────────────────────────────────────


def config(found: Layout, slots: Mapping[Backend, Slots], entrance: Entrance, socket: str) -> str:
    """The whole text; ``socket`` is where this generation of the process listens for commands."""
    head = words.HEAD.format(socket=socket, address=entrance.address, status=entrance.status_port)
    frontends = (_frontend(scheme, found.rules[scheme], entrance) for scheme in SCHEMES)
    backends = (_lines(words.backend(name, backend, slots[backend])) for backend, name in found.names.items())
    return head + "".join((*frontends, *backends))


def _frontend(scheme: str, rules: str, entrance: Entrance) -> str:
    bind = f"{entrance.address}:{entrance.http_port}"
    if scheme == "https":
        certificates = f"{entrance.directory}/certificates.list"
        bind = f"{entrance.address}:{entrance.https_port} ssl crt-list {certificates} alpn h2,http/1.1"
    return words.FRONTEND.format(
        scheme=scheme, bind=bind, directory=entrance.directory, any_host=_ANY, rules=rules,
        port=443 if scheme == "https" else 80, answer=words.HSTS if scheme == "https" else "",
    )  # fmt: skip


def fill(old: Slots, wanted: Sequence[Server], capacity: int) -> list[Server | None]:
    """Slots for ``wanted``: whoever has one keeps it."""
    slots: list[Server | None] = [s if s in wanted else None for s in old[:capacity]]
    slots += [None] * (capacity - len(slots))
    free = iter([index for index, server in enumerate(slots) if server is None])
    for server in wanted:
        if server not in slots:
            slots[next(free)] = server
    return slots


def commands(name: str, old: Slots, new: Slots) -> list[str]:
    """What to tell the running process so that its slots become ``new``."""
    told = []
    for number, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        slot = f"set server {name}/s{number}"
        if after is None:
            told.append(f"{slot} state maint")
        else:
            told += [f"{slot} addr {after[0]} port {after[1]}", f"{slot} state ready"]
    return told
