"""What a pod takes of a node, where containers, sidecars and init containers differ."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.scheduler import requests

from .build import pod


def container(cpu: str, **more: Any) -> Obj:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}


def sidecar(cpu: str) -> Obj:
    return container(cpu, restartPolicy="Always")


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        ({"containers": [container("1"), container("500m")]}, 1500),
        ({"containers": [container("1")], "initContainers": [container("3"), container("2")]}, 3000),
        ({"containers": [container("1")], "initContainers": [sidecar("1"), container("500m")]}, 2000),
        ({"containers": [container("1")], "initContainers": [sidecar("1"), container("2")]}, 3000),
        ({"containers": [container("1")], "initContainers": [container("2"), sidecar("500m")]}, 2000),
        ({"containers": [container("1")], "overhead": {"cpu": "100m"}}, 1100),
        ({"containers": [container("1")], "resources": {"requests": {"cpu": "3"}}}, 3000),
        ({"containers": [container("0.5m")]}, 1),
    ],
)
def test_cpu_of_a_pod(spec: Obj, cpu: int) -> None:
    assert requests.of_pod({"spec": spec}) == {"cpu": cpu, "pods": 1}


def test_a_container_that_shrinks_is_counted_with_what_it_still_holds() -> None:
    shrinking = {
        **pod("p", cpu="1"),
        "status": {"containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "2"}}]},
    }
    assert requests.of_pod(shrinking)["cpu"] == 2000


def test_scores_count_something_for_each_container_that_asks_nothing() -> None:
    assert requests.for_score({"spec": {"containers": [{}, container("1")]}}) == {"cpu": 1100, "memory": 400 * 2**20}
