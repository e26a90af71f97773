"""The drivers of a node: they put a socket into the registration folder, and are known from then on.

Theory of operation. The folder is watched. Whoever answers at a new socket that it is a CSI plugin is asked what it
can, and the node's CSINode names it, with the labels by which its volumes are reached; a socket that is gone takes its
driver along. Nothing is asked in vain while nothing changes.
Source: pkg/kubelet/pluginmanager, pkg/volume/csi/nodeinfomanager. Neighbours: ``driver.py`` speaks with each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.csi.driver import REGISTRATION, Connection, CsiError, Driver
from pybernetes.node.logs_watch import Watch, Watcher

_log = Log("node.csi")
_GLANCE_SECONDS: Final = 600.0
"""After so long the folder is looked at though nothing was told of it."""
_BLIND_SECONDS: Final = 10.0
"""The same where the kernel allows no watch."""
_AGAIN_SECONDS: Final = 1.0


class Drivers:
    """``appeared`` is called with each driver that has registered."""

    def __init__(
        self, folder: Path, node: str, client: Client, clock: Clock, appeared: Callable[[Driver], None]
    ) -> None:
        self._folder, self._node, self._client, self._clock = folder, node, client, clock
        self._appeared = appeared
        self._known: dict[Path, Driver] = {}
        self._tasks = Tasks()

    def start(self) -> None:
        """Work beside the caller."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tasks.start(self._run(), "CSI drivers")

    async def stop(self) -> None:
        await self._tasks.stop()
        for driver in self._known.values():
            await driver.close()

    def get(self, name: str) -> Driver | None:
        """A driver that is registered here."""
        return next((driver for driver in self._known.values() if driver.name == name), None)

    async def _run(self) -> None:
        watch = self._watch()
        try:
            while True:
                whole = await self._look()
                if watch is None:
                    await self._clock.sleep(_BLIND_SECONDS)
                else:
                    await watch.changed(self._clock, _GLANCE_SECONDS if whole else _AGAIN_SECONDS)
        finally:
            if watch is not None:
                watch.close()

    def _watch(self) -> Watch | None:
        try:
            return Watcher().watch(self._folder)
        except OSError as error:
            _log.warning("drivers are looked for now and then: the kernel allows no watch", why=error)
            return None

    async def _look(self) -> bool:
        """Know who is there; False where one of them did not answer."""
        there = {path for path in self._folder.iterdir() if path.is_socket()}
        for path in [path for path in self._known if path not in there]:
            driver = self._known.pop(path)
            _log.info("a CSI driver is gone", driver=driver.name, node=self._node)
            await driver.close()
            await self._tell(driver, present=False)
        answers = [await self._register(path) for path in sorted(there - set(self._known))]
        return all(answers)

    async def _register(self, path: Path) -> bool:
        connection = Connection(str(path))
        try:
            info = await connection.call(REGISTRATION, "GetInfo", {}, types=("InfoRequest", "PluginInfo"), seconds=10)
            if info.get("type") != "CSIPlugin":
                return True
            driver = Driver(info["name"], info.get("endpoint") or str(path))
            await driver.learn()
            await self._tell(driver, present=True)
            await connection.call(
                REGISTRATION, "NotifyRegistrationStatus", {"plugin_registered": True},
                types=("RegistrationStatus", "RegistrationStatusResponse"), seconds=10,
            )  # fmt: skip
        except (CsiError, errors.ApiError) as error:
            _log.warning("a CSI driver could not be registered", socket=path, why=error)
            return False
        finally:
            await connection.close()
        self._known[path] = driver
        _log.info("a CSI driver is here", driver=driver.name, node=self._node)
        self._appeared(driver)
        return True

    async def _tell(self, driver: Driver, *, present: bool) -> None:
        """Write the driver into the node's CSINode, and where it reaches into the Node's labels."""
        if present and driver.topology:
            await self._client.patch("nodes", self._node, {"metadata": {"labels": driver.topology}})
        found = await self._client.get(volumes.CSI_NODES, self._node)
        others = [d for d in objects.get(found, "spec", "drivers", default=[]) if d["name"] != driver.name]
        named = [*others, _entry(driver)] if present else others
        await self._client.update(volumes.CSI_NODES, objects.evolve(found, ("spec", "drivers"), named))


def _entry(driver: Driver) -> Obj:
    entry: Obj = {"name": driver.name, "nodeID": driver.node_id, "topologyKeys": sorted(driver.topology)}
    if driver.volumes_max:
        entry["allocatable"] = {"count": driver.volumes_max}
    return entry
