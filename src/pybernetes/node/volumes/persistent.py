"""Volumes behind claims: found by the source of the persistent volume, and shown in the pod's folder by a link.

Theory of operation. Each source is a row that has the volume ready on the node and tells where. What the pod's folder
holds is only a link to that place, so removing the folder can never touch the data.
Neighbours: ``claims.py`` finds the volumes, ``local.py``, ``hostpath.py`` and ``csi/volumes.py`` do their kinds.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.volumes import hostpath, mounting, ownership
from pybernetes.node.volumes.local import BACKING, LocalData
from pybernetes.node.volumes.material import Persistent, VolumeError

PLUGIN: Final = "persistent-volume"
"""In the path of the links' folder."""
_BINDS: Final = "volume-binds"


class Note(Protocol):
    def __call__(self, volume: Obj, key: str, value: str) -> Awaitable[None]:
        """Write an annotation of a volume."""
        ...


class Csi(Protocol):
    """``csi/volumes.py``."""

    async def publish(self, pod: Obj, volume: Obj, claim: Obj | None, *, read_only: bool) -> Path: ...

    async def publish_inline(self, pod: Obj, volume: Obj) -> Path: ...

    async def unpublish(self, uid: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """What persistent volumes of a node are made with."""

    data: LocalData
    note: Note
    csi: Csi


@dataclass(frozen=True, slots=True)
class Request:
    """A volume of a pod that a claim stands behind."""

    pod: Obj
    name: str
    persistent: Persistent
    link: Path
    read_only: bool
    group: int | None


Source: TypeAlias = Callable[[Place, Request], Awaitable[Path]]


async def set_up(place: Place, request: Request) -> None:
    """Have the link. Raises VolumeError, OSError or ProcessError."""
    volume = request.persistent.volume
    source = next((_SOURCES[key] for key in _SOURCES if volume["spec"].get(key) is not None), None)
    if source is None:
        raise VolumeError(objects.name(volume), "no volume plugin matched")
    found = await source(place, request)
    _link(request.link, found)


async def set_up_inline(place: Place, pod: Obj, volume: Obj, link: Path) -> None:
    """Have a CSI driver's volume that the pod itself describes. Raises VolumeError or OSError."""
    _link(link, await place.csi.publish_inline(pod, volume))


def target(link: Path) -> Path:
    """The place behind a link."""
    return Path(os.path.realpath(link))


def _link(link: Path, found: Path) -> None:
    if link.is_symlink() and Path(os.readlink(link)) == found:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(found)
    fresh.rename(link)


async def _host_path(place: Place, request: Request) -> Path:
    source = request.persistent.volume["spec"]["hostPath"]
    path, wanted = Path(source["path"]), source.get("type") or ""
    if refusal := hostpath.check(path, wanted):
        raise VolumeError(objects.name(request.persistent.volume), refusal)
    if not wanted and not path.exists():
        path.mkdir(parents=True)
    return path


async def _local(place: Place, request: Request) -> Path:
    volume = request.persistent.volume
    path, name = Path(volume["spec"]["local"]["path"]), objects.name(volume)
    if place.data.holds(volume):
        backing = await place.data.ensure(volume)
        if objects.annotations(volume).get(BACKING) != backing:
            await place.note(volume, BACKING, backing)
        path = await place.data.device(volume) if volumes.mode(volume) == "Block" else path
    elif volumes.LOCAL_DATA in objects.finalizers(volume):
        raise VolumeError(name, "MountVolume.NodeAffinity check failed: no matching NodeSelectorTerms")
    elif not path.exists():
        raise VolumeError(name, f'path "{path}" does not exist')
    else:
        path = await _with_options(request, path)
    await own(request, path)
    return path


async def _with_options(request: Request, path: Path) -> Path:
    """A folder that is to be mounted in a special way gets a mount of its own beside the link."""
    options = objects.get(request.persistent.volume, "spec", "mountOptions", default=[])
    if not options:
        return path
    bound = request.link.parent.parent / _BINDS / request.name
    await mounting.bind(path, bound, options)
    return bound


async def own(request: Request, path: Path) -> None:
    """Give the files to the pod's ``fsGroup``."""
    if request.group is None or request.read_only or not path.is_dir():
        return
    policy = objects.get(request.pod, "spec", "securityContext", "fsGroupChangePolicy", default="Always")
    await asyncio.to_thread(ownership.give, path, request.group, policy)


async def _csi(place: Place, request: Request) -> Path:
    found = request.persistent
    path = await place.csi.publish(request.pod, found.volume, found.claim, read_only=request.read_only)
    await own(request, path)
    return path


_SOURCES: Final[Mapping[str, Source]] = {"hostPath": _host_path, "local": _local, "csi": _csi}
