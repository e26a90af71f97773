"""What a cluster with an entrance holds from its start: the controller's objects, and the Gateway API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.cluster import gatewayapi, ingress
from pybernetes.meta import errors, objects
from pybernetes.network.ingress import gatewaystatus

from .running import Running, control_plane


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with control_plane(lambda kinds: ()) as made:
        await ingress.furnish(made.client)
        yield made


async def test_the_controller_is_found_as_upstream_s_is(running: Running) -> None:
    (service,) = (await running.client.list("services", labels="app.kubernetes.io/component=controller"))["items"]
    assert {p["port"]: 30000 <= p["nodePort"] < 32768 for p in service["spec"]["ports"]} == {80: True, 443: True}
    made = await running.client.get("ingressclasses.networking.k8s.io", "nginx")
    assert made["spec"]["controller"] == "k8s.io/ingress-nginx"


async def test_furnishing_twice_is_as_good_as_once(running: Running) -> None:
    await ingress.furnish(running.client)
    assert await running.client.find(gatewaystatus.CLASSES, gatewayapi.CLASS)


async def test_gateways_and_routes_are_filled_in_and_judged(running: Running) -> None:
    head = {"apiVersion": "gateway.networking.k8s.io/v1", "metadata": {"name": "x", "namespace": "default"}}
    route = await running.client.create(gatewaystatus.ROUTES, {
        **head, "kind": "HTTPRoute",
        "spec": {"parentRefs": [{"name": "gw"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    })  # fmt: skip
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert (rule["backendRefs"][0]["kind"], rule["backendRefs"][0]["weight"]) == ("Service", 1)
    assert objects.get(route, "spec", "parentRefs")[0]["kind"] == "Gateway"
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "hostname": "Not A Host"}
    with pytest.raises(errors.Invalid, match="hostname"):
        await running.client.create(gatewaystatus.GATEWAYS, {
            **head, "kind": "Gateway", "spec": {"gatewayClassName": gatewayapi.CLASS, "listeners": [listener]},
        })  # fmt: skip
