"""Volumes of a pod and their mounts (validation.ValidateVolumes, ValidateVolumeMounts, ValidateVolumeDevices).

Kinds of volumes are rows of ``_SOURCES``; one without rules of its own has ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import env
from pybernetes.meta import errors, names, quantity
from pybernetes.meta.objects import Obj

_MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
_HOST_PATH_TYPES: Final = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")


def relative_path(value: str, path: str) -> Errors:
    """A path that stays below where it is put."""
    if value.startswith("/"):
        yield errors.invalid(path, value, "must be a relative path")
    yield from no_steps_back(value, path)


def no_steps_back(value: str, path: str) -> Errors:
    if ".." in value.split("/"):
        yield errors.invalid(path, value, "must not contain '..'")


def _free_path(value: str, path: str) -> Errors:
    """A file name inside a volume; names that start with ``..`` belong to the atomic writer."""
    yield from relative_path(value, path)
    if value.startswith("..") and not value.startswith("../"):
        yield errors.invalid(path, value, "must not start with '..'")


def _mode(value: int | None, path: str) -> Errors:
    if value is not None and not 0 <= value <= 0o777:
        yield errors.invalid(path, value, _MODE)


def _required(obj: Obj, path: str, *keys: str) -> Errors:
    for key in keys:
        if not obj.get(key):
            yield errors.required(f"{path}.{key}")


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────


def _empty_dir(source: Obj, path: str) -> Errors:
    limit = source.get("sizeLimit")
    if limit is not None and (not quantity.is_valid(str(limit)) or quantity.parse(limit) < 0):
        yield errors.field_forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def host_path(source: Obj, path: str) -> Errors:
    if value := source.get("path"):
        yield from no_steps_back(value, f"{path}.path")
    else:
        yield errors.required(f"{path}.path")
    if (kind := source.get("type") or "") not in _HOST_PATH_TYPES:
        yield errors.not_supported(f"{path}.type", kind, _HOST_PATH_TYPES)


def nfs(source: Obj, path: str) -> Errors:
    yield from _required(source, path, "server", "path")
    value = source.get("path")
    if value and not value.startswith("/"):
        yield errors.invalid(f"{path}.path", value, "must be an absolute path")


def _key_to_path(item: Obj, path: str) -> Errors:
    yield from _required(item, path, "key", "path")
    if target := item.get("path"):
        yield from _free_path(target, f"{path}.path")
    yield from _mode(item.get("mode"), f"{path}.mode")


def _keyed(source: Obj, path: str, name: str) -> Errors:
    """A ConfigMap or Secret as files."""
    yield from _required(source, path, name)
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item, at in check.each(source.get("items"), f"{path}.items"):
        yield from _key_to_path(item, at)


def _secret(source: Obj, path: str) -> Errors:
    return _keyed(source, path, "secretName")


def _config_map(source: Obj, path: str) -> Errors:
    return _keyed(source, path, "name")


def _claim(source: Obj, path: str) -> Errors:
    return _required(source, path, "claimName")


def _downward_file(item: Obj, path: str) -> Errors:
    if target := item.get("path"):
        yield from _free_path(target, f"{path}.path")
    else:
        yield errors.required(f"{path}.path")
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        yield from env.field_ref(field, env.VOLUME_FIELDS, f"{path}.fieldRef")
        if resource is not None:
            yield errors.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
    elif resource is not None:
        yield from env.resource_ref(resource, f"{path}.resourceFieldRef", in_volume=True)
    else:
        yield errors.required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode(item.get("mode"), f"{path}.mode")


def _downward(source: Obj, path: str) -> Errors:
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for item, at in check.each(source.get("items"), f"{path}.items"):
        yield from _downward_file(item, at)


def _token(source: Obj, path: str) -> Errors:
    seconds = source.get("expirationSeconds") or 0
    if seconds < 600:
        yield errors.invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    elif seconds > 2**32:
        yield errors.invalid(
            f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
        )
    if target := source.get("path"):
        yield from _free_path(target, f"{path}.path")
    else:
        yield errors.required(f"{path}.path")


_PROJECTIONS: Final[Mapping[str, Callable[[Obj, str], Errors] | None]] = {
    "secret": lambda source, path: _keyed(source, path, "name"),
    "configMap": _config_map,
    "downwardAPI": _downward,
    "serviceAccountToken": _token,
    "clusterTrustBundle": None,
    "podCertificate": None,
}


def _projected(source: Obj, path: str) -> Errors:
    yield from _mode(source.get("defaultMode"), f"{path}.defaultMode")
    for projection, at in check.each(source.get("sources"), f"{path}.sources"):
        found = [key for key in _PROJECTIONS if projection.get(key) is not None]
        for key in found[1:]:
            yield errors.field_forbidden(f"{at}.{key}", "may not specify more than 1 volume type per source")
        for key in found[:1]:
            if judge := _PROJECTIONS[key]:
                yield from judge(projection[key], f"{at}.{key}")
    yield from _no_conflicts(source.get("sources") or (), path)


def _no_conflicts(sources: Sequence[Obj], path: str) -> Errors:
    seen: set[str] = set()
    for target in _targets(sources):
        if target in seen:
            yield errors.invalid(path, target, "conflicting duplicate paths")
        seen.add(target)


def _targets(sources: Sequence[Obj]) -> Iterator[str]:
    for projection in sources:
        for value in projection.values():
            paths = [item.get("path") for item in value.get("items") or ()] or [value.get("path")]
            yield from (target for target in paths if target)


def _csi(source: Obj, path: str) -> Errors:
    if driver := source.get("driver"):
        yield from check.complaints(f"{path}.driver", driver, names.dns1123_subdomain(driver.lower()))
    else:
        yield errors.required(f"{path}.driver")


def _ephemeral(source: Obj, path: str) -> Errors:
    if source.get("volumeClaimTemplate") is None:
        yield errors.required(f"{path}.volumeClaimTemplate")


def _image(source: Obj, path: str) -> Errors:
    yield from _required(source, path, "reference")
    yield from check.one_of(source.get("pullPolicy"), f"{path}.pullPolicy", _PULL_POLICIES, required=False)


def local(source: Obj, path: str) -> Errors:
    yield from _required(source, path, "path")


_SOURCES: Final[Mapping[str, Callable[[Obj, str], Errors] | None]] = {
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "secret": _secret,
    "configMap": _config_map,
    "persistentVolumeClaim": _claim,
    "downwardAPI": _downward,
    "projected": _projected,
    "nfs": nfs,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
    "gitRepo": lambda source, path: _required(source, path, "repository"),
    "iscsi": lambda source, path: _required(source, path, "targetPortal", "iqn"),
    "glusterfs": lambda source, path: _required(source, path, "endpoints", "path"),
    "cephfs": lambda source, path: _required(source, path, "monitors"),
    "rbd": lambda source, path: _required(source, path, "monitors", "image"),
    "flexVolume": lambda source, path: _required(source, path, "driver"),
    "azureFile": lambda source, path: _required(source, path, "secretName", "shareName"),
    "azureDisk": lambda source, path: _required(source, path, "diskName", "diskURI"),
    "gcePersistentDisk": lambda source, path: _required(source, path, "pdName"),
    "awsElasticBlockStore": lambda source, path: _required(source, path, "volumeID"),
    "cinder": lambda source, path: _required(source, path, "volumeID"),
    "portworxVolume": lambda source, path: _required(source, path, "volumeID"),
    "vsphereVolume": lambda source, path: _required(source, path, "volumePath"),
    "photonPersistentDisk": lambda source, path: _required(source, path, "pdID"),
    "scaleIO": lambda source, path: _required(source, path, "gateway", "system", "volumeName"),
    "quobyte": lambda source, path: _required(source, path, "registry", "volume"),
    "storageos": None,
    "flocker": None,
    "fc": None,
}


def volumes(items: Sequence[Obj] | None, path: str) -> Errors:
    """``volumes`` of a pod spec."""
    for volume, at in check.each(items, path):
        yield from _one_source(volume, at)
        yield from check.required_name(volume.get("name") or "", f"{at}.name", names.dns1123_label)
    yield from check.unique((v.get("name"), f"{at}.name") for v, at in check.each(items, path) if v.get("name"))


def _one_source(volume: Obj, path: str) -> Errors:
    found = [key for key in _SOURCES if volume.get(key) is not None]
    if not found:
        yield errors.required(path, "must specify a volume type")
    for key in found[1:]:
        yield errors.field_forbidden(f"{path}.{key}", "may not specify more than 1 volume type")
    for key in found[:1]:
        if judge := _SOURCES[key]:
            yield from judge(volume[key], f"{path}.{key}")


# ── mounts ───────────────────────────────────────────────────────────────────────────────────────────────

_PROPAGATION: Final = ("Bidirectional", "HostToContainer", "None")


def mounts(container: Obj, known: Mapping[str, Obj], path: str) -> Errors:
    """``volumeMounts`` and ``volumeDevices`` of a container. ``known`` are the pod's volumes by name."""
    devices = {d.get("devicePath") for d in container.get("volumeDevices") or ()}
    seen: set[str] = set()
    for mount, at in check.each(container.get("volumeMounts"), f"{path}.volumeMounts"):
        target = mount.get("mountPath") or ""
        yield from _volume_name(mount, known, at)
        if not target:
            yield errors.required(f"{at}.mountPath")
        elif target in seen:
            yield errors.invalid(f"{at}.mountPath", target, "must be unique")
        elif target in devices:
            yield errors.invalid(f"{at}.mountPath", target, "must not already exist in volumeDevices")
        seen.add(target)
        yield from _mount_details(mount, container, at)
    yield from _devices(container.get("volumeDevices"), known, seen, f"{path}.volumeDevices")


def _volume_name(mount: Obj, known: Mapping[str, Obj], path: str) -> Errors:
    name = mount.get("name") or ""
    if not name:
        yield errors.required(f"{path}.name")
    if name not in known:
        yield errors.field_not_found(f"{path}.name", name)


def _mount_details(mount: Obj, container: Obj, path: str) -> Errors:
    if sub_path := mount.get("subPath"):
        yield from relative_path(sub_path, f"{path}.subPath")
    if expression := mount.get("subPathExpr"):
        if sub_path:
            yield errors.invalid(f"{path}.subPathExpr", expression, "subPathExpr and subPath are mutually exclusive")
        yield from relative_path(expression, f"{path}.subPathExpr")
    propagation = mount.get("mountPropagation")
    yield from check.one_of(propagation, f"{path}.mountPropagation", _PROPAGATION, required=False)
    if propagation == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        text = "Bidirectional mount propagation is available only to privileged containers"
        yield errors.field_forbidden(f"{path}.mountPropagation", text)


def _devices(devices: Sequence[Obj] | None, known: Mapping[str, Obj], mounted: set[str], path: str) -> Errors:
    for device, at in check.each(devices, path):
        name, target = device.get("name") or "", device.get("devicePath") or ""
        yield from _volume_name(device, known, at)
        source = known.get(name)
        if source is not None and not (source.get("persistentVolumeClaim") or source.get("ephemeral")):
            text = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield errors.invalid(f"{at}.name", name, text)
        if not target:
            yield errors.required(f"{at}.devicePath")
        else:
            yield from no_steps_back(target, f"{at}.devicePath")
        if target in mounted:
            yield errors.invalid(f"{at}.devicePath", target, "must not already exist in volumeMounts")
