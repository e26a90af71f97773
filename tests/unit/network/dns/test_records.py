"""The names of a cluster, as the Kubernetes DNS specification has them."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.network.dns import records
from pybernetes.network.dns.records import Answer
from pybernetes.network.index import SERVICES, SLICES, ServiceIndex

ZONE = "cluster.local"


def service(name: str, namespace: str = "default", **spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"ports": ports, **spec}}


def endpoint_slice(name: str, *endpoints: Obj) -> Obj:
    return {
        "metadata": {"namespace": "default", "name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }


@pytest.fixture
def index() -> ServiceIndex:
    made = ServiceIndex()
    rows = [
        service("web", clusterIP="10.96.0.7", clusterIPs=["10.96.0.7", "fd00::7"]),
        service("db", clusterIP="None"),
        service("empty", clusterIP="None"),
        service("patient", clusterIP="None", publishNotReadyAddresses=True),
        service("shop", type="ExternalName", externalName="shop.example.com."),
        service("inner", type="ExternalName", externalName="web.default.svc.cluster.local"),
        service("circle", type="ExternalName", externalName="inner.default.svc.cluster.local"),
        service("kube-dns", "kube-system", clusterIP="10.96.0.10"),
    ]
    made.apply(SERVICES, [(None, row) for row in rows])
    unready = {"addresses": ["10.0.0.9"], "conditions": {"ready": False}}
    named = {"addresses": ["10.0.0.2"], "hostname": "db-0", "conditions": {"ready": True}}
    slices = [
        endpoint_slice("db", named, {"addresses": ["10.0.0.3"]}, unready),
        endpoint_slice("patient", unready),
    ]
    made.apply(SLICES, [(None, one) for one in slices])
    return made


def ask(index: ServiceIndex, name: str, type_: str = "A") -> Answer:
    return records.lookup(index, ZONE, f"{name}.{ZONE}" if name else ZONE, type_)


def told(index: ServiceIndex, name: str, type_: str = "A") -> tuple[str, list[Any]]:
    answer = ask(index, name, type_)
    return answer.status, [record.data for record in answer.records]


@pytest.mark.parametrize(
    ("name", "type_", "status", "data"),
    [
        ("web.default.svc", "A", "ok", ["10.96.0.7"]),
        ("web.default.svc", "AAAA", "ok", ["fd00::7"]),
        ("web.default.svc", "TXT", "ok", []),
        ("web.other.svc", "A", "nxdomain", []),
        ("x.web.default.svc", "A", "nxdomain", []),
        ("default.svc", "A", "ok", []),
        ("nowhere.svc", "A", "nxdomain", []),
        ("svc", "A", "ok", []),
        ("db.default.svc", "A", "ok", ["10.0.0.2", "10.0.0.3"]),
        ("db-0.db.default.svc", "A", "ok", ["10.0.0.2"]),
        ("10-0-0-3.db.default.svc", "A", "ok", ["10.0.0.3"]),
        ("db-1.db.default.svc", "A", "nxdomain", []),
        ("empty.default.svc", "A", "nxdomain", []),
        ("patient.default.svc", "A", "ok", ["10.0.0.9"]),
        ("shop.default.svc", "CNAME", "ok", ["shop.example.com"]),
        ("inner.default.svc", "A", "ok", ["web.default.svc.cluster.local", "10.96.0.7"]),
        ("circle.default.svc", "A", "ok", ["inner.default.svc.cluster.local"]),
        ("10-1-2-3.default.pod", "A", "ok", ["10.1.2.3"]),
        ("10-1-2-3.default.pod", "AAAA", "ok", []),
        ("fd00--3.default.pod", "AAAA", "ok", ["fd00::3"]),
        ("hello.default.pod", "A", "nxdomain", []),
        ("dns-version", "TXT", "ok", ["1.1.0"]),
        ("ns.dns", "A", "ok", ["10.96.0.10"]),
        ("", "NS", "ok", ["ns.dns.cluster.local"]),
        ("web.default", "A", "nxdomain", []),
    ],
)
def test_a_name_leads_to_what_it_stands_for(
    index: ServiceIndex, name: str, type_: str, status: str, data: list[str]
) -> None:
    assert told(index, name, type_) == (status, data)


def test_a_port_of_a_service_is_found_by_srv(index: ServiceIndex) -> None:
    answer = ask(index, "_http._tcp.web.default.svc", "SRV")
    assert [(r.name, r.data) for r in answer.records] == [
        ("_http._tcp.web.default.svc.cluster.local", (0, 100, 80, "web.default.svc.cluster.local"))
    ]
    assert {r.data for r in answer.additional} == {"10.96.0.7", "fd00::7"}
    assert told(index, "_http._udp.web.default.svc", "SRV") == ("nxdomain", [])
    assert told(index, "_http._tcp.web.default.svc", "A") == ("ok", [])


def test_a_port_of_a_headless_service_leads_to_each_endpoint(index: ServiceIndex) -> None:
    answer = ask(index, "_http._tcp.db.default.svc", "SRV")
    assert [r.data for r in answer.records] == [
        (0, 50, 8080, "db-0.db.default.svc.cluster.local"),
        (0, 50, 8080, "10-0-0-3.db.default.svc.cluster.local"),
    ]
    assert [(r.name, r.data) for r in answer.additional] == [
        ("db-0.db.default.svc.cluster.local", "10.0.0.2"),
        ("10-0-0-3.db.default.svc.cluster.local", "10.0.0.3"),
    ]


def test_a_name_that_leads_outside_says_where(index: ServiceIndex) -> None:
    answer = ask(index, "shop.default.svc", "A")
    assert [(r.type, r.data) for r in answer.records] == [("CNAME", "shop.example.com")]
    assert answer.elsewhere == "shop.example.com"


def test_other_names_are_none_of_this_zone(index: ServiceIndex) -> None:
    assert records.lookup(index, ZONE, "example.com", "A").status == "outside"
    assert records.lookup(index, ZONE, "notcluster.local", "A").status == "outside"


def test_addresses_have_names(index: ServiceIndex) -> None:
    assert records.reverse_names(index, ZONE, ("default", "web")) == {
        "10.96.0.7": "web.default.svc.cluster.local",
        "fd00::7": "web.default.svc.cluster.local",
    }
    assert records.reverse_names(index, ZONE, ("default", "db")) == {
        "10.0.0.2": "db-0.db.default.svc.cluster.local",
        "10.0.0.3": "10-0-0-3.db.default.svc.cluster.local",
    }
    assert records.reverse_names(index, ZONE, ("default", "gone")) == {}


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("7.0.96.10.in-addr.arpa", "10.96.0.7"),
        ("7." + "0." * 27 + "0.0.d.f.ip6.arpa", "fd00::7"),
        ("96.10.in-addr.arpa", None),
        ("x.ip6.arpa", None),
        ("web.default.svc.cluster.local", None),
    ],
)
def test_a_reverse_name_stands_for_an_address(name: str, address: str | None) -> None:
    assert records.address_of(name) == address
