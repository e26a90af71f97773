"""What everybody asks of claims, volumes and storage classes: names, annotations, and which volume fits which claim.

Rule 1: a volume belongs to a claim when its ``claimRef`` names it and, where it has one, holds the claim's uid.
Rule 2: of the volumes that fit the smallest wins, so that a large one is left for who needs it.
Source: component-helpers/storage/volume (pv_helpers.go, FindMatchingVolume).
Neighbours: ``controllers/volumes`` binds, ``scheduler/plugins/volumes.py`` places pods by it, ``node/volumes`` mounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from pybernetes.meta import objects, quantity, selectors
from pybernetes.meta.objects import Obj

CLAIMS: Final = "persistentvolumeclaims"
VOLUMES: Final = "persistentvolumes"
CLASSES: Final = "storageclasses.storage.k8s.io"
CSI_NODES: Final = "csinodes.storage.k8s.io"
CSI_DRIVERS: Final = "csidrivers.storage.k8s.io"
ATTACHMENTS: Final = "volumeattachments.storage.k8s.io"

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER: Final = "volume.kubernetes.io/storage-provisioner"
STORAGE_PROVISIONER_BETA: Final = "volume.beta.kubernetes.io/storage-provisioner"
CLASS_BETA: Final = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
DEFAULT_CLASS_BETA: Final = "storageclass.beta.kubernetes.io/is-default-class"
CLAIM_PROTECTION: Final = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION: Final = "kubernetes.io/pv-protection"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"

BUILTIN_SIDECARS: Final = "pybernetes.io/sidecars"
"""Annotation of a CSIDriver: "builtin" has nodes' agents make, attach and grow its volumes, as its sidecars would."""
LOCAL_PROVISIONER: Final = "pybernetes.io/local"
"""Ours: volumes that are files of one node."""
LOCAL_DATA: Final = "pybernetes.io/local-data"
"""Finalizer of a volume whose data lie on a node: the node's agent takes it away when they are gone."""
LOCAL_ROOT: Final = "pybernetes.io/local-root"
"""Annotation of a CSINode: the folder in which that node keeps such volumes."""


def class_of(obj: Obj) -> str:
    """The name of the class of a claim or a volume; empty for none."""
    annotated = objects.annotations(obj).get(CLASS_BETA)
    return str(annotated if annotated is not None else objects.get(obj, "spec", "storageClassName", default=""))


def is_default_class(obj: Obj) -> bool:
    found = objects.annotations(obj)
    return "true" in (found.get(DEFAULT_CLASS), found.get(DEFAULT_CLASS_BETA))


def default_class(classes: Iterable[Obj]) -> Obj | None:
    """The newest of those that are marked as the default; by name where two are of the same second."""
    marked = [each for each in classes if is_default_class(each)]
    marked.sort(key=objects.name)
    return max(marked, key=lambda each: objects.meta(each).get("creationTimestamp", ""), default=None)


def waits_for_consumer(storage_class: Obj | None) -> bool:
    """Is a claim of this class bound only once a pod that uses it has a node?"""
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def requested(claim: Obj) -> quantity.Number:
    """Bytes that a claim asks for."""
    return quantity.parse(objects.get(claim, "spec", "resources", "requests", "storage", default=0))


def capacity(volume: Obj) -> quantity.Number:
    """Bytes that a volume holds."""
    return quantity.parse(objects.get(volume, "spec", "capacity", "storage", default=0))


def phase(obj: Obj) -> str:
    return str(objects.get(obj, "status", "phase", default=""))


def mode(obj: Obj) -> str:
    """``Filesystem`` or ``Block``."""
    return str(objects.get(obj, "spec", "volumeMode", default="Filesystem"))


def access_modes(obj: Obj) -> frozenset[str]:
    return frozenset(objects.get(obj, "spec", "accessModes", default=()))


def claim_ref(volume: Obj) -> Obj:
    return objects.get(volume, "spec", "claimRef", default={})  # type: ignore[no-any-return]


def is_for(volume: Obj, claim: Obj) -> bool:
    """Rule 1."""
    ref = claim_ref(volume)
    named = (ref.get("namespace"), ref.get("name")) == (objects.namespace(claim), objects.name(claim))
    return named and ref.get("uid") in (None, "", objects.uid(claim))


def with_claim(volume: Obj, claim: Obj) -> Obj:
    """The volume as one that is the claim's; marked where nobody had said so before."""
    ref = {
        "kind": "PersistentVolumeClaim", "apiVersion": "v1",
        "namespace": objects.namespace(claim), "name": objects.name(claim), "uid": objects.uid(claim),
        "resourceVersion": objects.meta(claim).get("resourceVersion", ""),
    }  # fmt: skip
    bound = objects.evolve(volume, ("spec", "claimRef"), ref)
    return bound if claim_ref(volume) else annotated(bound, BOUND_BY_CONTROLLER)


def annotated(obj: Obj, key: str) -> Obj:
    """The object with the annotation ``key``, which says yes."""
    return objects.evolve(obj, ("metadata", "annotations"), {**objects.annotations(obj), key: "yes"})


def is_bound(claim: Obj) -> bool:
    """Has its binder finished with it?"""
    return bool(objects.get(claim, "spec", "volumeName")) and BIND_COMPLETED in objects.annotations(claim)


def fits(claim: Obj, volume: Obj) -> bool:
    """Could a volume that is nobody's serve a claim? Where it can be reached from is not asked."""
    return (
        not claim_ref(volume)
        and phase(volume) == "Available"
        and not objects.is_deleting(volume)
        and class_of(volume) == class_of(claim)
        and mode(volume) == mode(claim)
        and access_modes(claim) <= access_modes(volume)
        and capacity(volume) >= requested(claim)
        and _selected(claim, volume)
    )


def _selected(claim: Obj, volume: Obj) -> bool:
    selector = objects.get(claim, "spec", "selector")
    return selector is None or selectors.from_label_selector(selector).matches(objects.labels(volume))


def find(claim: Obj, volumes: Iterable[Obj], *, only_named: bool = False) -> Obj | None:
    """The volume for a claim: one whose ``claimRef`` names it, else the smallest that fits, of those with the fewest
    access modes. ``only_named``: the scheduler has the choice of the others."""
    best: Obj | None = None
    for volume in volumes:
        if claim_ref(volume):
            if is_for(volume, claim) and is_large_enough(claim, volume):
                return volume
        elif not only_named and fits(claim, volume) and (best is None or _order(volume) < _order(best)):
            best = volume
    return best


def is_large_enough(claim: Obj, volume: Obj) -> bool:
    return capacity(volume) >= requested(claim) and mode(volume) == mode(claim) and not objects.is_deleting(volume)


def _order(volume: Obj) -> tuple[int, quantity.Number, str]:
    return len(access_modes(volume)), capacity(volume), objects.name(volume)


def mismatch(claim: Obj, volume: Obj) -> str:
    """Why a volume that a claim names cannot serve it, in the binder's words; empty where it can."""
    if capacity(volume) < requested(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if mode(volume) != mode(claim):
        return "incompatible volumeMode"
    return "" if access_modes(claim) <= access_modes(volume) else "incompatible accessMode"


def not_made(claim: Obj) -> str:
    """Why no volume can be made for a claim, in external-provisioner's words; empty where one can."""
    if objects.get(claim, "spec", "selector") is not None:
        return "claim Selector is not supported"
    source = objects.get(claim, "spec", "dataSourceRef") or objects.get(claim, "spec", "dataSource")
    if not source:
        return ""
    does = "clone" if source.get("kind") == "PersistentVolumeClaim" else "snapshot restore"
    about = f"error getting handle for DataSource Type {source.get('kind')} by Name {source.get('name')}"
    return f"{about}: CSI driver does not support {does}"


def claims_of(pod: Obj) -> dict[str, str]:
    """Volume name → name of the claim behind it, of all volumes of a pod that have one."""
    found: dict[str, str] = {}
    for volume in objects.get(pod, "spec", "volumes", default=()):
        if "persistentVolumeClaim" in volume:
            found[volume["name"]] = volume["persistentVolumeClaim"].get("claimName", "")
        elif "ephemeral" in volume:
            found[volume["name"]] = f"{objects.name(pod)}-{volume['name']}"
    return found


def ephemeral_claims(pod: Obj) -> frozenset[str]:
    """Names of the claims that are made for the pod and end with it."""
    volumes = objects.get(pod, "spec", "volumes", default=())
    return frozenset(f"{objects.name(pod)}-{v['name']}" for v in volumes if "ephemeral" in v)


def is_made_for(claim: Obj, pod: Obj) -> bool:
    """Is this claim the pod's own ephemeral one?"""
    owner = objects.controller_of(claim)
    return owner is not None and owner.get("uid") == objects.uid(pod)


def attachment_name(handle: str, driver: str, node: str) -> str:
    """Name of the VolumeAttachment of a driver's volume to a node (pkg/volume/csi)."""
    return f"csi-{hashlib.sha256(f'{handle}{driver}{node}'.encode()).hexdigest()}"
