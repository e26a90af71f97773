"""What stands beside a driver's controller: makes, deletes, attaches and grows volumes as claims and attachments ask.

Theory of operation. Upstream has a program for each of these beside every driver. A driver that is deployed with them
needs nothing from us; one whose CSIDriver says ``pybernetes.io/sidecars: builtin`` is served by the agents. Of the
nodes where it is registered one acts for each object: the node that the object names, or the first by name. Changes
become keys, a key is worked on alone, and what fails is tried again, later and later.
Neighbours: ``provisioning.py`` and ``attaching.py`` do the work; ``drivers.py`` tells of drivers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from pybernetes.control.cache import Delta
from pybernetes.control.queue import Queue
from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.csi import attaching, provisioning
from pybernetes.node.csi.desk import Desk
from pybernetes.node.csi.driver import CsiError

_log = Log("node.csi")


class Key(NamedTuple):
    resource: str
    namespace: str
    name: str


Work: TypeAlias = Callable[[Desk, Obj], Awaitable[None]]
_WORK: Final[dict[str, tuple[Work, Callable[[Obj], str]]]] = {
    volumes.CLAIMS: (provisioning.serve, lambda claim: objects.annotations(claim).get(volumes.SELECTED_NODE, "")),
    volumes.VOLUMES: (provisioning.reclaim, lambda volume: ""),
    volumes.ATTACHMENTS: (attaching.settle, lambda attachment: str(objects.get(attachment, "spec", "nodeName"))),
}
"""By resource: what is done about an object, and the node that it names, if any."""


class Sidecars:
    """Of one driver, on one node."""

    def __init__(self, desk: Desk, node: str) -> None:
        self._desk, self._node, self._manager = desk, node, desk.manager
        self._queue: Queue[Key] = Queue(desk.clock)
        self._ends: list[Callable[[], None]] = []
        self._tasks = Tasks()

    def start(self) -> None:
        """Work beside the caller, if the driver wants it."""
        self._tasks.start(self._begin(), f"sidecars of {self._desk.driver.name}")

    async def stop(self) -> None:
        for end in self._ends:
            end()
        self._queue.close()
        await self._tasks.stop()
        await self._desk.recorder.stop()

    async def _begin(self) -> None:
        nodes, configs = self._manager.informer(volumes.CSI_NODES), self._manager.informer(volumes.CSI_DRIVERS)
        await nodes.synced()
        await configs.synced()
        for resource in _WORK:
            informer = self._manager.informer(resource)
            await informer.synced()
            self._ends.append(informer.subscribe(self._follower(resource)))
        self._ends += [informer.subscribe(self._all) for informer in (nodes, configs)]
        await self._work()

    def _follower(self, resource: str) -> Callable[[Sequence[Delta]], None]:
        def follow(deltas: Sequence[Delta]) -> None:
            self._add(resource, (new for _, new in deltas if new is not None))

        return follow

    def _all(self, deltas: Sequence[Delta]) -> None:
        """Another node may have to act now: look at everything."""
        for resource in _WORK:
            self._add(resource, self._manager.informer(resource).cache.list())

    def _add(self, resource: str, found: Iterable[Obj]) -> None:
        _, node_of = _WORK[resource]
        for obj in found:
            if self._is_builtin() and self._acts(node_of(obj)):
                self._queue.add(Key(resource, objects.namespace(obj), objects.name(obj)))

    def _is_builtin(self) -> bool:
        config = self._manager.informer(volumes.CSI_DRIVERS).cache.get("", self._desk.driver.name)
        return config is not None and objects.annotations(config).get(volumes.BUILTIN_SIDECARS) == "builtin"

    def _acts(self, named: str) -> bool:
        """Is it for this node to act?"""
        nodes = self._manager.informer(volumes.CSI_NODES).cache.list()
        with_driver = [objects.name(n) for n in nodes if self._desk.driver.name in _drivers(n)]
        return self._node == (named if named in with_driver else min(with_driver, default=""))

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            found = self._manager.informer(key.resource).cache.get(key.namespace, key.name)
            try:
                if found is not None:
                    await _WORK[key.resource][0](self._desk, found)
                self._queue.forget(key)
            except (CsiError, errors.ApiError) as error:
                self._queue.add_failed(key)
                _log.info("a CSI driver's work waits", driver=self._desk.driver.name, key=key, why=error)
            finally:
                self._queue.done(key)


def _drivers(csi_node: Obj) -> set[str]:
    return {d["name"] for d in objects.get(csi_node, "spec", "drivers", default=())}
