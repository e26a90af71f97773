"""PersistentVolumes (validation.ValidatePersistentVolume and its update)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.persistentvolumeclaim import VOLUME_MODES, access_modes, positive_quantity
from pybernetes.kinds.strategy.podspec import defaults, scheduling, volumes
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_RECLAIM: Final = ("Delete", "Recycle", "Retain")
_SOURCES: Final[Mapping[str, Callable[[Obj, str], Errors] | None]] = {
    "hostPath": volumes.host_path,
    "local": volumes.local,
    "nfs": volumes.nfs,
    "csi": None,
    **dict.fromkeys((
        "iscsi", "fc", "rbd", "cephfs", "glusterfs", "cinder", "flexVolume", "azureFile", "azureDisk",
        "gcePersistentDisk", "awsElasticBlockStore", "vsphereVolume", "portworxVolume", "photonPersistentDisk",
        "quobyte", "scaleIO", "storageos", "flocker",
    )),
}  # fmt: skip


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.zero(spec, "persistentVolumeReclaimPolicy", "Retain")
    fill.absent(spec, "volumeMode", "Filesystem")
    defaults.source(spec)
    if claim := spec.get("claimRef"):
        fill.all_zero(claim, apiVersion="v1", kind="PersistentVolumeClaim")


def prepare_create(obj: Obj) -> None:
    obj["status"] = {"phase": "Pending"}


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from access_modes(spec.get("accessModes"), "spec.accessModes")
    yield from _capacity(spec.get("capacity") or {}, "spec.capacity")
    policy = spec.get("persistentVolumeReclaimPolicy")
    yield from check.one_of(policy, "spec.persistentVolumeReclaimPolicy", _RECLAIM, required=False)
    yield from _affinity(spec, "spec.nodeAffinity")
    yield from _one_source(spec)
    if (spec.get("hostPath") or {}).get("path") == "/" and policy == "Recycle":
        text = "may not be 'recycle' for a hostPath mount of '/'"
        yield errors.field_forbidden("spec.persistentVolumeReclaimPolicy", text)
    if name := spec.get("storageClassName"):
        yield from check.complaints("spec.storageClassName", name, names.dns1123_subdomain(name))
    yield from check.one_of(spec.get("volumeMode"), "spec.volumeMode", VOLUME_MODES, required=False)


def _capacity(capacity: Obj, path: str) -> Errors:
    if not capacity:
        yield errors.required(path)
    elif set(capacity) != {"storage"}:
        yield errors.not_supported(path, capacity, ("storage",))
    for name, value in capacity.items():
        yield from positive_quantity(value, f"{path}[{name}]")


def _affinity(spec: Obj, path: str) -> Errors:
    affinity = spec.get("nodeAffinity")
    if affinity is None:
        if spec.get("local") is not None:
            yield errors.required(path, "Local volume requires node affinity")
    elif affinity.get("required") is None:
        yield errors.required(f"{path}.required", "must specify required node constraints")
    else:
        yield from scheduling.node_selector(affinity["required"], f"{path}.required")


def _one_source(spec: Obj) -> Errors:
    found = [key for key in _SOURCES if spec.get(key) is not None]
    if not found:
        yield errors.required("spec", "must specify a volume type")
    for key in found[1:]:
        yield errors.field_forbidden(f"spec.{key}", "may not specify more than 1 volume type")
    for key in found[:1]:
        if judge := _SOURCES[key]:
            yield from judge(spec[key], f"spec.{key}")


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    """Where the data lie is for life."""
    fresh, former = new["spec"], old["spec"]
    if any(fresh.get(key) != former.get(key) for key in _SOURCES):
        text = "spec.persistentvolumesource is immutable after creation"
        yield errors.field_forbidden("spec.persistentvolumesource", text)
    yield from check.immutable(fresh.get("volumeMode"), former.get("volumeMode"), "spec.volumeMode")
    if former.get("nodeAffinity") is not None:
        yield from check.immutable(fresh.get("nodeAffinity"), former["nodeAffinity"], "spec.nodeAffinity")


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    has_generation=False,
)
