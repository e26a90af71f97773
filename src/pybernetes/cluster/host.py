"""What this machine offers for real nodes: each precondition is a row, each lack names its remedy."""

from __future__ import annotations

import ctypes.util
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CNI_BIN_DIRS: Final = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PLUGINS: Final = ("ptp", "host-local", "portmap", "loopback")


@dataclass(frozen=True, slots=True)
class Need:
    """``present`` tells whether the machine has it; ``package`` is Debian's package that brings it."""

    name: str
    present: Callable[[], bool]
    package: str = ""


def _tool(*names: str) -> Callable[[], bool]:
    return lambda: any(find_tool(n) for n in names)


def find_tool(name: str) -> str | None:
    """The full path of a program, also in the sbin directories that a user's PATH may lack."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin")


def cni_bin_dir() -> Path | None:
    return next((d for d in CNI_BIN_DIRS if all((d / p).exists() for p in CNI_PLUGINS)), None)


def _nftables() -> bool:
    return find_tool("nft") is not None or ctypes.util.find_library("nftables") is not None


NEEDS: Final[tuple[Need, ...]] = (
    Need("root", lambda: os.geteuid() == 0),
    Need("containerd", _tool("containerd"), "containerd"),
    Need("crun or runc", _tool("crun", "runc"), "crun"),
    Need("CNI plugins", lambda: cni_bin_dir() is not None, "containernetworking-plugins"),
    Need("nftables", _nftables, "nftables"),
    Need("ip", _tool("ip"), "iproute2"),
    Need("a pause program (catatonit)", _tool("catatonit"), "catatonit"),
)


def missing() -> list[Need]:
    return [n for n in NEEDS if not n.present()]


def remedy(lacking: list[Need]) -> str:
    """One line: what is missing and how to get it."""
    names = ", ".join(n.name for n in lacking)
    packages = " ".join(dict.fromkeys(n.package for n in lacking if n.package))
    steps = [f"apt-get install {packages}"] if packages else []
    if any(n.name == "root" for n in lacking):
        steps.append("run it as root")
    return f"real nodes need {names}: {' and '.join(steps)}"


def main_address() -> str:
    """This machine's own address towards the world, or empty where it has no network. No packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address of nobody's
        except OSError:
            return ""
        address = str(probe.getsockname()[0])
    return "" if address.startswith("127.") else address
