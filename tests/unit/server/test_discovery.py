"""Discovery tells what the kind table holds, plain and aggregated."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pybernetes.kinds import schemas, table
from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors
from pybernetes.server import discovery
from pybernetes.server.context import Request, Response
from pybernetes.server.discovery import Discovery

KUBECTL = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")
) + ",application/json"  # fmt: skip
WIDGET = Kind(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    namespaced=True,
    definition="",
)


def ask(served: Discovery, path: str, **headers: str) -> Response:
    return served.respond(Request("GET", path, headers=headers))


def told(path: str, **headers: str) -> Any:
    return orjson.loads(ask(Discovery(table.builtin(), "10.0.0.1:6443"), path, **headers).body)


def test_the_paths_of_discovery_are_known() -> None:
    assert [discovery.serves(p) for p in ("/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1/")] == [True] * 5
    assert [discovery.serves(p) for p in ("/", "/api/v1/pods", "/apis/apps/v1/deployments", "/healthz")] == [False] * 4


def test_api_names_its_version_and_address() -> None:
    assert told("/api") == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "10.0.0.1:6443"}],
    }


def test_groups_come_in_upstreams_order_with_their_preferred_version() -> None:
    groups = told("/apis")["groups"]
    names = [g["name"] for g in groups]
    assert names[:5] == [
        "apiregistration.k8s.io",
        "apps",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
    ]
    autoscaling = next(g for g in groups if g["name"] == "autoscaling")
    assert autoscaling["preferredVersion"] == {"groupVersion": "autoscaling/v2", "version": "v2"}
    assert [v["version"] for v in autoscaling["versions"]] == ["v2", "v1"]
    assert told("/apis/autoscaling") == {"kind": "APIGroup", "apiVersion": "v1"} | autoscaling


@pytest.mark.parametrize(
    ("path", "name", "entry"),
    [
        ("/apis/apps/v1", "deployments/scale", {"group": "autoscaling", "version": "v1", "kind": "Scale"}),
        ("/api/v1", "pods/eviction", {"group": "policy", "version": "v1", "kind": "Eviction", "verbs": ["create"]}),
        (
            "/api/v1",
            "serviceaccounts/token",
            {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
        ),
        ("/api/v1", "pods", {"shortNames": ["po"], "categories": ["all"], "storageVersionHash": "xPOwRZ+Yhw8="}),
        ("/api/v1", "pods/status", {"singularName": "", "kind": "Pod", "verbs": ["get", "patch", "update"]}),
    ],
)
def test_resources_and_subresources_say_what_they_are(path: str, name: str, entry: dict[str, Any]) -> None:
    found = next(r for r in told(path)["resources"] if r["name"] == name)
    assert found | entry == found


def test_everything_upstream_serves_of_our_versions_is_served_alike() -> None:
    """The rows against upstream's own list of resources."""
    wrong = []
    for row in schemas.resources():
        version = f"{row['group']}/{row['version']}" if row["group"] else row["version"]
        kind = table.builtin().by_path(row["group"], row["version"], row["plural"])
        if kind is None:
            continue
        ours = {
            "kind": kind.kind,
            "namespaced": kind.namespaced,
            "verbs": sorted(kind.verbs),
            "singular": kind.singular,
        }
        theirs = {"verbs": sorted(row["verbs"])} | {k: row[k] for k in ("kind", "namespaced", "singular")}
        if ours != theirs or sorted(kind.short_names) != sorted(row.get("shortNames", [])):
            wrong.append((version, row["plural"]))
    assert wrong == []


def test_the_whole_tree_comes_at_once_to_those_who_ask() -> None:
    response = ask(Discovery(table.builtin()), "/apis", accept=KUBECTL)
    assert response.content_type == "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    tree = orjson.loads(response.body)
    assert (tree["kind"], tree["apiVersion"]) == ("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2")
    apps = next(g for g in tree["items"] if g["metadata"]["name"] == "apps")
    deployments = next(r for r in apps["versions"][0]["resources"] if r["resource"] == "deployments")
    assert deployments["responseKind"] == {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert deployments["scope"] == "Namespaced"
    assert {
        "subresource": "scale",
        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    } in deployments["subresources"]
    assert [g["metadata"]["name"] for g in told("/api", accept=KUBECTL)["items"]] == [""]


def test_an_older_client_gets_v2beta1_and_a_plain_one_a_plain_list() -> None:
    beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    assert told("/apis", accept=beta)["apiVersion"] == "apidiscovery.k8s.io/v2beta1"
    assert told("/apis", accept="application/json")["kind"] == "APIGroupList"


def test_whoever_has_the_tree_is_told_so() -> None:
    served = Discovery(table.builtin())
    first = ask(served, "/apis", accept=KUBECTL)
    tag = dict(first.headers)["ETag"]
    again = ask(served, "/apis", **{"accept": KUBECTL, "if-none-match": tag})
    assert (again.status, again.body) == (304, b"")
    assert again.content_type == first.content_type


def test_a_new_row_shows_and_a_removed_one_is_gone() -> None:
    kinds = table.builtin()
    served = Discovery(kinds)
    with pytest.raises(errors.NotFound, match="could not find the requested resource"):
        ask(served, "/apis/example.com/v1")
    kinds.add(WIDGET)
    assert b"widgets" in ask(served, "/apis/example.com/v1").body
    kinds.remove(WIDGET)
    with pytest.raises(errors.NotFound):
        ask(served, "/apis/example.com/v1")


def test_only_reading_is_allowed() -> None:
    with pytest.raises(errors.MethodNotAllowed):
        Discovery(table.builtin()).respond(Request("POST", "/apis"))
