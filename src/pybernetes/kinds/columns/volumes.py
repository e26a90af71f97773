"""Volumes, claims, classes and what CSI drivers tell."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj

_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


def _modes(modes: list[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _storage(capacity: Obj | None) -> str:
    value = (capacity or {}).get("storage")
    return "" if value is None else quantity.canonical(value)


def _phase(obj: Obj) -> str:
    return "Terminating" if objects.is_deleting(obj) else str(objects.get(obj, "status", "phase", default=""))


def _claim(volume: Obj) -> str:
    ref = objects.get(volume, "spec", "claimRef", default={})
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""


def _volume_class(volume: Obj) -> str:
    annotated = objects.annotations(volume).get("volume.beta.kubernetes.io/storage-class")
    return annotated or objects.get(volume, "spec", "storageClassName", default="")


_ATTRIBUTES: Final = cell.text("VolumeAttributesClass", "spec", "volumeAttributesClassName", default=cell.UNSET)
_VOLUME_MODE: Final = cell.text("VolumeMode", "spec", "volumeMode", default=cell.UNSET, priority=1)

PERSISTENT_VOLUMES: Final = (
    cell.NAME,
    cell.computed("Capacity", lambda obj: _storage(objects.get(obj, "spec", "capacity"))),
    cell.computed("Access Modes", lambda obj: _modes(objects.get(obj, "spec", "accessModes"))),
    cell.text("Reclaim Policy", "spec", "persistentVolumeReclaimPolicy"),
    cell.computed("Status", _phase),
    cell.computed("Claim", _claim),
    cell.computed("StorageClass", _volume_class),
    _ATTRIBUTES,
    cell.text("Reason", "status", "reason"),
    cell.AGE,
    _VOLUME_MODE,
)


def _is_bound(claim: Obj) -> bool:
    return bool(objects.get(claim, "spec", "volumeName"))


PERSISTENT_VOLUME_CLAIMS: Final = (
    cell.NAME,
    cell.computed("Status", _phase),
    cell.text("Volume", "spec", "volumeName"),
    cell.computed("Capacity", lambda obj: _storage(objects.get(obj, "status", "capacity")) if _is_bound(obj) else ""),
    cell.computed(
        "Access Modes", lambda obj: _modes(objects.get(obj, "status", "accessModes")) if _is_bound(obj) else ""
    ),
    cell.computed("StorageClass", _volume_class),
    _ATTRIBUTES,
    cell.AGE,
    _VOLUME_MODE,
)


def is_default_class(obj: Obj) -> bool:
    """Is this the StorageClass that claims without a class get?"""
    return any(objects.annotations(obj).get(key) == "true" for key in _DEFAULT_CLASS)


STORAGE_CLASSES: Final = (
    cell.computed("Name", lambda obj: objects.name(obj) + (" (default)" if is_default_class(obj) else "")),
    cell.text("Provisioner", "provisioner"),
    cell.text("ReclaimPolicy", "reclaimPolicy", default="Delete"),
    cell.text("VolumeBindingMode", "volumeBindingMode", default="Immediate"),
    cell.computed("AllowVolumeExpansion", lambda obj: bool(obj.get("allowVolumeExpansion")), "boolean"),
    cell.AGE,
)
VOLUME_ATTACHMENTS: Final = (
    cell.NAME,
    cell.text("Attacher", "spec", "attacher"),
    cell.text("PV", "spec", "source", "persistentVolumeName"),
    cell.text("Node", "spec", "nodeName"),
    cell.computed("Attached", lambda obj: bool(objects.get(obj, "status", "attached")), "boolean"),
    cell.AGE,
)
VOLUME_ATTRIBUTES_CLASSES: Final = (cell.NAME, cell.text("DriverName", "driverName"), cell.AGE)


def _audiences(driver: Obj) -> str:
    requests = objects.get(driver, "spec", "tokenRequests", default=[])
    return ",".join(request.get("audience", "") for request in requests) or cell.UNSET


CSI_DRIVERS: Final = (
    cell.NAME,
    cell.computed("AttachRequired", lambda obj: objects.get(obj, "spec", "attachRequired", default=True), "boolean"),
    cell.computed("PodInfoOnMount", lambda obj: objects.get(obj, "spec", "podInfoOnMount", default=False), "boolean"),
    cell.computed("StorageCapacity", lambda obj: objects.get(obj, "spec", "storageCapacity", default=False), "boolean"),
    cell.computed("TokenRequests", _audiences),
    cell.computed(
        "RequiresRepublish", lambda obj: objects.get(obj, "spec", "requiresRepublish", default=False), "boolean"
    ),
    cell.computed("Modes", lambda obj: ",".join(objects.get(obj, "spec", "volumeLifecycleModes", default=[]))),
    cell.AGE,
)
CSI_NODES: Final = (
    cell.NAME,
    cell.computed("Drivers", lambda obj: len(objects.get(obj, "spec", "drivers", default=[])), "integer"),
    cell.AGE,
)
CSI_STORAGE_CAPACITIES: Final = (
    cell.NAME,
    cell.text("StorageClassName", "storageClassName"),
    cell.computed("Capacity", lambda obj: quantity.canonical(obj["capacity"]) if obj.get("capacity") else cell.UNSET),
)
