"""A containerd for one node: its configuration, written by us, and how to tell that it answers.

Every key here is there for a measured reason; see ``docs/node.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAUSE_IMAGE: Final = "docker.io/pybernetes/pause:1"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The OCI runtime; ``unified`` tells that it wants the hybrid cgroup2 mount out of its sight (crun does)."""

    name: str
    binary: str
    hide_hybrid_cgroup2: bool


def render(*, root: Path, run: Path, socket: Path, runtime: Runtime, cni_bin: Path, cni_conf: Path) -> str:
    """The TOML text (containerd's config version 2, understood by 1.6 and by 2.x)."""
    return f"""version = 2
root = "{root}"
state = "{run / "state"}"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.restart",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]

[grpc]
  address = "{socket}"

[ttrpc]
  address = "{socket}.ttrpc"

[plugins."io.containerd.internal.v1.opt"]
  path = "{root / "opt"}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_bin}"
    conf_dir = "{cni_conf}"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "{runtime.name}"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{runtime.name}]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{runtime.name}.options]
        BinaryName = "{runtime.binary}"
        Root = "{run / "runtime"}"
"""
