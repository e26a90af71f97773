"""A pod's volumes: one row per kind, and the four things done with them: set up, refresh, find, tear down.

Rule: setting up is safe to repeat, since an agent that starts among running pods does it for all of them. What is
made from objects is written anew when an object changes (``refresh``); nothing else ever changes once it is there.
Neighbours: ``payload.py`` and ``atomic.py`` (files from objects), ``emptydir.py``, ``hostpath.py``, ``persistent.py``
(what claims stand for), ``mounts.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from pybernetes.lib.process import ProcessError
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.environment import ConfigError
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.volumes import atomic, emptydir, hostpath, mounting, payload, persistent
from pybernetes.node.volumes.material import Material, VolumeError


@dataclass(frozen=True, slots=True)
class Setting:
    """One pod's volumes are made here and from this. ``version`` is new each time."""

    pod: Obj
    dirs: PodDirs
    material: Material
    memory_bytes: int
    version: str
    place: persistent.Place | None = None
    """Where persistent volumes are made; a node without one offers none."""

    @property
    def group(self) -> int | None:
        found = objects.get(self.pod, "spec", "securityContext", "fsGroup")
        return None if found is None else int(found)


SetUp: TypeAlias = Callable[[Setting, Obj], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Row:
    plugin: str
    """In the path of the volume's folder; empty for one that has none."""
    set_up: SetUp
    from_objects: bool = False


async def _files(setting: Setting, volume: Obj) -> None:
    files = payload.of_volume(setting.pod, volume, setting.material)
    atomic.write(path_of(setting.dirs, volume), files, setting.version, setting.group)


async def _empty_dir(setting: Setting, volume: Obj) -> None:
    await emptydir.set_up(path_of(setting.dirs, volume), volume["emptyDir"] or {}, setting.group, setting.memory_bytes)


async def _host_path(setting: Setting, volume: Obj) -> None:
    source = volume["hostPath"]
    refusal = hostpath.check(Path(source["path"]), source.get("type") or "")
    if refusal:
        raise VolumeError(volume["name"], refusal)


async def _persistent(setting: Setting, volume: Obj) -> None:
    found = setting.material.persistent.get(volume["name"])
    if setting.place is None or found is None:
        raise VolumeError(volume["name"], "persistent volumes are not supported by this node")
    await persistent.set_up(
        setting.place,
        persistent.Request(
            setting.pod, volume["name"], found, setting.dirs.volume(persistent.PLUGIN, volume["name"]),
            is_read_only(volume), setting.group,
        ),
    )  # fmt: skip


async def _inline(setting: Setting, volume: Obj) -> None:
    """A volume of a CSI driver that lives and ends with its pod."""
    if setting.place is None:
        raise VolumeError(volume["name"], "CSI volumes are not supported by this node")
    link = setting.dirs.volume(persistent.PLUGIN, volume["name"])
    await persistent.set_up_inline(setting.place, setting.pod, volume, link)


async def _image(setting: Setting, volume: Obj) -> None:
    text = "image volumes need a container runtime that offers them (containerd 2.1); the one of this node does not"
    raise VolumeError(volume["name"], text)


_ROWS: Final[Mapping[str, _Row]] = {
    "emptyDir": _Row("empty-dir", _empty_dir),
    "hostPath": _Row("", _host_path),
    "configMap": _Row("configmap", _files, from_objects=True),
    "secret": _Row("secret", _files, from_objects=True),
    "downwardAPI": _Row("downward-api", _files, from_objects=True),
    "projected": _Row("projected", _files, from_objects=True),
    "persistentVolumeClaim": _Row(persistent.PLUGIN, _persistent),
    "ephemeral": _Row(persistent.PLUGIN, _persistent),
    "csi": _Row(persistent.PLUGIN, _inline),
    "image": _Row("image", _image),
}


def volumes_of(pod: Obj) -> list[Obj]:
    return objects.get(pod, "spec", "volumes", default=[])  # type: ignore[no-any-return]


def path_of(dirs: PodDirs, volume: Obj) -> Path:
    """Where a volume lies on the node. Raises VolumeError for a kind that is not offered."""
    row = _row(volume)
    if not row.plugin:
        return Path(volume["hostPath"]["path"])
    folder = dirs.volume(row.plugin, volume["name"])
    return persistent.target(folder) if row.plugin == persistent.PLUGIN else folder


def is_read_only(volume: Obj) -> bool:
    """May no container write to it, whatever its mount says? What the agent writes is nobody else's to write."""
    source = volume.get("persistentVolumeClaim") or volume.get("csi") or {}
    return bool(source.get("readOnly")) or any(_ROWS[kind].from_objects for kind in _ROWS if kind in volume)


async def set_up(setting: Setting) -> None:
    """Have all volumes of the pod. Raises VolumeError."""
    for volume in volumes_of(setting.pod):
        await _set_up(setting, volume)


async def refresh(setting: Setting) -> None:
    """Bring what is made from objects up to date. Raises VolumeError."""
    for volume in volumes_of(setting.pod):
        if _row(volume).from_objects:
            await _set_up(setting, volume)


def is_from_objects(pod: Obj) -> bool:
    """Whether a change of an object, or of the pod's own labels, may show in a volume."""
    return any(_ROWS[kind].from_objects for v in volumes_of(pod) for kind in _ROWS if kind in v)


async def tear_down(dirs: PodDirs, place: persistent.Place | None = None) -> None:
    """Unmount what was mounted; the folders stay until the pod is forgotten. Raises ProcessError
    or OSError."""
    if place is not None:
        await place.csi.unpublish(dirs.root.name)
    for path in mounting.below(dirs.root):
        await mounting.unmount(path)


async def _set_up(setting: Setting, volume: Obj) -> None:
    try:
        await _row(volume).set_up(setting, volume)
    except (ConfigError, OSError, ProcessError) as error:
        raise VolumeError(volume["name"], str(error)) from error


def _row(volume: Obj) -> _Row:
    row = next((_ROWS[kind] for kind in _ROWS if kind in volume), None)
    if row is None:
        kind = next((k for k in volume if k != "name"), "nothing")
        raise VolumeError(volume["name"], f"volumes of kind {kind} are not supported by this node")
    return row
