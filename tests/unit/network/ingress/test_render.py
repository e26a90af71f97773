"""Servers and their slots, and the words that no object can break out of."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES, ServiceIndex
from pybernetes.network.ingress import render, servers, words
from pybernetes.network.ingress.model import Backend

A, B, C = ("10.0.0.1", 80), ("10.0.0.2", 80), ("10.0.0.3", 80)


def index(*endpoints: tuple[str, bool], **spec: Any) -> ServiceIndex:
    made = ServiceIndex()
    whole = {"ports": [{"name": "http", "port": 80, "targetPort": 8080}], **spec}
    made.apply(SERVICES, [(None, {"metadata": {"name": "web", "namespace": "d"}, "spec": whole})])
    labels = {"kubernetes.io/service-name": "web"}
    endpoint_slice: Obj = {
        "metadata": {"name": "web-1", "namespace": "d", "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [a], "conditions": {"ready": ready}} for a, ready in endpoints],
        "ports": [{"name": "http", "port": 8080}],
    }
    made.apply(SLICES, [(None, endpoint_slice)])
    return made


@pytest.mark.parametrize("port", ["80", "http"])
def test_a_port_is_found_by_number_and_by_name(port: str) -> None:
    assert servers.servers(Backend("d", "web", port), index(("10.0.0.1", True))).found == (("10.0.0.1", 8080),)


def test_only_endpoints_that_are_ready_are_servers() -> None:
    found = servers.servers(
        Backend("d", "web", "80"), index(("10.0.0.2", True), ("10.0.0.1", True), ("10.0.0.3", False))
    )
    assert [address for address, _ in found.found] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        (Backend("d", "nix", "80"), "there is no Service d/nix"),
        (Backend("d", "web", "81"), "the Service web has no port 81"),
        (Backend("d", "web", "80"), "no endpoint of the Service web is ready"),
    ],
)
def test_why_there_is_no_server_is_told(backend: Backend, why: str) -> None:
    assert servers.servers(backend, index(("10.0.0.1", False))).why_none == why


def test_an_external_name_is_a_server_by_its_name() -> None:
    named = index(type="ExternalName", externalName="db.example")
    assert servers.servers(Backend("d", "web", "80"), named).found == (("db.example", 80),)


def test_whoever_has_a_slot_keeps_it() -> None:
    assert render.fill([A, B, None, None], [B, C], 4) == [C, B, None, None]
    assert render.fill([A, B], [A, B, C], 6) == [A, B, C, None, None, None]


def test_only_what_changed_is_told_to_the_running_process() -> None:
    told = render.commands("b7", [A, B, None, None], [C, B, None, None])
    assert told == ["set server b7/s0 addr 10.0.0.3 port 80", "set server b7/s0 state ready"]
    assert render.commands("b7", [A, B], [None, B]) == ["set server b7/s0 state maint"]


def test_a_value_is_one_word_whatever_is_in_it() -> None:
    assert words.quoted("it's #1") == r"'it'\''s #1'"
    assert words.formatted("100%[src]") == "'100%%[src]'"
