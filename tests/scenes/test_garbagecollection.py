from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.control.controller import Controller
from pybernetes.controllers.garbagecollector import row
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from .running import Running, config_map, control_plane, namespace


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    def rows(kinds: KindTable) -> tuple[Controller, ...]:
        return (row.controller(kinds),)

    async with control_plane(rows) as made:
        yield made


async def family(running: Running) -> tuple[Obj, Obj, Obj]:
    """A grandparent, its child, and that one's child."""
    create = running.client.create
    old = await create("configmaps", config_map("old"))
    middle = await create("configmaps", config_map("middle", old))
    return old, middle, await create("configmaps", config_map("young", middle))


async def test_what_an_owner_leaves_behind_goes_in_the_background(running: Running) -> None:
    await family(running)
    await running.client.delete("configmaps", "old", "default", propagation="Background")
    for name in ("old", "middle", "young"):
        await running.goes("configmaps", name)


async def test_in_the_foreground_the_youngest_go_first(running: Running) -> None:
    await family(running)
    version = (await running.client.list("configmaps", "default"))["metadata"]["resourceVersion"]
    await running.client.delete("configmaps", "old", "default", propagation="Foreground")
    await running.goes("configmaps", "old")
    gone = []
    async for batch in running.client.watch("configmaps", "default", resource_version=version):
        gone += [objects.name(obj) for kind, obj in batch if kind == "DELETED"]
        if len(gone) == 3:
            break
    assert gone == ["young", "middle", "old"]


async def test_a_dependent_that_a_finalizer_keeps_holds_its_owner_in_the_foreground(running: Running) -> None:
    old = await running.client.create("configmaps", config_map("old"))
    await running.client.create("configmaps", config_map("kept", old, finalizers=["example.com/guard"]))
    await running.client.delete("configmaps", "old", "default", propagation="Foreground")
    await running.until("configmaps", "kept", lambda obj: objects.is_deleting(obj or {}))
    assert objects.finalizers(await running.client.get("configmaps", "old", "default")) == ["foregroundDeletion"]
    await running.client.patch("configmaps", "kept", {"metadata": {"finalizers": None}}, namespace="default")
    await running.goes("configmaps", "old")


async def test_orphans_live_on_without_their_owner(running: Running) -> None:
    _, middle, _ = await family(running)
    await running.client.delete("configmaps", "old", "default", propagation="Orphan")
    await running.goes("configmaps", "old")
    left = await running.client.get("configmaps", "middle", "default")
    assert objects.uid(left) == objects.uid(middle)
    assert objects.owners(left) == []
    assert await running.names("configmaps") == ["middle", "young"]


async def test_a_dependent_stays_while_one_of_its_owners_lives(running: Running) -> None:
    create = running.client.create
    one, two = await create("configmaps", config_map("one")), await create("configmaps", config_map("two"))
    await create("configmaps", config_map("shared", one, two))
    await running.client.delete("configmaps", "one", "default")
    shared = await running.until("configmaps", "shared", lambda obj: len(objects.owners(obj or {})) == 1)
    assert shared is not None
    assert objects.owners(shared)[0]["name"] == "two"
    await running.client.delete("configmaps", "two", "default")
    await running.goes("configmaps", "shared")


async def test_one_whose_owner_never_was_goes_too(running: Running) -> None:
    ghost = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ghost", "uid": "nobody"}}
    await running.client.create("configmaps", config_map("lost", ghost))
    await running.goes("configmaps", "lost")


async def test_an_owner_in_another_namespace_is_none_and_an_event_says_so(running: Running) -> None:
    await running.client.create("namespaces", namespace("other"))
    owner = await running.client.create("configmaps", config_map("owner"))
    await running.client.create("configmaps", config_map("stray", owner, in_namespace="other"))
    await running.goes("configmaps", "stray", "other")
    version = "1"
    async for batch in running.client.watch("events", "other", resource_version=version):
        (event,) = [obj for _, obj in batch]
        break
    assert event["reason"] == "OwnerRefInvalidNamespace"
    assert event["involvedObject"]["name"] == "stray"


async def test_owners_in_a_circle_go_all_the_same(running: Running) -> None:
    one = await running.client.create("configmaps", config_map("one"))
    two = await running.client.create("configmaps", config_map("two", one))
    circle = {"metadata": {"ownerReferences": [objects.owner_reference(two, controller=False)]}}
    await running.client.patch("configmaps", "one", circle, namespace="default")
    await running.client.delete("configmaps", "one", "default", propagation="Foreground")
    for name in ("one", "two"):
        await running.goes("configmaps", name)
