"""The status of a quota follows what there is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.control.controller import Controller
from pybernetes.controllers import resourcequota
from pybernetes.kinds.table import KindTable
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .running import Running, config_map, control_plane
from .test_definitions import CRDS, DEFINITION, WIDGETS, is_established, widget


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    def rows(kinds: KindTable) -> tuple[Controller, ...]:
        return (resourcequota.controller(kinds),)

    async with control_plane(rows) as made:
        await made.client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
        yield made


def quota(**hard: str) -> Obj:
    spec = {"hard": {key.replace("_", "."): value for key, value in hard.items()}}
    return {"metadata": {"name": "q", "namespace": "default"}, "spec": spec}


async def used(running: Running, **wanted: str) -> None:
    """Wait until the status says so."""
    told = {key.replace("_", "."): value for key, value in wanted.items()}
    await running.until("resourcequotas", "q", lambda obj: ((obj or {}).get("status") or {}).get("used") == told)


async def test_the_status_of_a_quota_follows_what_comes_and_goes(running: Running) -> None:
    client = running.client
    made = await client.create("resourcequotas", quota(configmaps="3", limits_memory="1Gi", resourcequotas="1"))
    await used(running, configmaps="0", limits_memory="0", resourcequotas="1")
    await client.create("configmaps", config_map("a"))
    resources = {"limits": {"memory": "0.5Gi"}}
    containers = [{"name": "c", "image": "web:1", "resources": resources}]
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"containers": containers}}
    await client.create("pods", pod)
    await used(running, configmaps="1", limits_memory="512Mi", resourcequotas="1")
    await client.delete("configmaps", "a", "default")
    await client.delete("pods", "p", "default")
    await used(running, configmaps="0", limits_memory="0", resourcequotas="1")
    assert (await client.get("resourcequotas", "q", "default"))["status"]["hard"] == made["spec"]["hard"]


async def test_a_status_that_somebody_else_wrote_is_put_right(running: Running) -> None:
    made = await running.client.create("resourcequotas", quota(configmaps="3"))
    await used(running, configmaps="0")
    lie = {"status": {"hard": {"configmaps": "9"}, "used": {"configmaps": "7"}}}
    await running.client.patch("resourcequotas", "q", lie, namespace="default", subresource="status")
    await used(running, configmaps="0")
    await running.until("resourcequotas", "q", lambda obj: (obj or {})["status"]["hard"] == made["spec"]["hard"])


async def test_custom_resources_are_counted_too(running: Running) -> None:
    await running.client.create(CRDS, DEFINITION)
    await running.until(CRDS, WIDGETS, is_established, "")
    spec = {"hard": {f"count/{WIDGETS}": "1"}}
    await running.client.create("resourcequotas", {"metadata": {"name": "q", "namespace": "default"}, "spec": spec})
    await running.client.create(WIDGETS, widget("a"))
    await running.until(
        "resourcequotas", "q", lambda obj: ((obj or {}).get("status") or {}).get("used") == {f"count/{WIDGETS}": "1"}
    )
    with pytest.raises(errors.Forbidden, match=r"exceeded quota: q, requested: count/widgets.example.com=1"):
        await running.client.create(WIDGETS, widget("b"))
