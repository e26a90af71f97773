"""What every adapter of the node's runtime port must do. A new adapter is a row of ``ADAPTERS`` and runs all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.meta.objects import Obj
from pybernetes.node.runtime import port
from pybernetes.node.runtime.cri import Cri
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.node.runtime.port import Container, Runtime, RuntimeFailure

IMAGE = "busybox:test"
SCRIPT = "trap 'exit 143' TERM; touch /ready; while [ ! -e /end ]; do sleep 0.02; done; exit 3"
READY = "while [ ! -e /ready ]; do sleep 0.01; done"


@dataclass
class Adapter:
    """``start`` returns when a container's process heeds signals; ``finish`` has it end with code 3."""

    runtime: Runtime
    start: Callable[[str], Awaitable[Any]]
    finish: Callable[[str], Awaitable[Any]]
    logs: Path
    cgroup: str

    async def sandbox(self, uid: str = "u") -> tuple[str, Obj]:
        config = {
            "metadata": {"name": "p", "namespace": "ns", "uid": uid, "attempt": 2},
            "log_directory": str(self.logs),
            "labels": {port.POD_UID: uid},
            "linux": {"cgroup_parent": f"{self.cgroup}/{uid}"},
        }
        return await self.runtime.run_sandbox(config), config

    async def container(self, sandbox: tuple[str, Obj], name: str = "c") -> str:
        id, sandbox_config = sandbox
        config = {
            "metadata": {"name": name, "attempt": 1},
            "image": {"image": IMAGE},
            "command": ["sh", "-c", SCRIPT],
            "labels": {port.POD_UID: sandbox_config["metadata"]["uid"], port.CONTAINER_NAME: name},
            "annotations": {port.RESTART_COUNT: "1"},
            "log_path": f"{name}.log",
        }
        return await self.runtime.create_container(id, config, sandbox_config)


def in_memory(request: pytest.FixtureRequest, folder: Path) -> Adapter:
    runtime = MemoryRuntime(SystemClock(), images=[IMAGE])

    async def finish(id: str) -> None:
        runtime.finish(id, 3)

    return Adapter(runtime, runtime.start_container, finish, folder, "/x")


def on_containerd(request: pytest.FixtureRequest, folder: Path) -> Adapter:
    host = request.getfixturevalue("containerd")
    runtime = Cri(str(host.socket))

    async def start(id: str) -> None:
        await runtime.start_container(id)
        await runtime.exec_sync(id, ["sh", "-c", READY])

    async def finish(id: str) -> None:
        await runtime.exec_sync(id, ["touch", "/end"])

    return Adapter(runtime, start, finish, folder, host.cgroup_root)


ADAPTERS: Final = {"memory": in_memory, "containerd": on_containerd}


@pytest.fixture(params=["memory", pytest.param("containerd", marks=pytest.mark.node)])
async def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Adapter]:
    made: Adapter = ADAPTERS[request.param](request, tmp_path)
    yield made
    for sandbox in await made.runtime.sandboxes():
        await made.runtime.remove_sandbox(sandbox.id)
    await made.runtime.close()


async def ended(adapter: Adapter, id: str) -> Container:
    """A container whose end has been told, as soon as it shows."""
    found = await adapter.runtime.container(id)
    while found.state == "running":
        await asyncio.sleep(0.01)
        found = await adapter.runtime.container(id)
    return found


async def test_a_sandbox_stands_with_an_address_until_it_is_stopped(adapter: Adapter) -> None:
    id, _ = await adapter.sandbox()
    found = await adapter.runtime.sandbox(id)
    assert (found.name, found.namespace, found.uid, found.attempt, found.ready) == ("p", "ns", "u", 2, True)
    assert len(found.ips) == 1
    assert [(s.id, s.ips) for s in await adapter.runtime.sandboxes("u")] == [(id, ())]
    assert await adapter.runtime.sandboxes("other") == []
    await adapter.runtime.stop_sandbox(id)
    assert [s.ready for s in await adapter.runtime.sandboxes()] == [False]
    await adapter.runtime.remove_sandbox(id)
    assert await adapter.runtime.sandboxes() == []


async def test_a_container_is_created_then_runs_then_has_ended(adapter: Adapter) -> None:
    id = await adapter.container(await adapter.sandbox())
    assert (await adapter.runtime.container(id)).state == "created"
    await adapter.start(id)
    found = await adapter.runtime.container(id)
    assert (found.name, found.attempt, found.state) == ("c", 1, "running")
    assert found.image == "docker.io/library/busybox:test"
    assert found.annotations[port.RESTART_COUNT] == "1"
    await adapter.finish(id)
    found = await ended(adapter, id)
    assert (found.state, found.exit_code, found.reason) == ("exited", 3, "Error")
    assert found.started_at <= found.finished_at
    assert [(c.id, c.state, c.exit_code) for c in await adapter.runtime.containers("u")] == [(id, "exited", 0)]


async def test_an_end_is_told_at_once(adapter: Adapter) -> None:
    id = await adapter.container(await adapter.sandbox())
    await adapter.start(id)
    events = adapter.runtime.events()
    told = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0.05)  # a subscription is not acknowledged
    await adapter.finish(id)
    assert (await asyncio.wait_for(told, 10)).container_id == id
    await events.aclose()  # type: ignore[attr-defined]


async def test_a_stopped_container_ends_by_its_signal(adapter: Adapter) -> None:
    id = await adapter.container(await adapter.sandbox())
    await adapter.start(id)
    await adapter.runtime.stop_container(id, 10)
    assert (await adapter.runtime.container(id)).exit_code == 143


async def test_stopping_and_removing_what_is_gone_is_no_failure(adapter: Adapter) -> None:
    sandbox = await adapter.sandbox()
    id = await adapter.container(sandbox)
    await adapter.start(id)
    for _ in range(2):
        await adapter.runtime.stop_container(id, 0)
        await adapter.runtime.remove_container(id)
    for _ in range(2):
        await adapter.runtime.stop_sandbox(sandbox[0])
        await adapter.runtime.remove_sandbox(sandbox[0])
    assert await adapter.runtime.containers() == []


async def test_a_container_goes_with_its_sandbox(adapter: Adapter) -> None:
    sandbox = await adapter.sandbox()
    id = await adapter.container(sandbox)
    await adapter.start(id)
    await adapter.runtime.stop_sandbox(sandbox[0])
    assert (await ended(adapter, id)).exit_code == 137
    await adapter.runtime.remove_sandbox(sandbox[0])
    assert await adapter.runtime.containers() == []


async def test_what_does_not_exist_is_not_found(adapter: Adapter) -> None:
    for ask in (adapter.runtime.container, adapter.runtime.sandbox):
        with pytest.raises(RuntimeFailure, match="rpc error: code = NotFound desc = "):
            await ask("none")


async def test_images_are_known_by_every_form_of_their_name(adapter: Adapter) -> None:
    found = [await adapter.runtime.image(n) for n in (IMAGE, "docker.io/library/busybox:test")]
    assert found[0] is not None and found[0] == found[1]
    assert await adapter.runtime.image(found[0].id) == found[0]
    assert found[0] in await adapter.runtime.images()
    assert await adapter.runtime.image("nothing:1") is None
    with pytest.raises(RuntimeFailure):
        await adapter.runtime.pull("localhost:1/nothing:1", None, {})


async def test_it_tells_who_it_is_and_that_it_is_ready(adapter: Adapter) -> None:
    assert "://" in str(await adapter.runtime.version())
    assert {c.type: c.status for c in await adapter.runtime.conditions()} == {
        "RuntimeReady": True, "NetworkReady": True,
    }  # fmt: skip
