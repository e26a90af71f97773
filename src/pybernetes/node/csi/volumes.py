"""Volumes of CSI drivers in pods: staged once on the node, published to each pod, and both undone in the end.

Theory of operation. What was published lies beside the mount as ``vol_data.json``, so that an agent that starts anew
can undo it without asking anybody. A volume is unstaged when no pod of the node has it published any more.
Source: pkg/volume/csi (paths, order of the calls). Neighbours: ``drivers.py``, ``requests.py``.
"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes.client.client import Client
from pybernetes.meta import errors, objects, quantity, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.csi import requests
from pybernetes.node.csi.driver import NODE, NODE_EXPAND, STAGE_UNSTAGE, CsiError, Driver
from pybernetes.node.csi.drivers import Drivers
from pybernetes.node.volumes.material import VolumeError

_DATA: Final = "vol_data.json"
_PLUGIN: Final = "kubernetes.io~csi"


class CsiVolumes:
    """``kubelet`` is the root of the pods' directories, ``plugins`` below it where volumes are staged."""

    def __init__(self, kubelet: Path, node: str, drivers: Drivers, client: Client) -> None:
        self._kubelet, self._node, self._drivers, self._client = kubelet, node, drivers, client

    async def publish(self, pod: Obj, volume: Obj, claim: Obj | None, *, read_only: bool) -> Path:
        """Have a volume ready for a pod; where it is. Raises VolumeError."""
        source, name = volume["spec"]["csi"], objects.name(volume)
        driver = self._found(source["driver"], name)
        try:
            target = await self._publish(driver, pod, volume, read_only)
            await self._expand(driver, volume, claim, target)
        except (CsiError, errors.ApiError) as error:
            raise VolumeError(name, str(error)) from error
        return target

    async def publish_inline(self, pod: Obj, volume: Obj) -> Path:
        """Have a volume that the pod's own spec describes: never staged, and made by being published. Raises
        VolumeError."""
        source, name = volume["csi"], volume["name"]
        driver = self._found(source["driver"], name)
        try:
            config = await self._client.find(volumes.CSI_DRIVERS, driver.name)
            if "Ephemeral" not in objects.get(config, "spec", "volumeLifecycleModes", default=()):
                text = f"driver {driver.name} does not support ephemeral inline volumes"
                raise VolumeError(name, f'volume mode "Ephemeral" not supported: {text}')
            handle = f"csi-{requests.staging_name(f'{self._node}{objects.uid(pod)}{name}')}"
            told = {**_pod_info(pod, config), "csi.storage.k8s.io/ephemeral": "true"}
            secret = {**(source.get("nodePublishSecretRef") or {}), "namespace": objects.namespace(pod)}
            return await self._show(driver, self._folder(pod, name), {
                "volume_id": handle, "readonly": bool(source.get("readOnly")),
                "volume_capability": {"mount": {"fs_type": source.get("fsType", "")}, "access_mode": {"mode": 1}},
                "volume_context": {**(source.get("volumeAttributes") or {}), **told},
                "secrets": await self._secrets({"nodePublishSecretRef": secret}, "nodePublish"),
            })  # fmt: skip
        except (CsiError, errors.ApiError) as error:
            raise VolumeError(name, str(error)) from error

    async def _publish(self, driver: Driver, pod: Obj, volume: Obj, read_only: bool) -> Path:
        source = volume["spec"]["csi"]
        config = await self._client.find(volumes.CSI_DRIVERS, driver.name)
        common: Obj = {
            "volume_id": source["volumeHandle"],
            "publish_context": await self._attached(driver, volume, config),
            "volume_capability": requests.capability(volume, source.get("fsType", "")),
            "volume_context": {**source.get("volumeAttributes", {}), **_pod_info(pod, config)},
        }
        staging = self._staging(driver.name, source["volumeHandle"])
        if STAGE_UNSTAGE in driver.node_can:
            staging.mkdir(parents=True, exist_ok=True)
            staged = {**common, "staging_target_path": str(staging)}
            await driver.call(NODE, "NodeStageVolume", {**staged, "secrets": await self._secrets(source, "nodeStage")})
            common["staging_target_path"] = str(staging)
        common["readonly"] = read_only or bool(source.get("readOnly"))
        common["secrets"] = await self._secrets(source, "nodePublish")
        return await self._show(driver, self._folder(pod, objects.name(volume)), common)

    async def _show(self, driver: Driver, folder: Path, request: Obj) -> Path:
        """Note what is about to be published, and publish it. Raises CsiError."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {"driverName": driver.name, "volumeHandle": request["volume_id"], "specVolID": folder.name}
        (folder / _DATA).write_bytes(orjson.dumps({**data, "nodeName": self._node}))
        target = folder / "mount"
        await driver.call(NODE, "NodePublishVolume", {**request, "target_path": str(target)})
        return target

    def _folder(self, pod: Obj, name: str) -> Path:
        return self._kubelet / "pods" / objects.uid(pod) / "volumes" / _PLUGIN / name

    def _found(self, name: str, volume: str) -> Driver:
        driver = self._drivers.get(name)
        if driver is None:
            raise VolumeError(volume, f"driver name {name} not found in the list of registered CSI drivers")
        return driver

    async def unpublish(self, uid: str) -> None:
        """Undo all that was published to a pod. Raises OSError."""
        try:
            await self._unpublish(uid)
        except CsiError as error:
            raise OSError(f"UnmountVolume.TearDown failed for a volume of pod {uid}: {error}") from error

    async def _unpublish(self, uid: str) -> None:
        for file in sorted((self._kubelet / "pods" / uid / "volumes" / _PLUGIN).glob(f"*/{_DATA}")):
            data = orjson.loads(file.read_bytes())
            driver = self._drivers.get(data["driverName"])
            if driver is None:
                raise CsiError("Unavailable", f"driver {data['driverName']} is not registered")
            ids = {"volume_id": data["volumeHandle"]}
            await driver.call(NODE, "NodeUnpublishVolume", {**ids, "target_path": str(file.parent / "mount")})
            file.unlink()
            _remove_empty(file.parent / "mount", file.parent)
            staging = self._staging(driver.name, data["volumeHandle"])
            if STAGE_UNSTAGE in driver.node_can and staging.is_dir() and not self._is_used(data):
                await driver.call(NODE, "NodeUnstageVolume", {**ids, "staging_target_path": str(staging)})
                _remove_empty(staging, staging.parent)

    def _is_used(self, data: Obj) -> bool:
        """Has another pod of the node the same volume published?"""
        others = (orjson.loads(f.read_bytes()) for f in self._kubelet.glob(f"pods/*/volumes/{_PLUGIN}/*/{_DATA}"))
        same = ("driverName", "volumeHandle")
        return any(all(other.get(key) == data[key] for key in same) for other in others)

    def _staging(self, driver: str, handle: str) -> Path:
        plugins = self._kubelet / "plugins" / "kubernetes.io" / "csi"
        return plugins / driver / requests.staging_name(handle) / "globalmount"

    async def _attached(self, driver: Driver, volume: Obj, config: Obj | None) -> dict[str, str]:
        """What the attachment tells the node; nothing for a driver that attaches nothing. Raises VolumeError."""
        if not objects.get(config, "spec", "attachRequired", default=True):
            return {}
        handle = volume["spec"]["csi"]["volumeHandle"]
        name = volumes.attachment_name(handle, driver.name, self._node)
        found = await self._client.find(volumes.ATTACHMENTS, name)
        if not objects.get(found, "status", "attached", default=False):
            why = objects.get(found, "status", "attachError", "message", default="")
            raise VolumeError(objects.name(volume), why or f"volume is not attached yet to node {self._node}")
        return objects.get(found, "status", "attachmentMetadata", default={})  # type: ignore[no-any-return]

    async def _secrets(self, source: Obj, what: str) -> dict[str, str]:
        ref = source.get(f"{what}SecretRef") or {}
        if not ref.get("name"):
            return {}
        found = await self._client.get("secrets", ref["name"], ref.get("namespace", ""))
        return {key: _decoded(value) for key, value in (found.get("data") or {}).items()}

    async def _expand(self, driver: Driver, volume: Obj, claim: Obj | None, target: Path) -> None:
        """Grow the file system of a volume that has grown since its claim was told (see ``controllers/volumes``)."""
        held: Any = objects.get(claim, "status", "capacity", "storage")
        if claim is None or held is None or NODE_EXPAND not in driver.node_can:
            return
        size = volumes.capacity(volume)
        if quantity.parse(held) >= size:
            return
        handle = volume["spec"]["csi"]["volumeHandle"]
        staging = self._staging(driver.name, handle)
        request = {
            "volume_id": handle, "volume_path": str(target),
            "capacity_range": {"required_bytes": requests.bytes_of(size)}, "staging_target_path": str(staging),
            "volume_capability": requests.capability(volume),
        }  # fmt: skip
        await driver.call(NODE, "NodeExpandVolume", request)
        status = {"status": {"capacity": volume["spec"]["capacity"], "conditions": None}}
        await self._client.patch(
            volumes.CLAIMS, objects.name(claim), status, namespace=objects.namespace(claim), subresource="status"
        )


def _pod_info(pod: Obj, config: Obj | None) -> dict[str, str]:
    if not objects.get(config, "spec", "podInfoOnMount", default=False):
        return {}
    told = {
        "pod.name": objects.name(pod), "pod.namespace": objects.namespace(pod), "pod.uid": objects.uid(pod),
        "serviceAccount.name": objects.get(pod, "spec", "serviceAccountName", default=""), "ephemeral": "false",
    }  # fmt: skip
    return {f"csi.storage.k8s.io/{key}": value for key, value in told.items()}


def _remove_empty(*folders: Path) -> None:
    """Folders that a driver should have left empty; what it has not is never removed with what may be in it."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()
