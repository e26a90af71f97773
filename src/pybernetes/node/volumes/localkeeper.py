"""Keeps this node's local data as the volumes say: gone when a volume is deleted, larger when it has grown.

Theory of operation. The node tells in its CSINode where it keeps such data, so volumes can be made that lie here. The
volumes are watched. One that is being deleted, and whose claim is gone, loses its data and then the finalizer that has
held it; one that has grown has its file system grown, and the claim is told. What fails is tried again, ever later.
Neighbours: ``local.py`` does it; ``controllers/volumes/provisioner.py`` and ``expansion.py`` are the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.client.client import Client
from pybernetes.control.actions import Event
from pybernetes.control.cache import Delta
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.log import Log
from pybernetes.lib.process import ProcessError
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, quantity, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.volumes.local import LocalData

_log = Log("node.volumes")
_FIRST_SECONDS: Final = 1.0
_MOST_SECONDS: Final = 60.0


class LocalKeeper:
    def __init__(self, data: LocalData, client: Client, manager: Manager, recorder: Recorder, clock: Clock) -> None:
        self._data, self._client, self._manager = data, client, manager
        self._recorder, self._clock = recorder, clock
        self._volumes = manager.informer(volumes.VOLUMES)
        self._working: set[str] = set()
        self._tasks = Tasks()

    def start(self, node: str) -> None:
        """Work beside the caller."""
        self._tasks.start(self._announce(node), "CSINode")
        self._volumes.subscribe(self._changed)

    async def stop(self) -> None:
        await self._tasks.stop()

    # ── the node's own object ────────────────────────────────────────────────────────────────────────────

    async def _announce(self, node: str) -> None:
        wait = _FIRST_SECONDS
        while True:
            try:
                return await self._put(node)
            except errors.ApiError as error:
                _log.warning("a node's CSINode waits to be written", node=node, why=error)
                await self._clock.sleep(wait)
                wait = min(wait * 2, _MOST_SECONDS)

    async def _put(self, node: str) -> None:
        marks = {volumes.LOCAL_ROOT: str(self._data.root)}
        found = await self._client.find(volumes.CSI_NODES, node)
        if found is None:
            uid = objects.uid(await self._client.get("nodes", node))
            owner = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid}
            metadata = {"name": node, "annotations": marks, "ownerReferences": [owner]}
            made = {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": metadata, "spec": {"drivers": []}}
            await self._client.create(volumes.CSI_NODES, made)
        elif objects.annotations(found).get(volumes.LOCAL_ROOT) != str(self._data.root):
            await self._client.patch(volumes.CSI_NODES, node, {"metadata": {"annotations": marks}})

    # ── volumes ──────────────────────────────────────────────────────────────────────────────────────────

    def _changed(self, deltas: Sequence[Delta]) -> None:
        for _, new in deltas:
            if new is not None and self._data.holds(new) and self._is_due(new):
                self._begin(objects.name(new))

    def _is_due(self, volume: Obj) -> bool:
        return objects.is_deleting(volume) or volumes.phase(volume) == "Bound"

    def _begin(self, name: str) -> None:
        if name not in self._working:
            self._working.add(name)
            self._tasks.start(self._keep(name), f"data of {name}")

    async def _keep(self, name: str) -> None:
        wait = _FIRST_SECONDS
        try:
            while (volume := self._volumes.cache.get("", name)) is not None:
                try:
                    await self._settle(volume)
                    wait = _FIRST_SECONDS
                    if self._volumes.cache.get("", name) is volume:
                        return
                except errors.Conflict:
                    await self._clock.sleep(_FIRST_SECONDS)
                except (ProcessError, OSError, errors.ApiError) as error:
                    self._failed(volume, error)
                    await self._clock.sleep(wait)
                    wait = min(wait * 2, _MOST_SECONDS)
        finally:
            self._working.discard(name)

    async def _settle(self, volume: Obj) -> None:
        if not objects.is_deleting(volume):
            await self._grow(volume)
        elif volumes.VOLUME_PROTECTION not in objects.finalizers(volume):
            await self._data.remove(volume)
            left = [each for each in objects.finalizers(volume) if each != volumes.LOCAL_DATA]
            await self._client.update(volumes.VOLUMES, objects.evolve(volume, ("metadata", "finalizers"), left))

    async def _grow(self, volume: Obj) -> None:
        ref = volumes.claim_ref(volume)
        claim = await self._client.find(volumes.CLAIMS, ref.get("name", ""), ref.get("namespace", ""))
        if claim is None or objects.uid(claim) != ref.get("uid") or not _is_behind(claim, volume):
            return
        await self._data.grow(volume)
        status = {"status": {"capacity": objects.get(volume, "spec", "capacity"), "conditions": None}}
        await self._client.patch(
            volumes.CLAIMS, objects.name(claim), status, namespace=objects.namespace(claim), subresource="status"
        )
        text = f'MountVolume.NodeExpandVolume succeeded for volume "{objects.name(volume)}"'
        self._recorder.emit(Event(claim, "Normal", "FileSystemResizeSuccessful", text))

    def _failed(self, volume: Obj, error: Exception) -> None:
        reason = "VolumeFailedDelete" if objects.is_deleting(volume) else "VolumeResizeFailed"
        self._recorder.emit(Event(volume, "Warning", reason, str(error)))
        _log.warning("a volume's data wait", volume=objects.name(volume), why=error)


def _is_behind(claim: Obj, volume: Obj) -> bool:
    """Has the volume grown since the claim was told its size?"""
    held = objects.get(claim, "status", "capacity", "storage")
    return held is not None and quantity.parse(held) < volumes.capacity(volume)
