"""Routes against the sentences of Kubernetes' own documentation on path types, read anew for every request."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pybernetes.meta.objects import Obj
from pybernetes.network.ingress import model, routing
from pybernetes.network.ingress.model import Request

CLASSES = [{"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}]
HOSTS = ("", "a.example", "b.example", "*.example", "*.b.example")
REQUEST_HOSTS = ("a.example", "b.example", "c.example", "x.b.example", "x.y.b.example", "example")
elements = st.lists(st.sampled_from(("a", "b", "ab")), max_size=3)
paths = st.builds(
    lambda parts, slash: "/" + "/".join(parts) + ("/" if slash and parts else ""), elements, st.booleans()
)
rules = st.lists(st.tuples(st.sampled_from(HOSTS), paths, st.sampled_from(("Exact", "Prefix"))), max_size=12)


def ingress(number: int, rule: tuple[str, str, str]) -> Obj:
    host, path, kind = rule
    backend = {"service": {"name": f"s{number}", "port": {"number": 80}}}
    item = {"path": path, "pathType": kind, "backend": backend}
    metadata = {"name": f"i{number:02}", "namespace": "d"}
    return {
        "metadata": metadata,
        "spec": {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": [item]}}]},
    }


def expected(found: list[tuple[str, str, str]], host: str, path: str) -> set[int]:
    """The rules that may answer: of those that match, the ones of the best host, the longest path, Exact first."""
    known = {h for h, _, _ in found}
    wildcard = "*." + host.partition(".")[2]
    best_host = host if host in known else wildcard if wildcard in known else ""
    matching = [
        (number, rule_path, kind)
        for number, (rule_host, rule_path, kind) in enumerate(found)
        if rule_host == best_host and matches(rule_path, kind, path)
    ]
    if exact := [n for n, _, kind in matching if kind == "Exact"]:
        return {exact[0]}
    longest = max((len(parts(p)) for _, p, _ in matching), default=0)
    return {n for n, p, _ in matching if len(parts(p)) == longest}


def parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def matches(rule: str, kind: str, path: str) -> bool:
    return rule == path if kind == "Exact" else parts(path)[: len(parts(rule))] == parts(rule)


@settings(deadline=None)
@given(rules, st.sampled_from(REQUEST_HOSTS), paths)
def test_a_request_goes_where_the_documentation_says(found: list[tuple[str, str, str]], host: str, path: str) -> None:
    table = routing.table([ingress(n, rule) for n, rule in enumerate(found)], CLASSES, lambda *_: False)
    route = model.find(table, Request(host, path))
    numbers = expected(found, host, path)
    if route is None:
        assert not numbers
    else:
        assert int(route.choice.splits[0][0].service[1:]) in numbers
