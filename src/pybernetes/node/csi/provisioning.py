"""Volumes of CSI drivers: made for claims, grown with them, deleted after them (external-provisioner, -resizer)."""

from __future__ import annotations

from typing import Final

from pybernetes.meta import errors, objects, quantity, times, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.csi import requests
from pybernetes.node.csi.desk import Desk
from pybernetes.node.csi.driver import CONTROLLER, CREATE_DELETE, EXPAND, CsiError

_PENDING: Final = "FileSystemResizePending"
_PENDING_TEXT: Final = "Waiting for user to (re-)start a pod to finish file system resize of volume on node."


async def serve(desk: Desk, claim: Obj) -> None:
    """Give a claim its volume, or more of it, where it asks for that. Raises CsiError or ApiError."""
    if objects.is_deleting(claim):
        return
    name = objects.get(claim, "spec", "volumeName")
    asked = objects.annotations(claim).get(volumes.STORAGE_PROVISIONER) == desk.driver.name
    if not name and asked and CREATE_DELETE in desk.driver.controller_can:
        await _provision(desk, claim)
    elif name and EXPAND in desk.driver.controller_can and _wants_more(claim):
        await _expand(desk, claim, name)


def _wants_more(claim: Obj) -> bool:
    held = objects.get(claim, "status", "capacity", "storage")
    pending = objects.condition(claim, _PENDING) is not None
    return held is not None and not pending and volumes.requested(claim) > quantity.parse(held)


async def _provision(desk: Desk, claim: Obj) -> None:
    storage_class = await desk.client.get(volumes.CLASSES, volumes.class_of(claim))
    name, selected = f"pvc-{objects.uid(claim)}", objects.annotations(claim).get(volumes.SELECTED_NODE)
    if volumes.waits_for_consumer(storage_class) and not selected:
        return
    if why := volumes.not_made(claim):
        text = f'failed to provision volume with StorageClass "{objects.name(storage_class)}": {why}'
        desk.say(claim, "ProvisioningFailed", text, warning=True)
        return
    whose = f"{objects.namespace(claim)}/{objects.name(claim)}"
    desk.say(claim, "Provisioning", f'External provisioner is provisioning volume for claim "{whose}"')
    request = requests.create(name, claim, storage_class, [desk.driver.topology] if selected else [])
    try:
        answer = await desk.driver.call(CONTROLLER, "CreateVolume", request)
    except CsiError as error:
        text = f'failed to provision volume with StorageClass "{objects.name(storage_class)}": {error}'
        desk.say(claim, "ProvisioningFailed", text, warning=True)
        if error.code == "ResourceExhausted" and selected:
            await _take_back(desk, claim)
        raise
    try:
        made = requests.volume(name, desk.driver.name, claim, storage_class, answer.get("volume", {}))
        await desk.client.create(volumes.VOLUMES, made)
    except errors.AlreadyExists:
        return
    desk.say(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")


async def _take_back(desk: Desk, claim: Obj) -> None:
    """No room there: the scheduler shall select another node."""
    patch = {"metadata": {"annotations": {volumes.SELECTED_NODE: None}}}
    await desk.client.patch(volumes.CLAIMS, objects.name(claim), patch, namespace=objects.namespace(claim))


async def _expand(desk: Desk, claim: Obj, name: str) -> None:
    volume = await desk.client.get(volumes.VOLUMES, name)
    source = volume["spec"].get("csi") or {}
    if source.get("driver") != desk.driver.name:
        return
    desk.say(claim, "Resizing", f"External resizer is resizing volume {name}")
    size = volumes.requested(claim)
    request = {
        "volume_id": source["volumeHandle"], "capacity_range": {"required_bytes": requests.bytes_of(size)},
        "volume_capability": requests.capability(volume),
    }  # fmt: skip
    answer = await desk.driver.call(CONTROLLER, "ControllerExpandVolume", request)
    capacity = {"storage": quantity.render(answer.get("capacity_bytes") or requests.bytes_of(size), "BinarySI")}
    await desk.client.patch(volumes.VOLUMES, name, {"spec": {"capacity": capacity}})
    status: Obj = {"capacity": capacity, "conditions": None}
    if answer.get("node_expansion_required"):
        since = times.render(desk.clock.time())
        condition = {"type": _PENDING, "status": "True", "message": _PENDING_TEXT, "lastTransitionTime": since}
        status = {"conditions": [condition]}
        desk.say(claim, "FileSystemResizeRequired", "Require file system resize of volume on node")
    else:
        desk.say(claim, "VolumeResizeSuccessful", "Resize volume succeeded")
    await desk.client.patch(
        volumes.CLAIMS, objects.name(claim), {"status": status}, namespace=objects.namespace(claim),
        subresource="status",
    )  # fmt: skip


async def reclaim(desk: Desk, volume: Obj) -> None:
    """Delete what was made for a claim that is gone. Raises CsiError or ApiError."""
    source = volume["spec"].get("csi") or {}
    made_here = objects.annotations(volume).get(volumes.PROVISIONED_BY) == desk.driver.name == source.get("driver")
    held = objects.finalizers(volume)
    ended = volumes.phase(volume) == "Released" or (objects.is_deleting(volume) and volumes.phase(volume) != "Bound")
    if not made_here or not ended or requests.FINALIZER not in held:
        return
    if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
        try:
            await desk.driver.call(CONTROLLER, "DeleteVolume", {"volume_id": source["volumeHandle"]})
        except CsiError as error:
            desk.say(volume, "VolumeFailedDelete", str(error), warning=True)
            raise
    elif not objects.is_deleting(volume):
        return
    left = [each for each in held if each != requests.FINALIZER]
    changed = await desk.client.update(volumes.VOLUMES, objects.evolve(volume, ("metadata", "finalizers"), left))
    if not objects.is_deleting(changed):
        await desk.client.delete(volumes.VOLUMES, objects.name(volume), uid=objects.uid(volume))
