"""Custom resources among the controllers: what owns them, what they own, and the end of their namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.control.controller import Controller
from pybernetes.controllers import namespace as namespaces
from pybernetes.controllers.garbagecollector import row
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from .running import Running, config_map, control_plane, namespace

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
WIDGETS = "widgets.example.com"
DEFINITION: Obj = {
    "metadata": {"name": WIDGETS},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    def rows(kinds: KindTable) -> tuple[Controller, ...]:
        return (row.controller(kinds), namespaces.controller(kinds))

    async with control_plane(rows) as made:
        await made.client.create(CRDS, DEFINITION)
        await made.until(CRDS, WIDGETS, is_established, "")
        yield made


def is_established(crd: Obj | None) -> bool:
    conditions = objects.get(crd or {}, "status", "conditions", default=())
    return any((one["type"], one["status"]) == ("Established", "True") for one in conditions)


def widget(name: str, *owners: Obj, where: str = "default") -> Obj:
    return {**config_map(name, *owners, in_namespace=where), "kind": "Widget", "apiVersion": "example.com/v1"}


async def test_what_a_custom_resource_owns_goes_with_it(running: Running) -> None:
    owner = await running.client.create(WIDGETS, widget("owner"))
    await running.client.create("configmaps", config_map("owned", owner))
    await running.client.delete(WIDGETS, "owner", "default")
    await running.goes("configmaps", "owned")


async def test_a_custom_resource_goes_with_its_owner(running: Running) -> None:
    owner = await running.client.create("configmaps", config_map("owner"))
    await running.client.create(WIDGETS, widget("owned", owner))
    await running.client.delete("configmaps", "owner", "default")
    await running.goes(WIDGETS, "owned")


async def test_a_namespace_takes_its_custom_resources_along(running: Running) -> None:
    await running.client.create("namespaces", {**namespace("shop"), "spec": {"finalizers": ["kubernetes"]}})
    await running.client.create(WIDGETS, widget("inside", where="shop"))
    await running.client.delete("namespaces", "shop")
    await running.goes("namespaces", "shop", "")
    assert await running.client.find(WIDGETS, "inside", "shop") is None


async def test_a_definition_can_go_and_come_again(running: Running) -> None:
    await running.client.create(WIDGETS, widget("one"))
    await running.client.delete(CRDS, WIDGETS)
    await running.goes(CRDS, WIDGETS, "")
    await running.client.create(CRDS, DEFINITION)
    await running.until(CRDS, WIDGETS, is_established, "")
    owner = await running.client.create(WIDGETS, widget("owner"))
    await running.client.create("configmaps", config_map("owned", owner))
    await running.client.delete(WIDGETS, "owner", "default")
    await running.goes("configmaps", "owned")
