"""A node's part in storage, put together: where local data lie, who keeps them, what pods' volumes are made with.

Neighbours: ``volumes/localkeeper.py`` and ``csi/`` work beside the pods' workers; ``agent.py`` starts and stops it.
"""

from __future__ import annotations

from typing import Final

from pybernetes.client.client import Client
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.config import Config
from pybernetes.node.csi.desk import Desk
from pybernetes.node.csi.driver import Driver
from pybernetes.node.csi.drivers import Drivers
from pybernetes.node.csi.sidecars import Sidecars
from pybernetes.node.csi.volumes import CsiVolumes
from pybernetes.node.volumes.local import LocalData
from pybernetes.node.volumes.localkeeper import LocalKeeper
from pybernetes.node.volumes.persistent import Place

FOLDER: Final = "local-volumes"
"""Below the root of the pods' directories, which is a shared mount."""
REGISTRATIONS: Final = "plugins_registry"
"""Where CSI drivers put their registration sockets, beside it."""


class NodeStorage:
    def __init__(self, config: Config, client: Client, manager: Manager, recorder: Recorder, clock: Clock) -> None:
        self._client, self._node = client, config.node
        self._manager, self._clock = manager, clock
        data = LocalData(config.kubelet / FOLDER)
        self._drivers = Drivers(config.kubelet / REGISTRATIONS, config.node, client, clock, self._appeared)
        self.place = Place(data, self._note, CsiVolumes(config.kubelet, config.node, self._drivers, client))
        self._keeper = LocalKeeper(data, client, manager, recorder, clock)
        self._sidecars: list[Sidecars] = []

    def start(self) -> None:
        """Work beside the caller; the Node is registered."""
        self._keeper.start(self._node)
        self._drivers.start()

    async def stop(self) -> None:
        for each in self._sidecars:
            await each.stop()
        await self._drivers.stop()
        await self._keeper.stop()

    def _appeared(self, driver: Driver) -> None:
        """A driver with a controller is served beside it, if it wants that."""
        if driver.controller_can:
            recorder = Recorder(self._client, self._clock, driver.name, self._node)
            desk = Desk(driver, self._client, self._manager, recorder, self._clock)
            made = Sidecars(desk, self._node)
            self._sidecars.append(made)
            made.start()

    async def _note(self, volume: Obj, key: str, value: str) -> None:
        patch = {"metadata": {"uid": objects.uid(volume), "annotations": {key: value}}}
        await self._client.patch(volumes.VOLUMES, objects.name(volume), patch)
