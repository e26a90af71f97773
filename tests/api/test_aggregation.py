"""Servers behind this one, over real TLS: who asks is told, and what does not answer is told too."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from pybernetes.client import wait
from pybernetes.cluster import pki
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.aggregation import local
from pybernetes.server.aggregation.remote import Identity
from pybernetes.storage import codec

from .server import Server

NAME = "v1.wardle.example.com"
RESOURCES = [
    {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": ["get", "list"]},
    {"name": "flunders/status", "singularName": "", "namespaced": True, "kind": "Flunder", "verbs": ["get"]},
]
V2 = {
    "paths": {"/apis/wardle.example.com/v1/": {}, "/healthz": {}},
    "definitions": {"com.example.Flunder": {"type": "object"}},
}
ANSWERS: dict[str, Any] = {
    "/apis/wardle.example.com/v1": {"kind": "APIResourceList", "resources": RESOURCES},
    "/openapi/v3/apis/wardle.example.com/v1": {"openapi": "3.0.0"},
    "/openapi/v2": V2,
}


class Wardle:
    """Answers flunders with whom it was told to be asked by."""

    def __init__(self, files: pki.Pki) -> None:
        self.files, self.port = files, 0
        self.asked: list[HttpRequest] = []
        self.status = 200

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if request.path in ANSWERS:
            return HttpResponse(self.status, orjson.dumps(ANSWERS[request.path]))
        self.asked.append(request)
        return HttpResponse(body=orjson.dumps({"kind": "Flunder", "metadata": {"name": "one"}}))

    def service(self, **more: Any) -> Obj:
        bundle = base64.b64encode(self.files.certificate("ca").read_bytes()).decode()
        spec = {
            "group": "wardle.example.com", "version": "v1", "groupPriorityMinimum": 2000, "versionPriority": 200,
            "service": {"namespace": "default", "name": "hook", "port": 443}, "caBundle": bundle, **more,
        }  # fmt: skip
        return {"metadata": {"name": NAME}, "spec": spec}


@asynccontextmanager
async def wardle(files: pki.Pki) -> AsyncIterator[Wardle]:
    made = Wardle(files)
    context = tls.server_context(files.certificate("apiserver"), files.key("apiserver"), files.certificate("ca"))
    server = await serve(made.handle, clock=SystemClock(), ssl_context=context)
    made.port = server.port
    try:
        yield made
    finally:
        await server.stop(0.1)


@pytest.fixture
async def server(certificates: pki.Pki) -> AsyncIterator[Server]:
    certificates.ensure([pki.FRONT_PROXY])
    mine = certificates.certificate(pki.FRONT_PROXY), certificates.key(pki.FRONT_PROXY)
    made = Server(front_proxy=Identity(*(file.read_bytes() for file in mine)))
    await made.start()
    yield made
    await made.api.stop()


async def lead(server: Server, port: int) -> None:
    """Have the service, and an endpoint for it."""
    spec = {"ports": [{"port": 443, "protocol": "TCP"}]}
    await server.client.create("services", {"metadata": {"name": "hook", "namespace": "default"}, "spec": spec})
    subsets = [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": port}]}]
    meta = {"name": "hook", "namespace": "default"}
    endpoints = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}
    # The API takes no loopback addresses, and a test has no others.
    await server.cache.write(codec.key("", "endpoints", "default", "hook"), codec.encode(endpoints))


async def told(server: Server, reason: str) -> Obj:
    """The condition, as soon as it has this reason."""

    def is_told(obj: Obj | None) -> bool:
        return ((objects.condition(obj or {}, "Available")) or {}).get("reason") == reason

    found = await wait.until(
        server.client, local.RESOURCE, "", NAME, is_told, timeout_seconds=10, clock=SystemClock()
    )  # fmt: skip
    condition = objects.condition(found or {}, "Available")
    assert condition is not None
    return condition


async def test_requests_of_a_group_pass_to_its_server_in_the_name_of_their_user(
    server: Server, certificates: pki.Pki
) -> None:
    async with wardle(certificates) as behind:
        await lead(server, behind.port)
        await server.client.create(local.RESOURCE, behind.service())
        assert (await told(server, "Passed"))["message"] == "all checks passed"
        path = "/apis/wardle.example.com/v1/namespaces/default/flunders/one"
        answer = await server.json("GET", path)
        assert answer["kind"] == "Flunder"
        (asked,) = behind.asked
        assert asked.path == path
        assert asked.headers["x-remote-user"] == "system:anonymous"
        assert asked.headers["x-remote-group"] == "system:unauthenticated"
        assert asked.peer_certificate is not None
        in_process = await server.client.look(path, {})
        assert in_process["metadata"]["name"] == "one"
        assert behind.asked[1].headers["x-remote-user"] == "admin"


async def test_what_a_server_tells_of_itself_is_told_with_ours(server: Server, certificates: pki.Pki) -> None:
    async with wardle(certificates) as behind:
        await lead(server, behind.port)
        await server.client.create(local.RESOURCE, behind.service())
        await told(server, "Passed")
        groups = [group["name"] for group in (await server.json("GET", "/apis"))["groups"]]
        assert groups.index("flowcontrol.apiserver.k8s.io") < groups.index("wardle.example.com")
        assert groups.index("wardle.example.com") < groups.index("metrics.k8s.io")
        group = await server.json("GET", "/apis/wardle.example.com")
        assert group["preferredVersion"]["groupVersion"] == "wardle.example.com/v1"
        assert (await server.json("GET", "/apis/wardle.example.com/v1"))["resources"] == RESOURCES
        whole = await server.json(
            "GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        )
        (item,) = [one for one in whole["items"] if one["metadata"]["name"] == "wardle.example.com"]
        (resource,) = item["versions"][0]["resources"]
        assert (resource["resource"], resource["scope"], resource["responseKind"]["kind"]) == (
            "flunders", "Namespaced", "Flunder",
        )  # fmt: skip
        assert [part["subresource"] for part in resource["subresources"]] == ["status"]
        v3 = await server.json("GET", "/openapi/v3")
        assert "apis/wardle.example.com/v1" in v3["paths"]
        assert (await server.json("GET", "/openapi/v3/apis/wardle.example.com/v1")) == {"openapi": "3.0.0"}
        v2 = await server.json("GET", "/openapi/v2")
        assert "com.example.Flunder" in v2["definitions"]
        assert "/healthz" not in v2["paths"]


async def test_what_is_wrong_is_told_as_upstream_tells_it(server: Server, certificates: pki.Pki) -> None:
    async with wardle(certificates) as behind:
        await server.client.create(local.RESOURCE, behind.service())
        condition = await told(server, "ServiceNotFound")
        assert condition["message"] == 'service/hook in "default" is not present'
        refused = await server.http("GET", "/apis/wardle.example.com/v1/flunders")
        assert (refused.status, refused.body) == (503, b"service unavailable\n")
        behind.status = 500
        await lead(server, behind.port)
        url = "https://hook.default.svc:443/apis/wardle.example.com/v1"
        condition = await told(server, "FailedDiscoveryCheck")
        assert condition["message"] == f"failing or missing response from {url}: bad status from {url}: 500"
        await server.cache.delete(codec.key("", "endpoints", "default", "hook"))
        assert (await told(server, "EndpointsNotFound"))["status"] == "False"


async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_it_shall_not_be_looked_at(
    server: Server, certificates: pki.Pki
) -> None:
    async with wardle(certificates) as behind:
        await lead(server, behind.port)
        await server.client.create(local.RESOURCE, behind.service(caBundle=None))
        await told(server, "FailedDiscoveryCheck")
        patch = {"spec": {"insecureSkipTLSVerify": True}}
        await server.client.patch(local.RESOURCE, NAME, patch)
        await told(server, "Passed")


async def test_a_group_goes_with_its_api_service(server: Server, certificates: pki.Pki) -> None:
    async with wardle(certificates) as behind:
        await lead(server, behind.port)
        await server.client.create(local.RESOURCE, behind.service())
        await told(server, "Passed")
        await server.client.delete(local.RESOURCE, NAME)
        await wait.until(
            server.client, local.RESOURCE, "", NAME, lambda obj: obj is None, timeout_seconds=10, clock=SystemClock()
        )
        assert (await server.http("GET", "/apis/wardle.example.com/v1/flunders")).status == 404


async def test_every_group_of_our_own_has_an_api_service_that_is_always_available(server: Server) -> None:
    await server.api.remotes.announce()

    def all_told(obj: Obj | None) -> bool:
        return objects.condition_is(obj or {}, "Available")

    wanted = local.services(table.builtin())
    assert {"v1.", "v1.apps", "v2.autoscaling"} <= set(wanted)
    assert "v1.apiregistration.k8s.io" not in wanted
    for name in wanted:
        found = await wait.until(
            server.client, local.RESOURCE, "", name, all_told, timeout_seconds=10, clock=SystemClock()
        )
        assert found is not None
        assert objects.condition(found, "Available")["reason"] == "Local"  # type: ignore[index]
        assert objects.labels(found)[local.AUTOMANAGED] == "onstart"
