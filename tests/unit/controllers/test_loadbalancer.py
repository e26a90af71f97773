"""Addresses of load balancers: who gets which, who keeps, who waits."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import Event, Update
from pybernetes.control.controller import Key
from pybernetes.controllers import addresspool, loadbalancer
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build

POOL = addresspool.parse("192.0.2.1-192.0.2.2")


def service(name: str, *, has: str = "", age: int = 0, **spec: Any) -> Obj:
    ingress = [{"ip": has, "ipMode": "VIP"}] if has else []
    return {
        "metadata": {"namespace": "x", "name": name, "creationTimestamp": f"2026-01-01T00:00:{age:02}Z"},
        "spec": {"type": "LoadBalancer", **spec},
        "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
    }


def plan(*services: Obj) -> dict[str, str]:
    """Name → what is written (the address, or empty) or the reason of an event that tells why nothing is."""
    found: dict[str, str] = {}
    for action in loadbalancer.controller(POOL).plan(
        build.Snapshot(services=list(services)), Key("", "addresses"), 0.0
    ):
        if isinstance(action, Update):
            found[objects.name(action.obj)] = loadbalancer.address(action.obj)
        elif isinstance(action, Event) and action.type == "Warning":
            found[objects.name(action.regarding)] = action.message.rpartition(": ")[2]
    return found


def test_addresses_are_given_in_order_until_none_is_left() -> None:
    assert plan(service("a"), service("b", age=1), service("c", age=2)) == {
        "a": "192.0.2.1", "b": "192.0.2.2", "c": "no address of the pool is free",
    }  # fmt: skip


def test_who_has_an_address_keeps_it_also_against_those_who_were_first() -> None:
    assert plan(service("old"), service("new", age=1, has="192.0.2.1")) == {"old": "192.0.2.2"}


def test_an_address_can_be_asked_for() -> None:
    assert plan(service("any"), service("sure", age=1, loadBalancerIP="192.0.2.1")) == {
        "sure": "192.0.2.1", "any": "192.0.2.2",
    }  # fmt: skip
    assert plan(service("a", has="192.0.2.1"), service("b", age=1, loadBalancerIP="192.0.2.1")) == {
        "b": "192.0.2.1 is in use by another service"
    }
    assert plan(service("a", loadBalancerIP="198.51.100.1")) == {"a": "198.51.100.1 is not in the pool"}


def test_an_address_is_given_back_by_a_service_that_is_no_load_balancer_any_more() -> None:
    assert plan(service("a", has="192.0.2.1", type="ClusterIP"), service("b")) == {"a": "", "b": "192.0.2.1"}


def test_an_address_that_has_left_the_pool_is_replaced() -> None:
    assert plan(service("a", has="198.51.100.1")) == {"a": "192.0.2.1"}


def test_services_of_another_class_are_left_alone() -> None:
    assert plan(service("a", loadBalancerClass="example.com/other", has="198.51.100.1")) == {}
    assert plan(service("a", loadBalancerClass=loadbalancer.CLASS)) == {"a": "192.0.2.1"}


@pytest.mark.parametrize("text", ["nonsense", "192.0.2.9-192.0.2.1", "192.0.2.1/24", "fd00::1-fd00::2"])
def test_what_is_no_pool_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition("-")[0]):
        addresspool.parse(text)


def test_a_pool_is_ranges_and_networks() -> None:
    pool = addresspool.parse("192.0.2.7, 198.51.100.0/30")
    assert "192.0.2.7" in pool and "198.51.100.3" in pool and "192.0.2.8" not in pool
    assert pool.free({"192.0.2.7"}) == "198.51.100.0"
