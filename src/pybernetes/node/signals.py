"""What is left of the machine's memory and disk, and what pods use of them: read from the kernel and the runtime.

Neighbours: ``eviction.py`` judges the readings, ``pressure.py`` takes them every ten seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import poddirs
from pybernetes.node.config import Config
from pybernetes.node.eviction import Reading, Usage
from pybernetes.node.podcgroups import PodCgroups
from pybernetes.node.runtime.port import CONTAINER_NAME, POD_UID, ContainerStats


def read(config: Config, cgroups: PodCgroups, memory_bytes: int) -> Mapping[str, Reading]:
    """Signal → reading. ``memory_bytes`` is what the node has for pods, where that is less than the machine's."""
    found = os.statvfs(config.kubelet)
    return {
        "memory.available": _memory(cgroups, memory_bytes),
        "nodefs.available": disk(config),
        **({"nodefs.inodesFree": Reading(found.f_favail, found.f_files)} if found.f_files else {}),
    }


def disk(config: Config) -> Reading:
    """Of the file system with the pods' directories."""
    found = os.statvfs(config.kubelet)
    return Reading(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def _memory(cgroups: PodCgroups, memory_bytes: int) -> Reading:
    """The machine's, or the node's own share of it, whichever is shorter."""
    meminfo = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (int(meminfo[key].split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    if memory_bytes >= total:
        return Reading(available, total)
    return Reading(min(available, memory_bytes - cgroups.working_set()), memory_bytes)


def usages(stats: Iterable[ContainerStats], pods: Iterable[Obj], config: Config) -> dict[str, list[Usage]]:
    """By pod uid what its containers use; without a name, what its emptyDirs hold on disk."""
    dirs = {objects.uid(pod): poddirs.of(config, pod) for pod in pods}
    out = {uid: [Usage("", 0, tree_bytes(found.volumes("empty-dir")))] for uid, found in dirs.items()}
    for row in stats:
        uid, name = row.labels.get(POD_UID, ""), row.labels.get(CONTAINER_NAME, "")
        if uid in dirs:
            logs = tree_bytes(dirs[uid].logs / name)
            out[uid].append(Usage(name, row.memory_working_set_bytes, row.writable_layer_bytes + logs))
    return out


def empty_dirs(pod: Obj, config: Config) -> dict[str, int]:
    """Name → bytes of the pod's emptyDirs on disk."""
    folder = poddirs.of(config, pod).volumes("empty-dir")
    return {path.name: tree_bytes(path) for path in folder.iterdir()} if folder.is_dir() else {}


def tree_bytes(root: Path) -> int:
    """What a folder and everything below it take on its file system; other ones mounted below do not count."""
    total, home = 0, _device(root)
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if _device(os.path.join(folder, name)) == home]
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                continue  # containers work here while we look
    return total


def _device(path: Path | str) -> int:
    try:
        return os.lstat(path).st_dev
    except FileNotFoundError:
        return -1
