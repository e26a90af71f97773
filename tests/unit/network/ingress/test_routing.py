"""Ingresses as routes: which count, whose path it is, and what the annotations add."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.network.ingress import model, notes, routing
from pybernetes.network.ingress.model import Backend, Request, Table

CLASSES = [{"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}]


def ingress(name: str, *paths: tuple[str, str, str], host: str = "a.example", **more: Any) -> Obj:
    """``paths``: (path, its type, service)."""
    items = [
        {"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"number": 80}}}}
        for path, kind, service in paths
    ]
    annotations = {f"{notes.PREFIX}{key.replace('_', '-')}": value for key, value in more.pop("notes", {}).items()}
    metadata = {"name": name, "namespace": "d", "annotations": annotations, **more.pop("metadata", {})}
    rules = [{"host": host, "http": {"paths": items}}] if items else []
    return {"metadata": metadata, "spec": {"ingressClassName": "nginx", "rules": rules, **more}}


def table(*ingresses: Obj, certificates: tuple[str, ...] = ()) -> Table:
    return routing.table(ingresses, CLASSES, lambda _, secret: secret in certificates)


def leads(to: Table, path: str, host: str = "a.example") -> str:
    """The service that a request is sent to, or empty."""
    found = model.find(to, Request(host, path))
    return found.choice.splits[0][0].service if found else ""


def test_prefix_goes_by_whole_elements_and_the_longest_counts() -> None:
    made = table(ingress("i", ("/", "Prefix", "root"), ("/order", "Prefix", "order"), ("/order/new/", "Prefix", "new")))
    found = {p: leads(made, p) for p in ("/", "/order", "/order/", "/orders", "/order/7", "/order/new", "/order/new/x")}
    assert found == {
        "/": "root", "/order": "order", "/order/": "order", "/orders": "root", "/order/7": "order",
        "/order/new": "new", "/order/new/x": "new",
    }  # fmt: skip


def test_an_exact_path_comes_before_every_prefix_and_means_only_itself() -> None:
    made = table(ingress("i", ("/foo", "Exact", "exact"), ("/foo", "Prefix", "prefix")))
    assert [leads(made, p) for p in ("/foo", "/foo/", "/foo/x", "/fo")] == ["exact", "prefix", "prefix", ""]


def test_an_implementation_specific_path_is_a_prefix_of_characters() -> None:
    made = table(ingress("i", ("/foo", "ImplementationSpecific", "web")))
    assert [leads(made, p) for p in ("/foo", "/foobar", "/fo")] == ["web", "web", ""]


def test_a_wildcard_stands_for_one_label_and_yields_to_the_name_itself() -> None:
    made = table(
        ingress("any", ("/", "Prefix", "any"), host=""),
        ingress("wild", ("/w", "Prefix", "wild"), host="*.example"),
        ingress("named", ("/", "Prefix", "named")),
    )
    hosts = ("a.example", "A.Example:8080", "b.example", "x.b.example", "example")
    assert [leads(made, "/w", host) for host in hosts] == ["named", "named", "wild", "any", "any"]
    assert leads(made, "/other", "b.example") == "", "a known host has no other host's routes"


def test_of_two_that_claim_a_path_the_older_has_it_and_the_other_is_told() -> None:
    young = ingress("a", ("/", "Prefix", "young"), metadata={"creationTimestamp": "2026-01-02T00:00:00Z"})
    old = ingress("b", ("/", "Prefix", "old"), metadata={"creationTimestamp": "2026-01-01T00:00:00Z"})
    made = table(young, old)
    assert leads(made, "/") == "old"
    assert [(p.source.name, p.reason) for p in made.problems] == [("a", "PathTaken")]


def test_only_ingresses_of_our_class_count() -> None:
    other = ingress("other", ("/", "Prefix", "web"), ingressClassName="someone-elses")
    none = ingress("none", ("/", "Prefix", "web"))
    del none["spec"]["ingressClassName"]
    assert not table(other, none).hosts
    none["metadata"]["annotations"]["kubernetes.io/ingress.class"] = "nginx"
    assert leads(table(none), "/") == "web"


def test_a_default_backend_has_what_the_rules_leave() -> None:
    fallback = {"service": {"name": "rest", "port": {"name": "http"}}}
    made = table(ingress("i", ("/a", "Prefix", "web"), defaultBackend=fallback))
    assert [leads(made, p) for p in ("/a", "/b")] == ["web", "rest"]
    alone = table(ingress("i", defaultBackend=fallback))
    assert leads(alone, "/", "whoever.example") == "rest"


def test_a_rewrite_makes_all_paths_of_its_host_regular_expressions() -> None:
    made = table(
        ingress("r", ("/api(/|$)(.*)", "ImplementationSpecific", "api"), notes={"rewrite-target": "/v1/$2"}),
        ingress("p", ("/", "Prefix", "root")),
    )
    assert [leads(made, p) for p in ("/api", "/API/x", "/apis", "/")] == ["api", "api", "root", "root"]
    route = model.find(made, Request("a.example", "/api/x"))
    assert route is not None
    assert route.choice.splits[0][0].handling.rewrite == ("(?i)^/api(/|$)(.*)", r"/v1/\2")


def test_what_is_no_regular_expression_is_told_and_keeps_nothing_else_from_working() -> None:
    made = table(
        ingress("i", ("/(", "ImplementationSpecific", "bad"), ("/b", "Prefix", "good"), notes={"use-regex": "true"})
    )
    assert leads(made, "/b") == "good"
    assert [p.reason for p in made.problems] == ["InvalidPath"]


def test_plain_requests_are_sent_to_tls_only_where_there_is_a_certificate() -> None:
    tls = [{"hosts": ["a.example"], "secretName": "cert"}]
    asked = ingress("i", ("/", "Prefix", "web"), tls=tls)

    def sends_to_tls(made: Table) -> bool:
        return made.backends()[0].handling.to_tls

    assert sends_to_tls(table(asked, certificates=("cert",)))
    without = table(asked)
    assert not sends_to_tls(without)
    assert [p.reason for p in without.problems] == ["SecretMissing"]
    refusing = ingress("i", ("/", "Prefix", "web"), tls=tls, notes={"ssl-redirect": "false"})
    assert not sends_to_tls(table(refusing, certificates=("cert",)))
    forcing = ingress("i", ("/", "Prefix", "web"), notes={"force-ssl-redirect": "true"})
    assert sends_to_tls(table(forcing))


def test_a_canary_joins_the_path_of_another_ingress() -> None:
    weighed = ingress("new", ("/", "Prefix", "v2"), notes={"canary": "true", "canary-weight": "10"})
    (choice,) = {route.choice for route in table(ingress("old", ("/", "Prefix", "v1")), weighed).hosts["a.example"]}
    assert choice.canary is not None
    assert (choice.splits[0][0].service, choice.canary.backend.service, choice.canary.weight) == ("v1", "v2", 10)
    alone = table(weighed)
    assert not alone.hosts
    assert [p.reason for p in alone.problems] == ["NothingToSplit"]


def test_annotations_that_cannot_be_are_told_and_left_out() -> None:
    told = {
        "proxy-body-size": "much", "canary-weight": "ten", "backend-protocol": "SMTP", "session-cookie-name": "a b",
        "affinity": "cookie", "upstream-vhost": "x\n  bind :1", "proxy-read-timeout": "30",
    }  # fmt: skip
    made = table(ingress("i", ("/", "Prefix", "web"), notes=told))
    handled = made.backends()[0].handling
    assert handled == model.Handling(
        body_bytes=1 << 20, sticky_cookie="INGRESSCOOKIE", read_seconds=30, protocol="HTTP"
    )
    assert {p.message.split("/")[1].split()[0] for p in made.problems} == {
        "proxy-body-size", "backend-protocol", "session-cookie-name", "upstream-vhost",
    }  # fmt: skip


def test_sizes_are_nginx_s() -> None:
    assert [notes.size(text) for text in ("0", "8k", "1m", "2G", "77")] == [0, 8192, 1 << 20, 2 << 30, 77]


def test_an_app_root_answers_for_the_root_alone() -> None:
    made = table(ingress("i", ("/", "Prefix", "web"), notes={"app-root": "/app"}))
    route = model.find(made, Request("a.example", "/"))
    assert route is not None
    assert route.choice.splits[0][0] == Backend("", "", "", model.Handling(redirect=model.Redirect(302, "/app")))
    assert leads(made, "/x") == "web"
