"""From Gateways and HTTPRoutes (gateway.networking.k8s.io/v1) to the same table of routes as Ingresses'. Pure.

Rule 1: a Gateway's listeners are the entrance's two ports, 80 for HTTP and 443 for HTTPS; others are refused.
Rule 2: a route is attached to a listener that admits its namespace, at the host names that both have.
Rule 3: what a route refers to lies in its own namespace; a backend that is not there answers 500 for its share.
Neighbours: ``gatewayfilters.py`` reads filters, ``gatewaystatus.py`` tells what came of it; ``model.py`` says what a
table means. A wildcard stands for one label here, as in an Ingress.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import from_label_selector
from pybernetes.network.index import Key
from pybernetes.network.ingress import gatewayfilters, model
from pybernetes.network.ingress.model import (
    Backend,
    Certificate,
    Choice,
    Condition,
    Handling,
    PathKind,
    Problem,
    Route,
    Source,
    Table,
)  # fmt: skip

CONTROLLER: Final = "pybernetes.io/gateway-controller"
_PORTS: Final = {"HTTP": 80, "HTTPS": 443}
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


@dataclass(frozen=True, slots=True)
class World:
    """What there is. ``has_service`` gets (namespace, name), ``has_certificate`` (namespace, Secret)."""

    classes: Sequence[Obj]
    gateways: Sequence[Obj]
    routes: Sequence[Obj]
    namespaces: Sequence[Obj]
    has_service: Callable[[str, str], bool]
    has_certificate: Callable[[str, str], bool]


@dataclass(slots=True)
class Listener:
    """A listener, whether it works (``refusal``, ``reference``: reasons why not), and how many routes it has."""

    gateway: Obj
    spec: Obj
    refusal: str = ""
    reference: str = ""
    attached: set[Key] = field(default_factory=set)

    @property
    def name(self) -> str:
        return str(self.spec.get("name") or "")

    @property
    def host(self) -> str:
        return str(self.spec.get("hostname") or "").lower()

    @property
    def works(self) -> bool:
        return not self.refusal and not self.reference

    @property
    def scheme(self) -> Literal["http", "https"]:
        return "https" if self.spec.get("protocol") == "HTTPS" else "http"


@dataclass(frozen=True, slots=True)
class Parent:
    """What became of one parentRef of a route. Empty reasons: all is well."""

    route: Obj
    ref: Obj
    refusal: str = ""
    reference: str = ""


@dataclass(slots=True)
class Reading:
    """The table, and what to tell of each object."""

    classes: list[Obj]
    listeners: dict[Key, list[Listener]]
    parents: list[Parent] = field(default_factory=list)
    table: Table = field(default_factory=Table)


def read(world: World) -> Reading:
    """All Gateways of our classes with all routes that are attached to them."""
    classes = [c for c in world.classes if objects.get(c, "spec", "controllerName", default="") == CONTROLLER]
    ours = {objects.name(c) for c in classes}
    gateways = [g for g in world.gateways if objects.get(g, "spec", "gatewayClassName", default="") in ours]
    reading = Reading(classes, {_key(g): [_listener(g, spec, world) for spec in _listeners(g)] for g in gateways})
    reader = _Reader(world, reading)
    for route in sorted(world.routes, key=_age):
        reader.add(route)
    reading.table = reader.table()
    return reading


def _key(obj: Obj) -> Key:
    return objects.namespace(obj), objects.name(obj)


def _age(obj: Obj) -> tuple[str, str, str]:
    return objects.meta(obj).get("creationTimestamp") or "", *_key(obj)


def _listeners(gateway: Obj) -> Sequence[Obj]:
    found: Sequence[Obj] = objects.get(gateway, "spec", "listeners", default=[])
    return found


def _listener(gateway: Obj, spec: Obj, world: World) -> Listener:
    protocol = spec.get("protocol") or ""
    if protocol not in _PORTS:
        return Listener(gateway, spec, refusal="UnsupportedProtocol")
    if spec.get("port") != _PORTS[protocol]:
        return Listener(gateway, spec, refusal="PortUnavailable")
    if protocol == "HTTPS" and not any(world.has_certificate(*ref) for ref in certificate_refs(gateway, spec)):
        return Listener(gateway, spec, reference="InvalidCertificateRef")
    return Listener(gateway, spec)


def certificate_refs(gateway: Obj, listener: Obj) -> list[Key]:
    """(namespace, Secret) of a listener's certificates; those of other namespaces are not ours to read."""
    namespace = objects.namespace(gateway)
    refs = (listener.get("tls") or {}).get("certificateRefs") or ()
    return [(namespace, str(r.get("name"))) for r in refs if (r.get("namespace") or namespace) == namespace]


class _Reader:
    def __init__(self, world: World, reading: Reading) -> None:
        self._world, self._reading = world, reading
        self._labels = {objects.name(n): objects.labels(n) for n in world.namespaces}
        self._hosts: dict[str, dict[tuple[object, ...], Route]] = {}
        self._problems: list[Problem] = []

    def add(self, route: Obj) -> None:
        reference = self._reference(route)
        schemes: dict[str, set[str]] = {}
        for ref in objects.get(route, "spec", "parentRefs", default=[]):
            key = ref.get("namespace") or objects.namespace(route), ref.get("name") or ""
            listeners = self._reading.listeners.get(key)
            if listeners is None or (ref.get("kind") or "Gateway") != "Gateway":
                continue  # somebody else's
            refusal, attached = self._attach(route, ref, listeners)
            self._reading.parents.append(Parent(route, ref, refusal or _unsupported(route), reference))
            for listener, host in attached:
                schemes.setdefault(host, set()).add(listener.scheme)
        if not _unsupported(route):
            for host, found in schemes.items():
                self._put(route, host, found)

    def _attach(self, route: Obj, ref: Obj, listeners: Sequence[Listener]) -> tuple[str, list[tuple[Listener, str]]]:
        """(why not, the listeners that take it with the host names at which they do)."""
        named = [
            listener
            for listener in listeners
            if ref.get("sectionName") in (None, listener.name) and ref.get("port") in (None, listener.spec.get("port"))
        ]
        allowed = [listener for listener in named if self._allows(listener, route)]
        met = [(listener, host) for listener in allowed for host in hosts_of_both(listener.host, _hostnames(route))]
        for listener, _ in met:
            listener.attached.add(_key(route))
        if not named:
            return "NoMatchingParent", []
        if not allowed:
            return "NotAllowedByListeners", []
        return "" if met else "NoMatchingListenerHostname", [(one, host) for one, host in met if one.works]

    def _allows(self, listener: Listener, route: Obj) -> bool:
        rule = (listener.spec.get("allowedRoutes") or {}).get("namespaces") or {}
        origin = rule.get("from") or "Same"
        if origin == "Selector":
            labels = self._labels.get(objects.namespace(route), {})
            return from_label_selector(rule.get("selector") or {}).matches(labels)
        return origin == "All" or objects.namespace(route) == objects.namespace(listener.gateway)

    def _reference(self, route: Obj) -> str:
        """The first thing wrong with what the route refers to."""
        refs = [ref for rule in _rules(route) for ref in rule.get("backendRefs") or ()]
        return next((why for ref in refs if (why := self._wrong(route, ref))), "")

    def _wrong(self, route: Obj, ref: Obj) -> str:
        namespace = objects.namespace(route)
        if (ref.get("group") or "", ref.get("kind") or "Service") != ("", "Service"):
            return "InvalidKind"
        if (ref.get("namespace") or namespace) != namespace:
            return "RefNotPermitted"
        return "" if self._world.has_service(namespace, ref.get("name") or "") else "BackendNotFound"

    # ── routes ───────────────────────────────────────────────────────────────────────────────────────────

    def _put(self, route: Obj, host: str, schemes: set[str]) -> None:
        source = Source("HTTPRoute", *_key(route))
        by_scheme = () if len(schemes) > 1 else (Condition("scheme", "", next(iter(schemes))),)
        held = self._hosts.setdefault(host, {})
        for number, rule in enumerate(_rules(route)):
            for order, match in enumerate(rule.get("matches") or ({},)):
                conditions = (*by_scheme, *_conditions(match))
                path = match.get("path") or {}
                choice = self._choice(route, rule, path)
                for kind, text, implied in _paths(path):
                    rank = (*_age(route), number, order)
                    made = Route(kind, text, choice, source, conditions, implied, rank)
                    held.setdefault((kind, text, implied, conditions), made)

    def _choice(self, route: Obj, rule: Obj, path: Obj) -> Choice:
        handled = gatewayfilters.handling(rule.get("filters") or (), path)
        if handled.redirect:
            return Choice(((Backend("", "", "", handled), 1),))
        splits = [(self._backend(route, ref, handled), ref.get("weight", 1)) for ref in rule.get("backendRefs") or ()]
        return Choice(tuple(split for split in splits if split[1] > 0) or ((_NOWHERE, 1),))

    def _backend(self, route: Obj, ref: Obj, handled: Handling) -> Backend:
        if self._wrong(route, ref):
            return _NOWHERE
        headers = gatewayfilters.handling(ref.get("filters") or (), {}).headers
        whole = replace(handled, headers=(*handled.headers, *headers))
        return Backend(objects.namespace(route), str(ref["name"]), str(ref.get("port") or ""), whole)

    def table(self) -> Table:
        certificates = [
            Certificate(listener.host, *ref)
            for listeners in self._reading.listeners.values()
            for listener in listeners
            if listener.works and listener.scheme == "https" and listener.host
            for ref in certificate_refs(listener.gateway, listener.spec)
            if self._world.has_certificate(*ref)
        ]
        return Table({host: model.precedence(found.values()) for host, found in self._hosts.items()}, certificates)


_NOWHERE: Final = Backend("", "", "", Handling(answer=500))


def _rules(route: Obj) -> Sequence[Obj]:
    found: Sequence[Obj] = objects.get(route, "spec", "rules", default=[])
    return found or ({},)


def _hostnames(route: Obj) -> Sequence[str]:
    found: Sequence[str] = objects.get(route, "spec", "hostnames", default=[])
    return [host.lower() for host in found] or [model.ANY_HOST]


def hosts_of_both(listener: str, hostnames: Iterable[str]) -> list[str]:
    """The names that a listener and a route have in common; of two that overlap, the narrower."""
    return list(dict.fromkeys(host for name in hostnames if (host := _narrower(listener, name)) is not None))


def _narrower(one: str, other: str) -> str | None:
    if not one or one == other:
        return other
    if not other:
        return one
    if one.startswith("*.") and other.endswith(one[1:]):
        return other
    return one if other.startswith("*.") and one.endswith(other[1:]) else None


def _unsupported(route: Obj) -> str:
    """Why the route as a whole cannot be: a filter or a match that we do not have."""
    filters = [f.get("type") for rule in _rules(route) for f in rule.get("filters") or ()]
    if any(kind not in gatewayfilters.KNOWN for kind in filters):
        return "UnsupportedValue"
    matches = [match for rule in _rules(route) for match in rule.get("matches") or ()]
    return "" if all(_is_sound(match) for match in matches) else "UnsupportedValue"


def _is_sound(match: Obj) -> bool:
    tests = [*(match.get("headers") or ()), *(match.get("queryParams") or ())]
    expressions = [t.get("value") for t in tests if t.get("type") == "RegularExpression"]
    path = match.get("path") or {}
    if path.get("type") == "RegularExpression":
        expressions.append(path.get("value"))
    try:
        for expression in expressions:
            re.compile(str(expression))
    except re.error:
        return False
    texts = [str(value) for test in (path, *tests) for value in test.values()]
    return all(_TOKEN.match(str(t.get("name"))) for t in tests) and not any(ord(c) < 32 for t in texts for c in t)


def _conditions(match: Obj) -> Iterator[Condition]:
    if method := match.get("method"):
        yield Condition("method", "", method)
    for test in match.get("headers") or ():
        yield Condition("header", test["name"], test["value"], test.get("type") == "RegularExpression")
    for test in match.get("queryParams") or ():
        yield Condition("query", test["name"], test["value"], test.get("type") == "RegularExpression")


def _paths(path: Obj) -> Iterator[tuple[PathKind, str, bool]]:
    """(kind, path, whether it is implied)."""
    kind, value = path.get("type") or "PathPrefix", path.get("value") or "/"
    if kind == "Exact":
        yield "exact", value, False
    elif kind == "RegularExpression":
        yield "regex", value, False
    elif bare := value.rstrip("/"):
        yield "exact", bare, True
        yield "prefix", f"{bare}/", False
    else:
        yield "prefix", "/", False
