"""Clusters behind a port, for tests that have no event loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pybernetes.client import http
from pybernetes.kinds import table
from pybernetes.lib.clock import SystemClock
from pybernetes.meta import errors, objects
from pybernetes.testing.served import Credentials, Served, Settings

POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: 'i:1'}]}}"
MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: shared}, data: {a: '1'}}"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials.make(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def served(credentials: Credentials, tmp_path: Path) -> Iterator[Served]:
    with Served(credentials, tmp_path / "kubeconfig", Settings(virtual_clock=True)) as made:
        yield made


def is_running(pod: objects.Obj) -> bool:
    return objects.get(pod, "status", "phase") == "Running"


def test_what_is_applied_comes_to_life(served: Served) -> None:
    served.apply(POD + "\n---\n" + MAP)
    assert objects.get(served.until("pods", "p", is_running), "spec", "nodeName") == "node-1"
    assert [objects.name(each) for each in served.client.list("pods", "default")] == ["p"]
    served.client.delete("pods", "p", "default")
    served.until_gone("pods", "p")


def test_an_unknown_kind_is_refused(served: Served) -> None:
    with pytest.raises(errors.NotFound, match='no matches for kind "Cat"'):
        served.apply({"apiVersion": "v1", "kind": "Cat", "metadata": {"name": "tom"}})


def test_a_certificate_is_good_however_far_the_clock_is_turned(credentials: Credentials, tmp_path: Path) -> None:
    """Who makes certificates and who checks them outside have not turned theirs."""
    years = 3 * 365 * 24 * 3600.0
    config = tmp_path / "kubeconfig"
    with Served(credentials, config, Settings(virtual_clock=True), ahead=years) as made:
        assert made.clock.now() > SystemClock().time() + years - 10
        client = http.from_kubeconfig(config, SystemClock(), table.builtin())
        assert made.run(client.get("namespaces", "default"))["status"]["phase"] == "Active"
        made.run(client.close())


def test_a_fork_begins_with_what_there_is_and_goes_its_own_way(served: Served, tmp_path: Path) -> None:
    served.apply(MAP)
    served.clock.advance(100)
    with served.fork(tmp_path / "other") as other:
        assert other.clock.now() - served.clock.now() < 10
        other.client.delete("configmaps", "shared", "default")
        other.apply(POD)
        other.until("pods", "p", is_running)
    assert served.client.find("configmaps", "shared", "default")
    assert served.client.find("pods", "p", "default") is None


def test_a_clock_that_nobody_turns_says_so(credentials: Credentials, tmp_path: Path) -> None:
    with (
        Served(credentials, tmp_path / "kubeconfig") as made,
        pytest.raises(RuntimeError, match="virtual_clock=True"),
    ):
        made.clock.advance(1)
