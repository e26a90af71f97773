"""The real command on a data directory of its own, and what a cluster may have left on the machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pybernetes.cluster.config import Paths


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Command:
    """``pybernetes`` with ``--data`` set."""

    data: Path

    @property
    def paths(self) -> Paths:
        return Paths(self.data)

    def run(
        self, name: str, *arguments: str, user: int | None = None, home: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Its exit code and all that it printed."""
        environment = {**os.environ, **({"HOME": str(home)} if home else {})}
        return subprocess.run(
            [sys.executable, "-m", "pybernetes", name, *arguments, "--data", str(self.data)], text=True, timeout=300,
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment,
            cwd="/", user=user,
        )  # fmt: skip

    def __call__(self, name: str, *arguments: str) -> str:
        """What it printed; it must succeed."""
        done = self.run(name, *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.data}/kubeconfig", f"--cache-dir={self.data}/kubectl-cache", *arguments],
            input=stdin, text=True, timeout=120, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def left_behind(self) -> list[str]:
        """Processes, mounts, namespaces, interfaces, tables and cgroups that still belong to the cluster."""
        paths = self.paths
        marks = (str(self.data), str(paths.run))
        found = [f"process {pid}: {line}" for pid, line in _command_lines() if any(m in line for m in marks)]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        found += [f"mount {line}" for line in mounts if any(m in line for m in marks)]
        found += [f"namespace {p}" for p in Path("/run/netns").glob(f"pyb-{paths.id}-*")]
        found += [f"interface {p.name}" for p in Path("/sys/class/net").glob(f"pyb{paths.id}*")]
        found += [f"cgroup {p}" for p in Path("/sys/fs/cgroup").glob(f"**/pybernetes-{paths.id}")]
        if (nft := shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")) and os.geteuid() == 0:
            tables = subprocess.run([nft, "list", "tables"], capture_output=True, text=True, check=True).stdout
            found += [f"nft {line}" for line in tables.splitlines() if paths.id in line]
        return found


def _command_lines() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue  # it ended while we looked


@pytest.fixture
def pybernetes(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path / "cluster")
    yield command
    command.run("down", "--purge")
