"""What a container mounts: its pod's volumes, /etc/hosts and the file of its last words.

Rule: a subPath never leads out of its volume, whatever links a container has put there: the path is resolved first
and must still lie inside.
Neighbours: ``runconfig.Mount`` and ``Device`` are the answer's rows, ``table.py`` knows where volumes lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.node import environment, runconfig
from pybernetes.node.environment import ConfigError
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.runconfig import Device, Mount
from pybernetes.node.volumes import table
from pybernetes.node.volumes.material import VolumeError

_HOSTS: Final = "/etc/hosts"


def of_container(
    pod: Obj, container: Obj, attempt: int, dirs: PodDirs, variables: Mapping[str, str]
) -> tuple[Mount, ...]:
    """Everything that is mounted into one attempt at a container; makes the folders that ``subPath`` names. Raises
    ConfigError."""
    mounts = list(_of_volumes(pod, container, dirs, variables))
    taken = {m.container_path for m in mounts}
    if _HOSTS not in taken and dirs.hosts.exists():
        mounts.append(Mount(_HOSTS, str(dirs.hosts)))
    message = runconfig.termination_message_path(container)
    if message not in taken:
        mounts.append(Mount(message, str(dirs.make_container(container["name"], attempt))))
    return tuple(mounts)


def _of_volumes(pod: Obj, container: Obj, dirs: PodDirs, variables: Mapping[str, str]) -> Iterator[Mount]:
    for entry in container.get("volumeMounts") or ():
        volume, path = _found(pod, container, dirs, entry["name"])
        if path.is_block_device() and "hostPath" not in volume:
            raise ConfigError(f"volume {entry['name']} has volumeMode Block, but is specified in volumeMounts")
        inside = entry.get("subPath") or environment.expand(entry.get("subPathExpr") or "", variables)
        yield Mount(
            _absolute(entry["mountPath"]),
            str(_inside(path, inside, entry, container) if inside else path),
            read_only=bool(entry.get("readOnly")) or table.is_read_only(volume),
            propagation=entry.get("mountPropagation") or "None",
        )


def devices_of_container(pod: Obj, container: Obj, dirs: PodDirs) -> tuple[Device, ...]:
    """The raw volumes of a container. Raises ConfigError."""
    return tuple(_devices(pod, container, dirs))


def _devices(pod: Obj, container: Obj, dirs: PodDirs) -> Iterator[Device]:
    for entry in container.get("volumeDevices") or ():
        volume, path = _found(pod, container, dirs, entry["name"])
        if not path.is_block_device():
            raise ConfigError(f"volume {entry['name']} has volumeMode Filesystem, but is specified in volumeDevices")
        yield Device(entry["devicePath"], str(path), read_only=table.is_read_only(volume))


def _found(pod: Obj, container: Obj, dirs: PodDirs, name: str) -> tuple[Obj, Path]:
    """A volume of the pod, and where it lies."""
    volume = next((v for v in table.volumes_of(pod) if v["name"] == name), None)
    if volume is None:
        raise ConfigError(f'cannot find volume "{name}" to mount into container "{container["name"]}"')
    try:
        return volume, table.path_of(dirs, volume)
    except VolumeError as error:
        raise ConfigError(str(error)) from error


def _absolute(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _inside(volume: Path, sub_path: str, entry: Obj, container: Obj) -> Path:
    """The place that ``subPath`` names, made as a folder where there is nothing."""
    refusal = f'failed to prepare subPath for volumeMount "{entry["name"]}" of container "{container["name"]}"'
    home = os.path.realpath(volume)
    place = os.path.realpath(volume / sub_path)
    if os.path.commonpath([home, place]) != home:
        raise ConfigError(refusal)
    try:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        if not Path(place).exists():
            Path(place).mkdir(mode=0o777)
    except OSError as error:
        raise ConfigError(f"{refusal}: {error}") from error
    return Path(place)
