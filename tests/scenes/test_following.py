"""A component in another process follows a server that ends and comes back, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from pybernetes.client import http, kubeconfig
from pybernetes.client.client import Client
from pybernetes.control.cache import Delta
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.meta import objects

from .running import PATIENCE_SECONDS, Running, config_map, control_plane


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with control_plane(lambda kinds: ()) as made:
        await let_everybody_in(made.client)
        yield made


async def let_everybody_in(client: Client) -> None:
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    head = {"apiVersion": f"{group}/v1", "metadata": {"name": "everybody"}}
    await client.create(f"clusterroles.{group}", {**head, "kind": "ClusterRole", "rules": [rule]})
    subject = {"apiGroup": group, "kind": "User", "name": "system:anonymous"}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "everybody"}
    binding = {**head, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [subject]}
    await client.create(f"clusterrolebindings.{group}", binding)


async def listen(running: Running, port: int = 0) -> HttpServer:
    return await serve(running.api.serve, clock=running.clock, port=port)


async def test_what_changed_while_the_server_was_away_is_told_when_it_is_back(running: Running) -> None:
    server = await listen(running)
    port = server.port
    transport = http.connect(kubeconfig.Access(f"http://127.0.0.1:{port}"), running.clock)
    manager = Manager(Client(transport, table.builtin()), running.clock, SeededEntropy(1))
    informer = manager.informer("configmaps", namespace="default")
    told: list[str] = []
    heard = asyncio.Event()

    def hear(deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            told.append(("+" if old is None else "-" if new is None else "~") + objects.name(new or old or {}))
        heard.set()

    async def changes(count: int) -> None:
        while len(told) < count:
            heard.clear()
            await asyncio.wait_for(heard.wait(), PATIENCE_SECONDS)

    informer.subscribe(hear)
    await informer.synced()
    await running.client.create("configmaps", config_map("before"))
    await changes(1)
    await server.stop(0)
    await running.client.create("configmaps", config_map("meanwhile"))
    await running.client.delete("configmaps", "before", "default")
    server = await listen(running, port)
    await changes(3)
    await running.client.create("configmaps", config_map("after"))
    await changes(4)
    assert told == ["+before", "+meanwhile", "-before", "+after"]
    found = informer.cache.get("default", "after")
    assert found is not None
    assert found["kind"] == "ConfigMap"
    await manager.stop()
    await transport.close()
    await server.stop(0)
