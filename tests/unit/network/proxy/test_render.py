"""Service ports in nftables' words, to the letter."""

from __future__ import annotations

from dataclasses import replace

from pybernetes.network.proxy import render
from pybernetes.network.proxy.model import Endpoint, ServicePort
from pybernetes.network.ruleset import NOTHING, Fragment, compose

HERE, THERE = Endpoint("10.244.1.2", 8080, True), Endpoint("10.244.2.3", 8080)
PORT = ServicePort(
    name="default/web/tcp/80", protocol="tcp", port=80, cluster_ips=("10.96.0.7",), external_ips=(), node_port=0,
    affinity_seconds=0, internal=(HERE, THERE), internal_fate="serve", external=(HERE, THERE), external_fate="serve",
    keeps_client=False,
)  # fmt: skip
NONE = replace(PORT, internal=(), external=(), internal_fate="reject", external_fate="reject")
T = "ip pybernetes-proxy"


def script(port: ServicePort) -> list[str]:
    return render.TABLE.difference(NOTHING, render.fragment([port], "10.244.1.0/24")).splitlines()


def test_a_cluster_address_leads_to_one_endpoint_or_the_other() -> None:
    assert script(PORT) == [
        f"add chain {T} svc/default/web/tcp/80",
        f"add rule {T} svc/default/web/tcp/80 ip daddr {{ 10.96.0.7 }} ip saddr != 10.244.1.0/24"
        " meta mark set meta mark or 0x4000",
        f"add rule {T} svc/default/web/tcp/80 meta l4proto tcp dnat ip to numgen random mod 2 map"
        " { 0 : 10.244.1.2 . 8080, 1 : 10.244.2.3 . 8080 }",
        f"add element {T} cluster_ips {{ 10.96.0.7 }}",
        f"add element {T} hairpin {{ 10.244.1.2 . 10.244.1.2 }}",
        f"add element {T} services {{ 10.96.0.7 . tcp . 80 : goto svc/default/web/tcp/80 }}",
    ]


def test_a_node_port_hides_its_client_and_goes_the_inner_way() -> None:
    lines = script(replace(PORT, node_port=30080))
    assert f"add rule {T} ext/default/web/tcp/80 meta mark set meta mark or 0x4000" in lines
    assert f"add rule {T} ext/default/web/tcp/80 goto svc/default/web/tcp/80" in lines
    assert f"add element {T} nodeports {{ tcp . 30080 : goto ext/default/web/tcp/80 }}" in lines


def test_a_local_policy_keeps_the_client_except_for_those_inside() -> None:
    lines = script(replace(PORT, node_port=30080, external=(HERE,), keeps_client=True))
    assert [line for line in lines if line.startswith(f"add rule {T} ext/")] == [
        f"add rule {T} ext/default/web/tcp/80 ip saddr 10.244.1.0/24 goto svc/default/web/tcp/80",
        f"add rule {T} ext/default/web/tcp/80 fib saddr type local meta mark set meta mark or 0x4000"
        " goto svc/default/web/tcp/80",
        f"add rule {T} ext/default/web/tcp/80 meta l4proto tcp dnat to 10.244.1.2:8080",
    ]


def test_a_port_without_endpoints_is_refused_or_dropped_but_never_rewritten() -> None:
    assert script(NONE) == [
        f"add element {T} cluster_ips {{ 10.96.0.7 }}",
        f"add element {T} refused {{ 10.96.0.7 . tcp . 80 : goto refuse }}",
    ]
    dropped = replace(PORT, node_port=30080, external=(), external_fate="drop", keeps_client=True)
    assert f"add element {T} refused_nodeports {{ tcp . 30080 : drop }}" in script(dropped)


def test_a_client_stays_with_its_endpoint() -> None:
    lines = script(replace(PORT, affinity_seconds=60, internal=(HERE,), external=(HERE,)))
    name = "svc/default/web/tcp/80/10.244.1.2/8080"
    assert f"add set {T} clients/60/{name} {{ type ipv4_addr; flags dynamic,timeout; timeout 60s; }}" in lines
    assert f"add rule {T} ep/60/{name} update @clients/60/{name} {{ ip saddr }}" in lines
    assert f"add rule {T} ep/60/{name} meta l4proto tcp dnat to 10.244.1.2:8080" in lines
    assert [line.partition("tcp/80 ")[2] for line in lines if line.startswith(f"add rule {T} svc/")][1:] == [
        f"ip saddr @clients/60/{name} goto ep/60/{name}",
        f"numgen random mod 1 vmap {{ 0 : goto ep/60/{name} }}",
    ]


def test_what_did_not_change_is_not_told() -> None:
    rules = render.fragment([PORT])
    assert render.TABLE.difference(rules, rules) == ""


def test_a_change_of_endpoints_rewrites_one_chain() -> None:
    old, new = render.fragment([PORT]), render.fragment([replace(PORT, internal=(THERE,), external=(THERE,))])
    assert render.TABLE.difference(old, new).splitlines() == [
        f"delete element {T} hairpin {{ 10.244.1.2 . 10.244.1.2 }}",
        f"flush chain {T} svc/default/web/tcp/80",
        f"add rule {T} svc/default/web/tcp/80 meta l4proto tcp dnat to 10.244.2.3:8080",
    ]


def test_elements_go_before_their_chains_and_come_after_them() -> None:
    lines = render.TABLE.difference(render.fragment([PORT]), render.fragment([NONE])).splitlines()
    assert lines == [
        f"delete element {T} hairpin {{ 10.244.1.2 . 10.244.1.2 }}",
        f"delete element {T} services {{ 10.96.0.7 . tcp . 80 }}",
        f"flush chain {T} svc/default/web/tcp/80",
        f"delete chain {T} svc/default/web/tcp/80",
        f"add element {T} refused {{ 10.96.0.7 . tcp . 80 : goto refuse }}",
    ]


def test_of_two_who_claim_an_address_the_first_by_name_has_it() -> None:
    key = ("services", "192.0.2.1 . tcp . 80")
    first, second = Fragment(elements={key: "goto a"}), Fragment(elements={key: "goto b"})
    both = {("default", "a"): first, ("default", "b"): second}
    assert compose(both).elements == {key: "goto a"}


def test_the_whole_table_replaces_whatever_is_there() -> None:
    text = render.TABLE.whole(render.fragment([PORT]))
    assert text.startswith(f"add table {T}\ndelete table {T}\ntable {T} {{\n")
    assert text.endswith("{ 10.96.0.7 . tcp . 80 : goto svc/default/web/tcp/80 }\n")
