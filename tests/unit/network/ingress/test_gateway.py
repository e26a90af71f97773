"""Gateways and HTTPRoutes: what is attached to what, where requests go, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.network.ingress import gateway, gatewaystatus, model
from pybernetes.network.ingress.gateway import Reading, World
from pybernetes.network.ingress.model import Redirect, Request

CLASS: Obj = {"metadata": {"name": "ours"}, "spec": {"controllerName": gateway.CONTROLLER}}
HTTP: Obj = {"name": "http", "port": 80, "protocol": "HTTP"}
NUMBER: Obj = {"name": "q", "value": "^[0-9]+$", "type": "RegularExpression"}
NOW = "2026-01-01T00:00:00Z"


def made(name: str, spec: Obj, namespace: str = "d") -> Obj:
    return {"metadata": {"name": name, "namespace": namespace, "uid": name, "generation": 1}, "spec": spec}


def gw(*listeners: Obj, name: str = "gw") -> Obj:
    return made(name, {"gatewayClassName": "ours", "listeners": [*(listeners or (HTTP,))]})


def route(*rules: Obj, name: str = "rt", namespace: str = "d", parent: Obj | None = None, **more: Any) -> Obj:
    ref = {"name": "gw", "namespace": "d", **(parent or {})}
    return made(name, {"parentRefs": [ref], "rules": [*rules], **more}, namespace)


def to(*services: str, **rule: Any) -> Obj:
    """A rule whose backends are services, each with a weight if it is written ``name=3``."""
    refs = [{"name": s.partition("=")[0], "port": 80, "weight": int(s.partition("=")[2] or 1)} for s in services]
    return {"backendRefs": refs, **rule}


def path(value: str, kind: str = "PathPrefix", **more: Any) -> Obj:
    return {"path": {"type": kind, "value": value}, **more}


def read(gateways: list[Obj], routes: list[Obj], secrets: tuple[str, ...] = ()) -> Reading:
    namespaces = [{"metadata": {"name": n, "labels": {"team": n}}} for n in ("d", "e")]
    return gateway.read(
        World([CLASS], gateways, routes, namespaces, lambda *k: k[1] != "nix", lambda *k: k[1] in secrets)
    )


def leads(reading: Reading, at: str, host: str = "a.example", **more: Any) -> str:
    found = model.find(reading.table, Request(host, at, **more))
    return found.choice.splits[0][0].service if found else ""


def test_the_longest_path_counts_and_then_the_most_conditions() -> None:
    reading = read([gw()], [route(
        to("root"),
        to("foo", matches=[path("/foo")]),
        to("new", matches=[path("/foo", headers=[{"name": "X-New", "value": "1"}])]),
        to("post", matches=[path("/foo", method="POST")]),
        to("deep", matches=[path("/foo/bar", queryParams=[NUMBER])]),
        to("exact", matches=[path("/foo", "Exact")]),
    )])  # fmt: skip
    assert [leads(reading, p) for p in ("/", "/foo", "/foo/", "/foob", "/foo/bar")] == [
        "root", "exact", "foo", "root", "foo",
    ]  # fmt: skip
    assert leads(reading, "/foo/x", headers={"x-new": "1"}) == "new"
    assert leads(reading, "/foo/x", headers={"x-new": "1"}, method="POST") == "post"
    assert [leads(reading, "/foo/bar", query={"q": value}) for value in ("7", "x")] == ["deep", "foo"]


@pytest.mark.parametrize(
    ("listener", "hostnames", "both"),
    [
        ("", ["a.example", "*.b"], ["a.example", "*.b"]),
        ("a.example", [""], ["a.example"]),
        ("*.example", ["a.example", "b.other"], ["a.example"]),
        ("a.example", ["*.example"], ["a.example"]),
        ("*.example", ["*.x.example"], ["*.x.example"]),
        ("*.example", ["example"], []),
    ],
)
def test_a_route_is_met_at_the_names_that_it_shares_with_a_listener(
    listener: str, hostnames: list[str], both: list[str]
) -> None:
    assert gateway.hosts_of_both(listener, hostnames) == both


@pytest.mark.parametrize(
    ("listener", "of_route", "reason"),
    [
        ({}, {}, ""),
        ({}, {"namespace": "e"}, "NotAllowedByListeners"),
        ({"allowedRoutes": {"namespaces": {"from": "All"}}}, {"namespace": "e"}, ""),
        ({"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "e"}}}}},
         {"namespace": "e"}, ""),
        ({"allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"team": "x"}}}}},
         {"namespace": "e"}, "NotAllowedByListeners"),
        ({}, {"parent": {"sectionName": "other"}}, "NoMatchingParent"),
        ({"hostname": "b.example"}, {"hostnames": ["a.example"]}, "NoMatchingListenerHostname"),
        ({}, {"rules": [to("web", filters=[{"type": "RequestMirror"}])]}, "UnsupportedValue"),
    ],
)  # fmt: skip
def test_why_a_route_is_not_accepted(listener: Obj, of_route: dict[str, Any], reason: str) -> None:
    rules = of_route.pop("rules", [to("web")])
    reading = read([gw({**HTTP, **listener})], [route(*rules, **of_route)])
    (parent,) = reading.parents
    assert parent.refusal == reason
    assert bool(reading.table.hosts) == (not reason)


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "nix", "port": 80}, "BackendNotFound"),
        ({"name": "web", "port": 80, "namespace": "e"}, "RefNotPermitted"),
        ({"name": "web", "kind": "Bucket", "group": "x.io"}, "InvalidKind"),
    ],
)
def test_a_backend_that_cannot_be_answers_500_for_its_share(ref: Obj, reason: str) -> None:
    reading = read([gw()], [route({"backendRefs": [ref, {"name": "web", "port": 80}]})])
    assert reading.parents[0].reference == reason
    (found,) = reading.table.hosts[""]
    assert [(b.service, b.handling.answer, weight) for b, weight in found.choice.splits] == [
        ("", 500, 1),
        ("web", 0, 1),
    ]


def test_weights_split_and_none_at_all_answers_500() -> None:
    reading = read([gw()], [route(to("a=9", "b=1", "c=0"), to("x=0", matches=[path("/zero")]))])
    splits = {r.path: [(b.service, w) for b, w in r.choice.splits] for r in reading.table.hosts[""]}
    assert splits["/"] == [("a", 9), ("b", 1)]
    assert splits["/zero"] == [("", 1)]


def test_filters_change_what_goes_by() -> None:
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "hostname": "b.example"}}
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}, "hostname": "in.example"},
    }
    headers = {
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {"set": [{"name": "A", "value": "1"}], "remove": ["B"]},
    }
    reading = read([gw()], [route(
        to(filters=[redirect], matches=[path("/r")]), to("web", filters=[rewrite, headers], matches=[path("/w")]),
    )])  # fmt: skip
    by_path = {r.path: r.choice.splits[0][0].handling for r in reading.table.hosts[""]}
    assert by_path["/r"].redirect == Redirect(302, scheme="https", host="b.example")
    assert by_path["/w"].rewrite == ("^/w(/.*)?$", r"/v2\1")
    assert by_path["/w"].host == "in.example"
    assert [(h.action, h.name) for h in by_path["/w"].headers] == [("set", "A"), ("del", "B")]


def test_a_listener_for_tls_needs_its_certificate() -> None:
    tls = {"certificateRefs": [{"name": "cert"}]}
    https = {"name": "tls", "port": 443, "protocol": "HTTPS", "hostname": "a.example", "tls": tls}
    assert not read([gw(https)], [route(to("web"))]).table.hosts
    reading = read([gw(https)], [route(to("web"))], secrets=("cert",))
    assert [(c.host, c.secret) for c in reading.table.certificates] == [("a.example", "cert")]
    assert [leads(reading, "/", scheme=scheme) for scheme in ("http", "https")] == ["", "web"]


def test_statuses_tell_what_came_of_it_and_are_written_once() -> None:
    odd = {"name": "odd", "port": 8080, "protocol": "HTTP"}
    gateways, routes = [gw(HTTP, odd)], [route(to("nix"))]
    told = {
        resource: (obj, status)
        for resource, obj, status in gatewaystatus.changes(read(gateways, routes), ["1.2.3.4"], NOW)
    }
    gateway_status = told[gatewaystatus.GATEWAYS][1]
    assert gateway_status["addresses"] == [{"type": "IPAddress", "value": "1.2.3.4"}]
    assert [(entry["name"], entry["attachedRoutes"], short(entry)) for entry in gateway_status["listeners"]] == [
        ("http", 1, {"Accepted": "Accepted", "Programmed": "Programmed", "ResolvedRefs": "ResolvedRefs"}),
        ("odd", 1, {"Accepted": "PortUnavailable", "Programmed": "Invalid", "ResolvedRefs": "ResolvedRefs"}),
    ]
    (parent,) = told[gatewaystatus.ROUTES][1]["parents"]
    assert short(parent) == {"Accepted": "Accepted", "ResolvedRefs": "BackendNotFound"}
    after = [{**obj, "status": status} for obj, status in told.values()]
    again = World([after[0]], [after[1]], [after[2]], [], lambda *k: k[1] != "nix", lambda *_: False)
    assert not list(gatewaystatus.changes(gateway.read(again), ["1.2.3.4"], "2027-01-01T00:00:00Z"))


def short(entry: Obj) -> dict[str, str]:
    return {condition["type"]: condition["reason"] for condition in entry["conditions"]}
