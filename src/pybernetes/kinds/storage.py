"""Rows of ``storage.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_row = maker("storage.k8s.io", "v1", "io.k8s.api.storage")

KINDS: Final[tuple[Kind, ...]] = (
    _row("CSIDriver", "csidrivers", namespaced=False),
    _row("CSINode", "csinodes", namespaced=False),
    _row("CSIStorageCapacity", "csistoragecapacities"),
    _row("StorageClass", "storageclasses", "sc", namespaced=False),
    _row("VolumeAttachment", "volumeattachments", namespaced=False, status=True),
    _row("VolumeAttributesClass", "volumeattributesclasses", namespaced=False),
)
