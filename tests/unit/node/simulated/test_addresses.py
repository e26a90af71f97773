"""The addresses of a simulated node's pods: each once, until all are taken."""

from __future__ import annotations

from pybernetes.node.simulated.addresses import Addresses


def test_every_host_but_the_node_itself_and_the_broadcast_is_given_once() -> None:
    pool = Addresses("100.64.7.0/29")
    assert pool.gateway == "100.64.7.1"
    assert [pool.take() for _ in range(6)] == [*(f"100.64.7.{n}" for n in range(2, 7)), None]


def test_what_was_given_back_rests_before_it_is_used_again() -> None:
    pool = Addresses("100.64.7.0/29")
    first = pool.take()
    assert first is not None
    pool.release(first)
    assert [pool.take() for _ in range(5)] == [*(f"100.64.7.{n}" for n in range(3, 7)), first]


def test_what_a_pod_has_already_is_not_given_to_another() -> None:
    pool = Addresses("100.64.7.0/29")
    pool.claim("100.64.7.3")
    pool.claim("10.0.0.1")
    assert [pool.take(), pool.take()] == ["100.64.7.2", "100.64.7.4"]
