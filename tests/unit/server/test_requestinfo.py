"""Paths and methods mean what they mean to upstream."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.server import requestinfo
from pybernetes.server.context import Info, Request


def of(line: str, **query: str) -> Info:
    method, path = line.split()
    return requestinfo.of(Request(method, path, query={name: (value,) for name, value in query.items()}))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("GET /api/v1/pods", ("list", "", "", "pods", "", "")),
        ("GET /api/v1/namespaces/ns/pods", ("list", "", "ns", "pods", "", "")),
        ("GET /api/v1/namespaces/ns/pods/p", ("get", "", "ns", "pods", "p", "")),
        ("HEAD /api/v1/namespaces/ns/pods/p", ("get", "", "ns", "pods", "p", "")),
        ("POST /apis/apps/v1/namespaces/ns/deployments", ("create", "apps", "ns", "deployments", "", "")),
        ("PUT /apis/apps/v1/namespaces/ns/deployments/d/scale", ("update", "apps", "ns", "deployments", "d", "scale")),
        ("PATCH /api/v1/nodes/n/status", ("patch", "", "", "nodes", "n", "status")),
        ("DELETE /api/v1/namespaces/ns/pods", ("deletecollection", "", "ns", "pods", "", "")),
        ("DELETE /api/v1/namespaces/ns/pods/p", ("delete", "", "ns", "pods", "p", "")),
        ("GET /api/v1/namespaces", ("list", "", "", "namespaces", "", "")),
        ("GET /api/v1/namespaces/ns", ("get", "", "ns", "namespaces", "ns", "")),
        ("PUT /api/v1/namespaces/ns/finalize", ("update", "", "ns", "namespaces", "ns", "finalize")),
        ("GET /api/v1/watch/namespaces/ns/pods/p", ("watch", "", "ns", "pods", "p", "")),
        ("GET /api/v1/watch/pods", ("watch", "", "", "pods", "", "")),
        ("GET /api/v1/namespaces/ns/pods/p/log/", ("get", "", "ns", "pods", "p", "log")),
    ],
)
def test_a_resource_path_says(line: str, said: tuple[str, ...]) -> None:
    """(verb, group, namespace, resource, name, subresource)"""
    info = of(line)
    assert info.is_resource
    assert (info.verb, info.group, info.namespace, info.resource, info.name, info.subresource) == said


@pytest.mark.parametrize("path", ["/", "/healthz", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/x/y/z"])
def test_everything_else_is_no_resource(path: str) -> None:
    assert of(f"GET {path}") == Info(is_resource=False, verb="get", path=path)


def test_a_list_that_is_watched_is_a_watch() -> None:
    assert of("GET /api/v1/pods", watch="true").verb == "watch"
    assert of("GET /api/v1/pods", watch="false").verb == "list"
    assert of("GET /api/v1/namespaces/ns/pods/p", watch="1").verb == "get"


def test_a_list_of_one_name_is_about_that_name() -> None:
    assert of("GET /api/v1/secrets", fieldSelector="metadata.name=s").name == "s"
    assert of("GET /api/v1/secrets", fieldSelector="metadata.name!=s").name == ""
    assert of("GET /api/v1/secrets", fieldSelector="metadata.name=a/b").name == ""
    assert of("GET /api/v1/secrets", fieldSelector="metadata.name").name == ""


def test_what_follows_a_subresource_is_kept() -> None:
    assert of("GET /api/v1/nodes/n/proxy/stats/summary").tail == "stats/summary"
    assert of("GET /api/v1/namespaces/ns/services/web:80/proxy/docs/").tail == "docs/"


def test_a_watch_path_names_what_is_watched() -> None:
    with pytest.raises(errors.BadRequest, match="unable to determine kind and namespace"):
        of("GET /api/v1/watch")
