"""Rows of ``storage.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import volumes
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import storageclass

_row = maker("storage.k8s.io", "v1", "io.k8s.api.storage")

KINDS: Final[tuple[Kind, ...]] = (
    _row(
        "CSIDriver",
        "csidrivers",
        namespaced=False,
        strategy=storageclass.DRIVER,
        columns=volumes.CSI_DRIVERS,
    ),
    _row(
        "CSINode",
        "csinodes",
        namespaced=False,
        strategy=storageclass.NODE,
        columns=volumes.CSI_NODES,
    ),
    _row(
        "CSIStorageCapacity",
        "csistoragecapacities",
        strategy=storageclass.NODE,
        columns=volumes.CSI_STORAGE_CAPACITIES,
    ),
    _row(
        "StorageClass",
        "storageclasses",
        "sc",
        namespaced=False,
        strategy=storageclass.CLASS,
        columns=volumes.STORAGE_CLASSES,
    ),
    _row(
        "VolumeAttachment",
        "volumeattachments",
        namespaced=False,
        status=True,
        strategy=storageclass.NODE,
        columns=volumes.VOLUME_ATTACHMENTS,
    ),
    _row(
        "VolumeAttributesClass",
        "volumeattributesclasses",
        namespaced=False,
        strategy=storageclass.ATTRIBUTES_CLASS,
        columns=volumes.VOLUME_ATTRIBUTES_CLASSES,
    ),
)
