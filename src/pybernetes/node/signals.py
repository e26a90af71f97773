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
    """By pod uid what its containers use; what the pod itself has on disk (emptyDirs, logs) counts to its first."""
    out: dict[str, list[Usage]] = {objects.uid(pod): [] for pod in pods}
    for row in stats:
        found = out.get(row.labels.get(POD_UID, ""))
        if found is not None:
            shared = 0 if found else _on_disk(config, row.labels.get(POD_UID, ""))
            name = row.labels.get(CONTAINER_NAME, "")
            found.append(Usage(name, row.memory_working_set_bytes, row.writable_layer_bytes + shared))
    return out


def _on_disk(config: Config, uid: str) -> int:
    roots = [poddirs.root(config, uid) / "volumes" / "kubernetes.io~empty-dir", *config.logs.glob(f"*_{uid}")]
    return sum(tree_bytes(root) for root in roots)


def tree_bytes(root: Path) -> int:
    """What a folder and everything below it take on its own file system."""
    total = 0
    for folder, _, files in os.walk(root):
        for name in files:
            try:
                found = os.lstat(os.path.join(folder, name))
            except FileNotFoundError:
                continue  # containers work here while we look
            total += found.st_blocks * 512
    return total
