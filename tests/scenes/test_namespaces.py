from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.control.controller import Controller
from pybernetes.controllers import namespace as namespaces
from pybernetes.controllers import rootca, serviceaccount
from pybernetes.kinds.table import KindTable
from pybernetes.meta import errors, objects

from .running import Running, config_map, control_plane, namespace


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    def rows(kinds: KindTable) -> tuple[Controller, ...]:
        return (namespaces.controller(kinds), serviceaccount.CONTROLLER, rootca.controller("PEM"))

    async with control_plane(rows) as made:
        yield made


async def test_a_new_namespace_is_furnished_and_stays_so(running: Running) -> None:
    await running.client.create("namespaces", namespace("shop"))
    account = await running.comes("serviceaccounts", "default", "shop")
    published = await running.comes("configmaps", "kube-root-ca.crt", "shop")
    assert published["data"] == {"ca.crt": "PEM"}

    await running.client.delete("serviceaccounts", "default", "shop")
    again = await running.until(
        "serviceaccounts", "default", lambda obj: obj is not None and objects.uid(obj) != objects.uid(account), "shop"
    )
    assert again is not None

    await running.client.update("configmaps", {**published, "data": {"ca.crt": "forged"}})
    await running.until(
        "configmaps", "kube-root-ca.crt", lambda obj: (obj or {}).get("data") == {"ca.crt": "PEM"}, "shop"
    )


async def test_a_namespace_goes_with_all_that_lives_in_it(running: Running) -> None:
    client = running.client
    await client.create("namespaces", namespace("shop"))
    for name in ("a", "b"):
        await client.create("configmaps", config_map(name, in_namespace="shop"))
    await running.comes("serviceaccounts", "default", "shop")
    await client.delete("namespaces", "shop")
    await running.goes("namespaces", "shop", "")
    assert await running.names("configmaps", "shop") == await running.names("serviceaccounts", "shop") == []
    with pytest.raises(errors.NotFound):
        await client.create("configmaps", config_map("late", in_namespace="shop"))


async def test_what_a_finalizer_keeps_holds_its_namespace_which_says_so(running: Running) -> None:
    client = running.client
    await client.create("namespaces", namespace("shop"))
    kept = config_map("kept", in_namespace="shop", finalizers=["example.com/guard"])
    await client.create("configmaps", kept)
    await client.delete("namespaces", "shop")
    waiting = await running.until(
        "namespaces", "shop", lambda obj: objects.condition_is(obj or {}, "NamespaceFinalizersRemaining"), ""
    )
    assert waiting is not None
    assert waiting["status"]["phase"] == "Terminating"
    content = objects.condition(waiting, "NamespaceContentRemaining")
    assert content is not None
    assert content["message"] == "Some resources are remaining: configmaps. has 1 resource instances"
    with pytest.raises(errors.Forbidden, match="because it is being terminated"):
        await client.create("configmaps", config_map("late", in_namespace="shop"))

    await client.patch("configmaps", "kept", {"metadata": {"finalizers": None}}, namespace="shop")
    await running.goes("namespaces", "shop", "")
