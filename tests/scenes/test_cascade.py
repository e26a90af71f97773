"""A Deployment is deleted in each of the three ways while all controllers run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.controllers import table
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from .running import Running, control_plane, namespace


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with control_plane(lambda kinds: table.controllers(table.Options(kinds=kinds, root_ca="PEM"))) as made:
        await made.client.create("namespaces", namespace("shop"))
        await made.comes("serviceaccounts", "default", "shop")
        await made.client.create("deployments.apps", deployment())
        await made.until("deployments.apps", "web", lambda obj: replicas(obj) == 3, "shop")
        yield made


def deployment() -> Obj:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
    }


def replicas(obj: Obj | None) -> int:
    return int(objects.get(obj, "status", "replicas", default=0))


async def counts(running: Running) -> list[int]:
    return [len(await running.names(resource, "shop")) for resource in ("deployments.apps", "replicasets.apps", "pods")]


async def sets_and_pods_are_gone(running: Running, sets: list[str], pods: list[str]) -> None:
    for name in sets:
        await running.goes("replicasets.apps", name, "shop")
    for name in pods:
        await running.goes("pods", name, "shop")


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
async def test_its_sets_and_pods_go_with_it(running: Running, propagation: str) -> None:
    sets, pods = await running.names("replicasets.apps", "shop"), await running.names("pods", "shop")
    await running.client.delete("deployments.apps", "web", "shop", propagation=propagation)
    await running.goes("deployments.apps", "web", "shop")
    await sets_and_pods_are_gone(running, sets, pods)
    assert await counts(running) == [0, 0, 0]


async def test_as_orphans_they_live_on_and_a_new_deployment_takes_them_in(running: Running) -> None:
    sets, pods = await running.names("replicasets.apps", "shop"), await running.names("pods", "shop")
    await running.client.delete("deployments.apps", "web", "shop", propagation="Orphan")
    await running.goes("deployments.apps", "web", "shop")
    (orphan,) = (await running.client.list("replicasets.apps", "shop"))["items"]
    assert objects.owners(orphan) == []
    await running.client.create("deployments.apps", deployment())
    await running.until("deployments.apps", "web", lambda obj: replicas(obj) == 3, "shop")
    assert (await running.names("replicasets.apps", "shop"), await running.names("pods", "shop")) == (sets, pods)


async def test_they_go_with_their_namespace_and_none_is_made_again(running: Running) -> None:
    await running.client.delete("namespaces", "shop")
    await running.goes("namespaces", "shop", "")
    assert await counts(running) == [0, 0, 0]
