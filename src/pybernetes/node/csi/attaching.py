"""VolumeAttachments: a driver's controller makes volumes reachable from nodes, or no longer (external-attacher)."""

from __future__ import annotations

from pybernetes.meta import objects, times, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.csi import requests
from pybernetes.node.csi.desk import Desk
from pybernetes.node.csi.driver import CONTROLLER, PUBLISH_UNPUBLISH, CsiError


async def settle(desk: Desk, attachment: Obj) -> None:
    """Attach what is wanted, detach what is not. Raises CsiError or ApiError."""
    if objects.get(attachment, "spec", "attacher") != desk.driver.name:
        return
    finalizer = f"external-attacher/{desk.driver.name.replace('.', '-')}"
    held = objects.finalizers(attachment)
    if objects.is_deleting(attachment):
        if finalizer in held:
            await _detach(desk, attachment, [each for each in held if each != finalizer])
    elif not objects.get(attachment, "status", "attached", default=False):
        if finalizer not in held:
            noted = objects.evolve(attachment, ("metadata", "finalizers"), [*held, finalizer])
            await desk.client.update(volumes.ATTACHMENTS, noted)
        await _attach(desk, attachment)


async def _attach(desk: Desk, attachment: Obj) -> None:
    volume = await desk.client.get(volumes.VOLUMES, attachment["spec"]["source"]["persistentVolumeName"])
    source = volume["spec"]["csi"]
    request = {
        "volume_id": source["volumeHandle"], "node_id": await _node_id(desk, attachment),
        "volume_capability": requests.capability(volume, source.get("fsType", "")),
        "readonly": bool(source.get("readOnly")), "volume_context": source.get("volumeAttributes") or {},
    }  # fmt: skip
    try:
        answer: Obj = {}
        if PUBLISH_UNPUBLISH in desk.driver.controller_can:
            answer = await desk.driver.call(CONTROLLER, "ControllerPublishVolume", request)
    except CsiError as error:
        failed = {"message": str(error), "time": times.render(desk.clock.time())}
        await _status(desk, attachment, {"attachError": failed})
        raise
    told = {"attached": True, "attachmentMetadata": answer.get("publish_context") or None, "attachError": None}
    await _status(desk, attachment, told)


async def _detach(desk: Desk, attachment: Obj, left: list[str]) -> None:
    volume = await desk.client.find(volumes.VOLUMES, attachment["spec"]["source"]["persistentVolumeName"])
    if volume is not None and PUBLISH_UNPUBLISH in desk.driver.controller_can:
        request = {"volume_id": volume["spec"]["csi"]["volumeHandle"], "node_id": await _node_id(desk, attachment)}
        await desk.driver.call(CONTROLLER, "ControllerUnpublishVolume", request)
    await desk.client.update(volumes.ATTACHMENTS, objects.evolve(attachment, ("metadata", "finalizers"), left))


async def _node_id(desk: Desk, attachment: Obj) -> str:
    """What the driver calls the node. Raises CsiError for a node on which it is not registered."""
    name = attachment["spec"]["nodeName"]
    found = await desk.client.find(volumes.CSI_NODES, name)
    for entry in objects.get(found, "spec", "drivers", default=()):
        if entry["name"] == desk.driver.name:
            return str(entry["nodeID"])
    raise CsiError("NotFound", f"driver {desk.driver.name} is not registered on node {name}")


async def _status(desk: Desk, attachment: Obj, status: Obj) -> None:
    name = objects.name(attachment)
    await desk.client.patch(volumes.ATTACHMENTS, name, {"status": status}, subresource="status")
