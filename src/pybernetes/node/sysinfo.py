"""What this machine is, as the kernel tells it. Read once when an agent starts.

Neighbours: ``nodestatus.py`` puts it into the API's words.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pybernetes.node import ociimage

_CAPABILITIES: Final = """
CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""
"""By their numbers (linux/capability.h)."""


@dataclass(frozen=True, slots=True)
class Machine:
    cpus: int
    memory_bytes: int
    disk_bytes: int
    """Of the file system with the pods' directories."""
    architecture: str
    kernel: str
    os_image: str
    machine_id: str
    boot_id: str
    system_uuid: str
    capabilities: frozenset[str]
    """What a container may be given, without ``CAP_``."""


def read(pods: Path) -> Machine:
    """This machine; ``pods`` lies on the file system whose size counts. Raises OSError where /proc is not there."""
    release = _key_values(Path("/etc/os-release"), "=")
    machine_id = _text(Path("/etc/machine-id"))
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        memory_bytes=int(_key_values(Path("/proc/meminfo"), ":")["MemTotal"].split()[0]) * 1024,
        disk_bytes=shutil.disk_usage(pods).total,
        architecture=ociimage.architecture(),
        kernel=platform.release(),
        os_image=release.get("PRETTY_NAME", "Linux").strip('"'),
        machine_id=machine_id,
        boot_id=_text(Path("/proc/sys/kernel/random/boot_id")),
        system_uuid=_text(Path("/sys/class/dmi/id/product_uuid")) or machine_id,
        capabilities=capabilities(int(_key_values(Path("/proc/self/status"), ":")["CapBnd"], 16)),
    )


def capabilities(mask: int) -> frozenset[str]:
    """The names in a capability mask."""
    return frozenset(name for number, name in enumerate(_CAPABILITIES.split()) if mask >> number & 1)


def _key_values(path: Path, separator: str) -> Mapping[str, str]:
    split = (line.partition(separator) for line in _text(path).splitlines())
    return {key.strip(): value.strip() for key, _, value in split}


def _text(path: Path) -> str:
    """A small file of the kernel's, empty where this machine does not have it."""
    return path.read_text().strip() if path.exists() else ""
