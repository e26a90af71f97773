"""Where a node sends traffic to a service: pkg/proxy/topology.go's rules."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.network.proxy import model
from pybernetes.network.proxy.model import Endpoint, ServicePort, Stale

HERE = "node-1"


def service(**spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}]
    return {
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ports": ports, **spec},
    }


def endpoint(address: str, node: str = HERE, **conditions: bool) -> Obj:
    return {"addresses": [address], "nodeName": node, "conditions": conditions}


def sliced(*endpoints: Obj, protocol: str = "TCP") -> list[Obj]:
    ports = [{"name": "http", "port": 8080, "protocol": protocol}]
    return [{"addressType": "IPv4", "ports": ports, "endpoints": list(endpoints)}]


def port(found: Obj, *endpoints: Obj) -> ServicePort:
    (only,) = model.service_ports(found, sliced(*endpoints), HERE)
    return only


def addresses(endpoints: tuple[Endpoint, ...]) -> list[str]:
    return [e.address for e in endpoints]


def test_a_port_goes_to_its_ready_endpoints() -> None:
    found = port(service(), endpoint("10.0.0.2", ready=True), endpoint("10.0.1.2", "node-2"))
    assert found.internal == (Endpoint("10.0.0.2", 8080, True), Endpoint("10.0.1.2", 8080, False))
    assert (found.name, found.protocol, found.port) == ("default/web/tcp/80", "tcp", 80)
    assert (found.cluster_ips, found.node_port) == (("10.96.0.7",), 0)


def test_what_is_not_ready_gets_nothing() -> None:
    found = port(service(), endpoint("10.0.0.2", ready=False), endpoint("10.0.0.3"))
    assert addresses(found.internal) == ["10.0.0.3"]


def test_where_none_is_ready_those_serve_that_are_leaving() -> None:
    leaving = endpoint("10.0.0.2", ready=False, serving=True, terminating=True)
    broken = endpoint("10.0.0.3", ready=False, serving=False, terminating=True)
    assert addresses(port(service(), leaving, broken).internal) == ["10.0.0.2"]
    assert addresses(port(service(), leaving, broken, endpoint("10.0.0.4")).internal) == ["10.0.0.4"]


def test_a_port_without_endpoints_refuses() -> None:
    found = port(service())
    assert (found.internal, found.internal_fate, found.external_fate) == ((), "reject", "reject")


def test_a_local_policy_keeps_to_this_node_and_drops_where_only_others_have_endpoints() -> None:
    there = endpoint("10.0.1.2", "node-2")
    local = service(externalTrafficPolicy="Local", type="NodePort")
    found = port(local, there)
    assert (addresses(found.internal), found.internal_fate) == (["10.0.1.2"], "serve")
    assert (found.external, found.external_fate, found.keeps_client) == ((), "drop", True)
    both = port(local, there, endpoint("10.0.0.2"))
    assert addresses(both.external) == ["10.0.0.2"]
    assert port(service(internalTrafficPolicy="Local"), there).internal_fate == "drop"


def test_services_without_a_cluster_address_have_no_ports() -> None:
    headless = service(clusterIP="None", clusterIPs=["None"])
    elsewhere = {"metadata": {}, "spec": {"type": "ExternalName", "externalName": "example.com"}}
    assert model.service_ports(headless, sliced(endpoint("10.0.0.2")), HERE) == ()
    assert model.service_ports(elsewhere, [], HERE) == ()
    assert model.service_ports(None, [], HERE) == ()


def test_a_node_port_is_one_only_while_the_type_says_so() -> None:
    ports = [{"name": "http", "port": 80, "nodePort": 30080}]
    assert port(service(type="NodePort", ports=ports)).node_port == 30080
    assert port(service(type="ClusterIP", ports=ports)).node_port == 0


def test_external_addresses_are_those_told_and_those_balanced() -> None:
    found = service(type="LoadBalancer", externalIPs=["192.0.2.1", "2001:db8::1"])
    found["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}, {"ip": "192.0.2.8", "ipMode": "Proxy"}]}}
    assert port(found).external_ips == ("192.0.2.1", "192.0.2.9")


def test_a_client_stays_for_three_hours_unless_said_otherwise() -> None:
    config = {"clientIP": {"timeoutSeconds": 20}}
    assert port(service()).affinity_seconds == 0
    assert port(service(sessionAffinity="ClientIP")).affinity_seconds == 10800
    assert port(service(sessionAffinity="ClientIP", sessionAffinityConfig=config)).affinity_seconds == 20


def test_ports_find_their_endpoints_by_name_and_protocol() -> None:
    found = service(ports=[{"name": "http", "port": 53, "protocol": "UDP"}, {"name": "other", "port": 80}])
    udp, other = model.service_ports(found, sliced(endpoint("10.0.0.2"), protocol="UDP"), HERE)
    assert (addresses(udp.internal), other.internal) == (["10.0.0.2"], ())


def test_udp_flows_to_a_gone_endpoint_are_forgotten() -> None:
    dns = service(type="NodePort", ports=[{"name": "http", "port": 53, "protocol": "UDP", "nodePort": 30053}])

    def at(*names: str) -> tuple[ServicePort, ...]:
        return model.service_ports(dns, sliced(*map(endpoint, names), protocol="UDP"), HERE)

    assert model.stale(at("10.0.0.2", "10.0.0.3"), at("10.0.0.3")) == {
        Stale("10.96.0.7", 53, "10.0.0.2"),
        Stale("", 30053, "10.0.0.2"),
    }
    assert model.stale(at(), at("10.0.0.2")) == {Stale("10.96.0.7", 53), Stale("", 30053)}
    assert model.stale(at("10.0.0.2"), ()) == {Stale("10.96.0.7", 53, "10.0.0.2"), Stale("", 30053, "10.0.0.2")}


def test_tcp_flows_end_by_themselves() -> None:
    tcp = model.service_ports(service(), sliced(endpoint("10.0.0.2")), HERE)
    assert model.stale(tcp, ()) == set()


# ── hints ────────────────────────────────────────────────────────────────────────────────────────────────


def hinted(address: str, zone: str, *, key: str = "forZones", **conditions: bool) -> Obj:
    return {**endpoint(address, "node-2", **conditions), "hints": {key: [{"name": zone}]}}


def near(*endpoints: Obj, zone: str = "z1", **spec: Any) -> list[str]:
    (only,) = model.service_ports(service(**spec), sliced(*endpoints), HERE, zone)
    return addresses(only.internal)


def test_hints_keep_traffic_in_the_zone_of_the_node() -> None:
    assert near(hinted("10.0.0.2", "z1"), hinted("10.0.0.3", "z2")) == ["10.0.0.2"]


def test_hints_are_followed_only_where_all_that_are_ready_have_them_and_one_means_us() -> None:
    both = ["10.0.0.2", "10.0.0.3"]
    assert near(hinted("10.0.0.2", "z1"), endpoint("10.0.0.3")) == both
    assert near(hinted("10.0.0.2", "z2"), hinted("10.0.0.3", "z3")) == both
    assert near(hinted("10.0.0.2", "z1"), hinted("10.0.0.3", "z2"), zone="") == both
    assert near(hinted("10.0.0.2", "z1"), endpoint("10.0.0.3", ready=False)) == ["10.0.0.2"]
    assert near(hinted("10.0.0.2", "z1", ready=False), hinted("10.0.0.3", "z2")) == ["10.0.0.3"]


def test_a_hint_for_the_node_is_nearer_than_one_for_its_zone() -> None:
    here = {**hinted("10.0.0.2", HERE, key="forNodes")}
    there = {**hinted("10.0.0.3", "node-2", key="forNodes")}
    for each in (here, there):
        each["hints"] = {**each["hints"], "forZones": [{"name": "z1"}]}
    assert near(here, there) == ["10.0.0.2"]
    assert near(there) == ["10.0.0.3"]


def test_a_local_policy_is_stronger_than_hints() -> None:
    assert near(hinted("10.0.0.2", "z1"), endpoint("10.0.0.3"), internalTrafficPolicy="Local") == ["10.0.0.3"]


# ── load balancers ───────────────────────────────────────────────────────────────────────────────────────


def test_sources_of_a_balancer_are_told_without_overlap() -> None:
    found = port(
        {
            **service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"]),
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
        }
    )
    assert (found.balanced_ips, found.source_ranges) == (("192.0.2.1",), ("10.0.0.0/8",))


def test_a_health_check_counts_the_ready_endpoints_of_the_node() -> None:
    local = service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31999)
    slices = sliced(endpoint("10.0.0.2"), endpoint("10.0.0.3", ready=False), endpoint("10.0.1.2", "node-2"))
    assert model.health_check(local, slices, HERE) == model.HealthCheck(31999, 1)
    assert model.health_check(service(healthCheckNodePort=31999), slices, HERE) is None
