"""What drivers are asked, and what volumes are made of their answers. Pure.

Source: external-provisioner, pkg/volume/csi (access modes, names, node affinity by topology).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pybernetes.meta import objects, quantity, volumes
from pybernetes.meta.objects import Obj

FINALIZER: Final = "external-provisioner.volume.kubernetes.io/finalizer"
_MODES: Final = {"ReadWriteMany": 5, "ReadOnlyMany": 3, "ReadWriteOnce": 1, "ReadWriteOncePod": 1}
"""The widest first."""
_OURS: Final = "csi.storage.k8s.io/"
"""Parameters of a class that are for us and not for the driver."""


def capability(volume: Obj, fs_type: str = "") -> Obj:
    """The VolumeCapability of a volume, or of a claim for one."""
    modes = volumes.access_modes(volume)
    mode = next((number for name, number in _MODES.items() if name in modes), 1)
    access: Obj = {"access_mode": {"mode": mode}}
    if volumes.mode(volume) == "Block":
        return access | {"block": {}}
    flags = objects.get(volume, "spec", "mountOptions", default=[])
    return access | {"mount": {"fs_type": fs_type, "mount_flags": flags}}


def create(name: str, claim: Obj, storage_class: Obj, topologies: Sequence[Mapping[str, str]]) -> Obj:
    """CreateVolumeRequest; of ``topologies`` the first is the one that is wanted."""
    given: dict[str, str] = storage_class.get("parameters") or {}
    request: Obj = {
        "name": name,
        "capacity_range": {"required_bytes": bytes_of(volumes.requested(claim))},
        "volume_capabilities": [capability(claim, fs_type(storage_class))],
        "parameters": {key: value for key, value in given.items() if not key.startswith(_OURS)},
    }
    told = [{"segments": dict(t)} for t in topologies if t]
    if told:
        request["accessibility_requirements"] = {"requisite": told, "preferred": told}
    return request


def fs_type(storage_class: Obj) -> str:
    return str((storage_class.get("parameters") or {}).get(f"{_OURS}fstype", ""))


def bytes_of(number: Any) -> int:
    return quantity.value(number)


def volume(name: str, driver: str, claim: Obj, storage_class: Obj, made: Obj) -> Obj:
    """The PersistentVolume of what CreateVolume has answered."""
    size = made.get("capacity_bytes") or bytes_of(volumes.requested(claim))
    source: Obj = {"driver": driver, "volumeHandle": made["volume_id"]}
    if made.get("volume_context"):
        source["volumeAttributes"] = made["volume_context"]
    if kind := fs_type(storage_class):
        source["fsType"] = kind
    spec: Obj = {
        "capacity": {"storage": quantity.render(size, "BinarySI")},
        "accessModes": objects.get(claim, "spec", "accessModes"),
        "volumeMode": volumes.mode(claim),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": objects.name(storage_class),
        "csi": source,
        "claimRef": {
            "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": objects.namespace(claim),
            "name": objects.name(claim), "uid": objects.uid(claim),
        },
    }  # fmt: skip
    if storage_class.get("mountOptions"):
        spec["mountOptions"] = storage_class["mountOptions"]
    if terms := [_term(t["segments"]) for t in made.get("accessible_topology", ()) if t.get("segments")]:
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    metadata = {"name": name, "annotations": {volumes.PROVISIONED_BY: driver}, "finalizers": [FINALIZER]}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def _term(segments: Mapping[str, str]) -> Obj:
    rows = sorted(segments.items())
    return {"matchExpressions": [{"key": key, "operator": "In", "values": [value]} for key, value in rows]}


def staging_name(handle: str) -> str:
    """The folder's name in which a volume is staged, for all pods of the node."""
    return hashlib.sha256(handle.encode()).hexdigest()
