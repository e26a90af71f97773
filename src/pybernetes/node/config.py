"""What a node's agent is told when it starts: who it is, and where its files and cgroups lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

KUBELET_PORT: Final = 10250
PODS_MAX: Final = 110
EVICTION: Final[Mapping[str, str]] = {
    "memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%",
}  # fmt: skip
"""The kubelet's hard thresholds: a quantity, or a part of all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    node: str
    """The Node's name."""
    ip: str
    pod_cidr: str
    kubelet: Path
    """Root of the pods' directories. What is mounted below must be seen by the runtime: a shared mount."""
    logs: Path
    """Root of the container logs, laid out as /var/log/pods."""
    cgroup: str
    """Parent of ``kubepods`` in every hierarchy, as a path from its root."""
    cgroups: Path = Path("/sys/fs/cgroup")
    """Where the hierarchies are mounted; nothing is limited where there are none."""
    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    labels: Mapping[str, str] = field(default_factory=dict)
    """Put on the Node besides those that every Node has."""
    port: int = KUBELET_PORT
    pods_max: int = PODS_MAX
    capacity: Mapping[str, str] = field(default_factory=dict)
    """What the node has of cpu, memory and ephemeral-storage, where that is not the machine's."""
    reserved: Mapping[str, str] = field(default_factory=dict)
    """What of that is kept back from pods."""
    eviction: Mapping[str, str] = field(default_factory=lambda: EVICTION)
    """Signal → the least that has to be available; below it pods are evicted."""
    manifests: Path | None = None
    """The folder of manifests of static pods, if there is one."""
    housekeeping_seconds: float = 10.0
    """Between two looks at memory, disk and logs."""
    images_high_percent: int = 85
    """So full may the disk become before unused images go."""
    images_low_percent: int = 80
    log_bytes_max: int = 10 << 20
    log_files_max: int = 5
    """Of each container, those set aside included."""
