"""Storage: a claim gets the default class, everything gets its protection, and only what can grow may ask to.

Source: plugin/pkg/admission/storage/{storageclass/setdefault,storageobjectinuseprotection,persistentvolume/resize}.
Neighbours: ``controllers/volumes/protection.py`` takes the finalizers away.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects, volumes
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

_GROUP: Final = "storage.k8s.io"
_FINALIZERS: Final = {volumes.CLAIMS: volumes.CLAIM_PROTECTION, volumes.VOLUMES: volumes.VOLUME_PROTECTION}


async def set_default_class(world: World, a: Attributes) -> None:
    """Give the newest default class to a claim that leaves its class open."""
    if a.obj is None or volumes.CLASS_BETA in objects.annotations(a.obj):
        return
    spec = a.obj.setdefault("spec", {})
    if spec.get("storageClassName") is None:
        found = volumes.default_class(world.live.list(_GROUP, "storageclasses"))
        if found is not None:
            spec["storageClassName"] = objects.name(found)


async def protect(world: World, a: Attributes) -> None:
    """Add the finalizer that keeps the object while it is in use."""
    if a.obj is None:
        return
    metadata, finalizer = a.obj.setdefault("metadata", {}), _FINALIZERS[a.kind.resource]
    if finalizer not in (metadata.get("finalizers") or ()):
        metadata["finalizers"] = [*(metadata.get("finalizers") or ()), finalizer]


async def judge_growth(world: World, a: Attributes) -> None:
    """Raises Forbidden for a claim that cannot be given more."""
    if a.obj is None or a.old is None or volumes.requested(a.obj) <= volumes.requested(a.old):
        return
    if volumes.phase(a.old) != "Bound":
        raise forbidden(a, "Only bound persistent volume claims can be expanded")
    name = volumes.class_of(a.old)
    storage_class = world.live.get(_GROUP, "storageclasses", "", name) if name else None
    if storage_class is None or not storage_class.get("allowVolumeExpansion"):
        raise forbidden(
            a,
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must"
            " support resize",
        )


DEFAULT_CLASS: Final = Plugin(
    name="DefaultStorageClass", verbs=("create",), resources=(volumes.CLAIMS,), admit=set_default_class
)
PROTECTION: Final = Plugin(
    name="StorageObjectInUseProtection", verbs=("create",), resources=tuple(_FINALIZERS), admit=protect
)
RESIZE: Final = Plugin(
    name="PersistentVolumeClaimResize", verbs=("update",), resources=(volumes.CLAIMS,), validate=judge_growth
)
