"""Services get addresses and node ports of their own, and give them back."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, evolve

from .server import ADMIN, Server


def service(name: str = "web", **spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80}]
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": ports, "selector": {"a": "b"}, **spec},
    }


def node_port(number: int) -> dict[str, Any]:
    return {"type": "NodePort", "ports": [{"name": "http", "port": 80, "nodePort": number}]}


async def test_a_service_gets_an_address_of_the_range(server: Server) -> None:
    spec = (await server.client.create("services", service()))["spec"]
    assert ipaddress.ip_address(spec["clusterIP"]) in ipaddress.ip_network("10.96.0.0/12")
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


async def test_a_node_port_service_gets_a_port_for_each_of_its_ports(server: Server) -> None:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53},
        {"name": "web", "port": 80},
    ]
    spec = (await server.client.create("services", service(type="NodePort", ports=ports)))["spec"]
    first, second, third = (port["nodePort"] for port in spec["ports"])
    assert 30000 <= first <= 32767
    assert first == second != third


async def test_headless_and_external_services_get_nothing(server: Server) -> None:
    headless = (await server.client.create("services", service(clusterIP="None")))["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])
    external = service("out", type="ExternalName", externalName="example.com", ports=[])
    assert "clusterIP" not in (await server.client.create("services", external))["spec"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"clusterIP": "10.96.0.10"}, "spec.clusterIPs: .*failed to allocate IP 10.96.0.10: provided IP is already"),
        (
            {"clusterIP": "10.1.0.1"},
            r"the provided IP \(10.1.0.1\) is not in the valid range. The range of valid IPs is",
        ),
        (node_port(31000), r"spec.ports\[0\].nodePort: Invalid value: 31000: provided port is already allocated"),
        (node_port(80), "provided port is not in the valid range. The range of valid ports is 30000-32767"),
        ({"ipFamilyPolicy": "RequireDualStack"}, "this cluster is not configured for dual-stack services"),
        ({"ipFamilies": ["IPv6"]}, r"spec.ipFamilies\[0\]: Invalid value: \"IPv6\": not configured on this cluster"),
    ],
)
async def test_what_cannot_be_had_is_refused(server: Server, spec: Obj, told: str) -> None:
    await server.client.create("services", service("first", clusterIP="10.96.0.10", **node_port(31000)))
    with pytest.raises(errors.Invalid, match=told):
        await server.client.create("services", service(**spec))


async def test_what_a_service_had_is_free_when_it_is_gone_or_needs_it_no_more(server: Server) -> None:
    asked = {"clusterIP": "10.96.0.10", **node_port(31000)}
    first = await server.client.create("services", service("first", **asked))
    plain = evolve(first, ("spec", "type"), "ClusterIP")
    await server.client.update("services", plain)
    await server.client.create("services", service("second", **node_port(31000)))
    await server.client.delete("services", "first", "default")
    assert (await server.client.create("services", service("third", clusterIP="10.96.0.10")))["spec"]["clusterIP"]


async def test_a_refused_or_dry_creation_takes_nothing(server: Server) -> None:
    await server.client.create("services", service("web"))
    with pytest.raises(errors.AlreadyExists):
        await server.client.create("services", service("web", clusterIP="10.96.0.10"))
    path = "/api/v1/namespaces/default/services"
    dry = await server.http("POST", path, service("dry", clusterIP="10.96.0.10"), query={"dryRun": "All"})
    assert dry.status == 201
    assert await server.client.create("services", service("late", clusterIP="10.96.0.10"))


async def test_a_server_that_starts_again_knows_what_is_taken(server: Server) -> None:
    await server.client.create("services", service("first", clusterIP="10.96.0.10", **node_port(31000)))
    again = server.restarted().client(ADMIN)
    for spec in ({"clusterIP": "10.96.0.10"}, node_port(31000)):
        with pytest.raises(errors.Invalid, match="already allocated"):
            await again.create("services", service("second", **spec))


async def test_an_update_keeps_what_the_client_leaves_out(server: Server) -> None:
    made = await server.client.create("services", service(type="NodePort"))
    updated = await server.client.update("services", service(type="NodePort", sessionAffinity="ClientIP"))
    assert updated["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert updated["spec"]["ports"] == made["spec"]["ports"]
    changed = await server.client.patch("services", "web", {"spec": {"type": "ClusterIP"}}, namespace="default")
    assert "nodePort" not in changed["spec"]["ports"][0]
