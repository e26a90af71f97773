"""Every node has its part of the pod network, and no address is given twice."""

from __future__ import annotations

import pytest

from pybernetes.network import addresses


@pytest.mark.parametrize(
    ("network", "index", "length", "cidr"),
    [
        ("10.244.0.0/16", 0, 24, "10.244.0.0/24"),
        ("10.244.0.0/16", 3, 24, "10.244.3.0/24"),
        ("10.244.0.0/16", 255, 24, "10.244.255.0/24"),
        ("10.0.0.0/8", 256, 24, "10.1.0.0/24"),
        ("10.0.0.0/24", 0, 24, "10.0.0.0/24"),
        ("fd00::/48", 2, 64, "fd00:0:0:2::/64"),
    ],
)
def test_a_node_has_the_part_of_its_number(network: str, index: int, length: int, cidr: str) -> None:
    assert addresses.pod_cidr(network, index, length) == cidr


@pytest.mark.parametrize(("index", "length"), [(256, 24), (-1, 24), (0, 8)])
def test_a_network_has_no_more_parts_than_fit(index: int, length: int) -> None:
    with pytest.raises(addresses.Exhausted, match=r"10\.244\.0\.0/16 has no part number"):
        addresses.pod_cidr("10.244.0.0/16", index, length)


def test_a_pool_leaves_out_the_gateway_and_both_ends() -> None:
    pool = addresses.Pool("10.1.2.0/29")
    assert [pool.take() for _ in range(5)] == [f"10.1.2.{last}" for last in (2, 3, 4, 5, 6)]
    with pytest.raises(addresses.Exhausted, match="all 5 are taken"):
        pool.take()


def test_a_released_address_rests_before_it_is_used_again() -> None:
    pool = addresses.Pool("10.1.2.0/29")
    first = pool.take()
    pool.release(first)
    assert pool.take() != first
    assert [pool.take() for _ in range(4)][-1] == first


def test_what_is_taken_already_is_not_handed_out() -> None:
    pool = addresses.Pool("10.1.2.0/29", taken=["10.1.2.2", "10.1.2.4"])
    assert [pool.take(), pool.take()] == ["10.1.2.3", "10.1.2.5"]


def test_an_address_can_be_claimed_once_and_only_from_its_network() -> None:
    pool = addresses.Pool("10.1.2.0/29")
    assert pool.claim("10.1.2.2")
    assert not pool.claim("10.1.2.2")
    assert not pool.claim("10.1.2.1")
    assert not pool.claim("10.9.9.9")
    assert pool.take() == "10.1.2.3"
