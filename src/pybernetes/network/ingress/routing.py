"""From Ingresses to the table of routes, as ingress-nginx reads them. Pure.

Rule 1: an Ingress counts if its class's controller is ours, or, without a class, if the old annotation names it.
Rule 2: of two that claim one path of a host, the older has it.
Rule 3: Prefix goes by whole elements: ``/foo`` is the path itself and all below ``/foo/``. ImplementationSpecific is
a prefix of characters. Where an Ingress of a host wants regular expressions, all paths of that host are such.
Rule 4: a canary adds itself to a path that another Ingress has; alone it is nothing.
Neighbours: ``notes.py`` reads what is not in the spec; ``model.py`` says what a table means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.ingress import model, notes
from pybernetes.network.ingress.model import (
    ANY_HOST,
    Backend,
    Certificate,
    Choice,
    Handling,
    PathKind,
    Problem,
    Redirect,
    Route,
    Source,
    Table,
)  # fmt: skip
from pybernetes.network.ingress.notes import Annotations

CONTROLLER: Final = "k8s.io/ingress-nginx"
CLASS: Final = "nginx"
OLD_CLASS: Final = "kubernetes.io/ingress.class"

HasCertificate: TypeAlias = Callable[[str, str], bool]
"""Whether (namespace, secret) holds a certificate that can be used."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One Ingress, taken apart."""

    obj: Obj
    source: Source
    notes: Annotations


@dataclass(frozen=True, slots=True)
class _Claim:
    """A path of a host as an Ingress writes it."""

    read: _Read
    host: str
    path: str
    path_type: str
    backend: Obj


@dataclass(slots=True)
class _Host:
    claims: dict[tuple[str, str], _Claim] = field(default_factory=dict)
    canaries: dict[tuple[str, str], _Claim] = field(default_factory=dict)
    fallback: _Claim | None = None
    has_regex: bool = False
    app_root: tuple[Source, str] | None = None
    certificate: Certificate | None = None


def is_ours(ingress: Obj, ours: Iterable[str]) -> bool:
    """``ours``: names of the classes whose controller we are."""
    named = objects.get(ingress, "spec", "ingressClassName", default=None)
    if named is None:
        return (objects.meta(ingress).get("annotations") or {}).get(OLD_CLASS) == CLASS
    return named in ours


def our_classes(classes: Iterable[Obj]) -> set[str]:
    return {objects.name(c) for c in classes if objects.get(c, "spec", "controller", default="") == CONTROLLER}


def source_of(obj: Obj, kind: str = "Ingress") -> Source:
    return Source(kind, objects.namespace(obj), objects.name(obj))


def oldest_first(ingresses: Iterable[Obj]) -> list[Obj]:
    return sorted(
        ingresses,
        key=lambda i: (objects.meta(i).get("creationTimestamp") or "", objects.namespace(i), objects.name(i)),
    )


def table(ingresses: Iterable[Obj], classes: Iterable[Obj], has_certificate: HasCertificate) -> Table:
    """The routes of all Ingresses that are ours."""
    ours = our_classes(classes)
    builder = _Builder(has_certificate)
    for ingress in oldest_first(i for i in ingresses if is_ours(i, ours)):
        builder.add(ingress)
    return builder.table()


class _Builder:
    def __init__(self, has_certificate: HasCertificate) -> None:
        self._has_certificate = has_certificate
        self._hosts: dict[str, _Host] = {}
        self._problems: list[Problem] = []
        self._reads: list[_Read] = []

    def add(self, ingress: Obj) -> None:
        source = source_of(ingress)
        read = _Read(ingress, source, Annotations.of(ingress, source))
        self._reads.append(read)
        spec = ingress.get("spec") or {}
        is_canary = notes.is_canary(read.notes)
        for claim in _claims(read, spec):
            host = self._hosts.setdefault(claim.host, _Host())
            if is_canary:
                host.canaries.setdefault((claim.path, claim.path_type), claim)
            elif not claim.path:
                host.fallback = host.fallback or claim
            else:
                self._claim(host, claim)
        if not is_canary:
            self._tls(read, spec)
            self._of_hosts(read, spec)

    def _claim(self, host: _Host, claim: _Claim) -> None:
        held = host.claims.setdefault((claim.path, claim.path_type), claim)
        if held is not claim:
            other = held.read.source
            where = f"{claim.host or '*'}{claim.path}"
            self._tell(claim.read.source, "PathTaken", f"{where} is {other.namespace}/{other.name}'s, which is older")
        if notes.wants_regex(claim.read.notes):
            host.has_regex = True

    def _tls(self, read: _Read, spec: Obj) -> None:
        for entry in spec.get("tls") or ():
            secret = entry.get("secretName") or ""
            hosts = entry.get("hosts") or [r.get("host") or "" for r in spec.get("rules") or ()]
            if secret and not self._has_certificate(read.source.namespace, secret):
                self._tell(read.source, "SecretMissing", f"no certificate in the Secret {secret}")
                continue
            for name in filter(None, hosts if secret else ()):
                host = self._hosts.setdefault(name, _Host())
                host.certificate = host.certificate or Certificate(name, read.source.namespace, secret)

    def _of_hosts(self, read: _Read, spec: Obj) -> None:
        """What an annotation says of the hosts as wholes."""
        if root := read.notes.text("app-root"):
            for rule in spec.get("rules") or ():
                host = self._hosts.setdefault(rule.get("host") or ANY_HOST, _Host())
                host.app_root = host.app_root or (read.source, root)

    def _tell(self, source: Source, reason: str, message: str) -> None:
        self._problems.append(Problem(source, reason, message))

    # ── the table ────────────────────────────────────────────────────────────────────────────────────────

    def table(self) -> Table:
        hosts = {name: model.precedence(self._routes(name, host)) for name, host in self._hosts.items()}
        certificates = [host.certificate for host in self._hosts.values() if host.certificate]
        problems = [*self._problems, *(p for read in self._reads for p in read.notes.problems)]
        return Table({name: routes for name, routes in hosts.items() if routes}, certificates, problems)

    def _routes(self, name: str, host: _Host) -> Iterator[Route]:
        if host.app_root:
            source, location = host.app_root
            handled = Handling(redirect=Redirect(302, location))
            yield Route("exact", "/", Choice(((Backend("", "", "", handled), 1),)), source)
        claims = list(host.claims.values())
        if host.fallback and not any(c.path == "/" for c in claims):
            claims.append(replace(host.fallback, path="/", path_type="Prefix"))
        for claim in claims:
            choice = self._choice(host, claim)
            for kind, path, implied in self._paths(host, claim):
                yield Route(kind, path, choice, claim.read.source, implied=implied)
        for key, claim in host.canaries.items():
            if key not in host.claims:
                where = f"{name or '*'}{claim.path}"
                self._tell(claim.read.source, "NothingToSplit", f"no other Ingress has {where}, so the canary is idle")

    def _paths(self, host: _Host, claim: _Claim) -> Iterator[tuple[PathKind, str, bool]]:
        """(kind, path, whether it is implied)."""
        path = claim.path or "/"
        if host.has_regex:
            try:
                re.compile(path)
            except re.error as error:
                self._tell(claim.read.source, "InvalidPath", f"{path} is not a regular expression: {error}")
            else:
                yield "regex", path, False
        elif claim.path_type == "Exact":
            yield "exact", path, False
        elif claim.path_type == "Prefix" and path.rstrip("/"):
            bare = path.rstrip("/")
            yield "exact", bare, True
            yield "prefix", f"{bare}/", False
        else:
            yield "prefix", path, False

    def _choice(self, host: _Host, claim: _Claim) -> Choice:
        told = claim.read.notes
        handled = notes.handling(told, host.certificate is not None)
        if rewritten := notes.rewrite(told, claim.path or "/"):
            handled = replace(handled, rewrite=rewritten)
        main = _backend(claim, handled)
        rival = host.canaries.get((claim.path, claim.path_type))
        if rival is None:
            return Choice(((main, 1),))
        return Choice(((main, 1),), notes.canary(rival.read.notes, _backend(rival, handled)))


def _claims(read: _Read, spec: Obj) -> Iterator[_Claim]:
    rules: Sequence[Any] = spec.get("rules") or ()
    fallback = spec.get("defaultBackend")
    for rule in rules:
        host = (rule.get("host") or ANY_HOST).lower()
        for item in (rule.get("http") or {}).get("paths") or ():
            path_type = item.get("pathType") or "ImplementationSpecific"
            yield _Claim(read, host, item.get("path") or "/", path_type, item.get("backend") or {})
    if fallback is not None:
        hosts = dict.fromkeys((rule.get("host") or ANY_HOST).lower() for rule in rules) or {ANY_HOST: None}
        for host in hosts:
            yield _Claim(read, host, "", "", fallback)


def _backend(claim: _Claim, handled: Handling) -> Backend:
    service = claim.backend.get("service") or {}
    port = service.get("port") or {}
    wanted = str(port.get("number") or port.get("name") or "")
    return Backend(claim.read.source.namespace, service.get("name") or "", wanted, handled)
