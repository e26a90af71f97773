"""A node's part in storage, put together: where local data lie, who keeps them, what pods' volumes are made with.

Neighbours: ``volumes/localkeeper.py`` works beside the pods' workers; ``agent.py`` starts and stops it.
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
from pybernetes.node.volumes.local import LocalData
from pybernetes.node.volumes.localkeeper import LocalKeeper
from pybernetes.node.volumes.persistent import Place

FOLDER: Final = "local-volumes"
"""Below the root of the pods' directories, which is a shared mount."""


class NodeStorage:
    def __init__(self, config: Config, client: Client, manager: Manager, recorder: Recorder, clock: Clock) -> None:
        self._client, self._node = client, config.node
        data = LocalData(config.kubelet / FOLDER)
        self.place = Place(data, self._note)
        self._keeper = LocalKeeper(data, client, manager, recorder, clock)

    def start(self) -> None:
        """Work beside the caller; the Node is registered."""
        self._keeper.start(self._node)

    async def stop(self) -> None:
        await self._keeper.stop()

    async def _note(self, volume: Obj, key: str, value: str) -> None:
        patch = {"metadata": {"uid": objects.uid(volume), "annotations": {key: value}}}
        await self._client.patch(volumes.VOLUMES, objects.name(volume), patch)
