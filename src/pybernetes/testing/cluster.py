"""A whole cluster in a test's own process: the real API server on a store in memory, every controller, the scheduler
and simulated nodes. Nothing is mocked and no socket is opened; it is there in a fraction of a second.

Use it as ``async with Cluster(nodes=3) as cluster``. A test does as a user does, by ``cluster.client`` or the helpers
below, and waits for what shall become of it by watching; it never sleeps.
Neighbours: ``cluster/components.py`` starts what ``cluster/control_plane.py`` starts on a machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.cluster import components
from pybernetes.controllers import table as controller_table
from pybernetes.kinds import table as kind_table
from pybernetes.lib import tasks
from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.port import Store
from pybernetes.storage.watchcache import WatchCache

ADMIN: Final = User("kubernetes-admin", groups=("system:masters",))
NAMESPACE: Final = "default"
PATIENCE_SECONDS: Final = 20.0
"""After this long a test that waits in vain has failed; what is waited for takes milliseconds."""
_PATIENCE: Final = SystemClock()
"""The clock of that: one that a test turns by itself would never run out."""


class Cluster:
    """``nodes`` are simulated: their pods become ready at once. The clock is the machine's unless another is given.

    ``store`` is one that another cluster has left, which this one takes up; its owner closes it.
    """

    def __init__(
        self, *, nodes: int = 1, clock: Clock | None = None, store: Store | None = None, seed: int = 0
    ) -> None:
        self._store = store
        self.clock, self._entropy = clock or SystemClock(), SeededEntropy(seed)
        self._names = [f"node-{number}" for number in range(1, nodes + 1)]
        self._kinds = kind_table.builtin()
        self._stack = AsyncExitStack()
        self.api: Api
        self.client: Client
        """May do everything."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        store = self._store
        if store is None:
            store = self._store = MemoryStore(self.clock)
            stack.push_async_callback(store.close)
        cache = WatchCache(store, self.clock)
        await cache.start()
        stack.push_async_callback(cache.stop)
        self.api = Api(cache, self._kinds, self.clock, self._entropy, Options(tls_clock=SystemClock()))
        await self.api.start()
        stack.push_async_callback(self.api.stop)
        self.client = self.api.client(ADMIN, "kubectl")
        options = controller_table.Options(
            kinds=self._kinds, root_ca="none", sign=self.api.tokens.sign, started=self.clock.time()
        )
        rows = controller_table.controllers(options)
        await components.furnish(self.api, rows, "", 0)
        await components.start(
            self.api, rows, self.clock, self._entropy, stack,
            simulated=self._names, pod_cidr=lambda name: f"10.244.{self._names.index(name)}.0/24",
        )  # fmt: skip

    def copy_store(self) -> MemoryStore:
        """All that is in the cluster now, for another one to begin with."""
        assert isinstance(self._store, MemoryStore)
        return self._store.copy()

    # ── as a user does ───────────────────────────────────────────────────────────────────────────────────

    async def create(self, resource: str, obj: Obj) -> Obj:
        return await self.client.create(resource, obj)

    async def list(self, resource: str, labels: str = "", namespace: str = NAMESPACE) -> Sequence[Obj]:
        found: Sequence[Obj] = (await self.client.list(resource, namespace, labels=labels))["items"]
        return found

    async def patch(self, resource: str, name: str, patch: Any, **more: Any) -> Obj:
        """A strategic merge patch."""
        more = {"kind": "strategic", "namespace": NAMESPACE, **more}
        return await self.client.patch(resource, name, patch, **more)

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────────────

    async def until(self, resource: str, name: str, predicate: Callable[[Obj], Any], namespace: str = NAMESPACE) -> Obj:
        """The object as soon as it exists and ``predicate`` holds for it."""
        found = await wait.until(
            self.client, resource, namespace, name, lambda obj: obj is not None and bool(predicate(obj)),
            timeout_seconds=PATIENCE_SECONDS, clock=_PATIENCE,
        )  # fmt: skip
        assert found is not None
        return found

    async def until_gone(self, resource: str, name: str, namespace: str = NAMESPACE) -> None:
        await wait.until(
            self.client, resource, namespace, name, lambda obj: obj is None,
            timeout_seconds=PATIENCE_SECONDS, clock=_PATIENCE,
        )  # fmt: skip

    async def until_all(
        self, resource: str, predicate: Callable[[Sequence[Obj]], Any], labels: str = "", namespace: str = NAMESPACE
    ) -> Sequence[Obj]:
        """The objects of a namespace as soon as ``predicate`` holds for all of them together."""
        async with tasks.deadline(_PATIENCE, PATIENCE_SECONDS):
            page = await self.client.list(resource, namespace, labels=labels)
            held = {objects.name(obj): obj for obj in page["items"]}
            watch = self.client.watch(
                resource, namespace, labels=labels, resource_version=objects.meta(page)["resourceVersion"]
            )
            while not predicate([*held.values()]):
                for kind, obj in await anext(watch):
                    if kind == "DELETED":
                        held.pop(objects.name(obj), None)
                    elif kind != "BOOKMARK":
                        held[objects.name(obj)] = obj
        return [*held.values()]

    async def until_events(self, name: str, reason: str, predicate: Callable[[Sequence[str]], Any]) -> Sequence[str]:
        """The messages of the events of one reason about an object, in order, as soon as ``predicate`` holds."""

        def told(events: Sequence[Obj]) -> list[str]:
            mine = (e for e in events if (e["involvedObject"]["name"], e["reason"]) == (name, reason))
            return [e["message"] for e in sorted(mine, key=objects.resource_version)]

        return told(await self.until_all("events", lambda events: predicate(told(events))))
