"""A control plane without nodes: the real server in this process, on a store in memory, and a scene's controllers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.cluster import roles
from pybernetes.control.controller import Controller
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.kinds.table import KindTable
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

ADMIN = User("admin", groups=("system:masters",))
PATIENCE_SECONDS = 20


@dataclass
class Running:
    """``client`` is the admin's."""

    api: Api
    client: Client
    clock: SystemClock

    async def until(
        self, resource: str, name: str, holds: Callable[[Obj | None], bool], namespace: str = "default"
    ) -> Obj | None:
        """The object as soon as something holds of it; None stands for one that is not there."""
        return await wait.until(
            self.client, resource, namespace, name, holds, timeout_seconds=PATIENCE_SECONDS, clock=self.clock
        )

    async def comes(self, resource: str, name: str, namespace: str = "default") -> Obj:
        found = await self.until(resource, name, lambda obj: obj is not None, namespace)
        assert found is not None
        return found

    async def goes(self, resource: str, name: str, namespace: str = "default") -> None:
        await self.until(resource, name, lambda obj: obj is None, namespace)

    async def names(self, resource: str, namespace: str = "default") -> list[str]:
        return sorted(map(objects.name, (await self.client.list(resource, namespace))["items"]))


@asynccontextmanager
async def control_plane(rows: Callable[[KindTable], tuple[Controller, ...]]) -> AsyncIterator[Running]:
    """Run ``rows``, each as its own account, on a server with two namespaces and nothing but their roles."""
    clock, entropy, kinds = SystemClock(), SeededEntropy(1), table.builtin()
    cache = WatchCache(MemoryStore(clock), clock)
    await cache.start()
    api = Api(cache, kinds, clock, entropy, Options())
    await api.start()
    client = api.client(ADMIN)
    for name in ("default", roles.NAMESPACE):
        await client.create("namespaces", namespace(name))
    controllers = rows(kinds)
    for resource, obj in roles.bootstrap_objects(controllers):
        await client.create(resource, obj)
    manager = Manager(client, clock, entropy)
    for row in controllers:
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{roles.NAMESPACE}")
        manager.add(row, api.client(User(roles.user_name(row), groups=groups), row.name))
    await manager.start()
    try:
        yield Running(api, client, clock)
    finally:
        await manager.stop()
        await api.stop()
        await cache.stop()


def namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def config_map(name: str, *owners: Obj, in_namespace: str = "default", **metadata: object) -> Obj:
    """The simplest thing that can own and be owned."""
    references = [objects.owner_reference(owner, controller=False) for owner in owners]
    made: Obj = {"name": name, "namespace": in_namespace, **metadata}
    if references:
        made["ownerReferences"] = references
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made}
