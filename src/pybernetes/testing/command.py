"""The real command and the real kubectl for tests of whole clusters, and a look at what a cluster left on the machine.

Rule: a test gives each cluster a data directory of its own, so that no two know of each other, and takes it ``down``.
Neighbours: ``cluster.py`` is a whole cluster without the command, in the test's own process.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pybernetes.cluster.config import Paths

_SECONDS = 300
_SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kubectls() -> Sequence[str]:
    """Every kubectl of this machine: the siblings of the one on the PATH named ``kubectl.<minor>``, or it alone."""
    first = shutil.which("kubectl")
    if first is None:
        return ()
    return [str(p) for p in sorted(Path(first).resolve().parent.glob("kubectl.1.*"))] or [first]


@dataclass(frozen=True, slots=True)
class Command:
    """``pybernetes`` for the cluster in ``data``, and kubectl as its administrator."""

    data: Path

    @property
    def paths(self) -> Paths:
        return Paths(self.data)

    @property
    def kubeconfig(self) -> Path:
        return self.paths.admin_kubeconfig

    def run(self, name: str, *arguments: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """Run a subcommand: its exit code, and all that it printed as ``stdout``. ``before`` is a program that runs
        it in its turn (``unshare --user``)."""
        argv = [*before, sys.executable, "-m", "pybernetes", name, *arguments, "--data", str(self.data)]
        return _run(argv, dict(os.environ))

    def __call__(self, name: str, *arguments: str) -> str:
        """What a subcommand printed. Raises AssertionError with it where it failed."""
        return _succeeded(self.run(name, *arguments))

    def kubectl(self, *arguments: str, program: str = "kubectl", stdin: str | None = None, check: bool = True) -> str:
        """What kubectl printed, errors included. Raises AssertionError with it where it failed and ``check``."""
        # its cache of discovery goes by host and port: another test's cluster may have had ours
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.data.with_name("cache")),
        }
        done = _run([program, *arguments], environment, stdin=stdin)
        return _succeeded(done) if check else done.stdout

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
        return found + [f"nft {line}" for line in _tables() if paths.id in line]


def _run(
    argv: Sequence[str], environment: dict[str, str], stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, text=True, timeout=_SECONDS, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        input=stdin or "", env=environment, cwd="/",
    )  # fmt: skip


def _succeeded(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        raise AssertionError(f"{' '.join(done.args)}: exit code {done.returncode}: {done.stdout}")
    return done.stdout


def _command_lines() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue  # it ended while we looked


def _tables() -> Sequence[str]:
    nft = shutil.which("nft", path=_SBIN)
    if nft is None or os.geteuid() != 0:
        return ()
    return subprocess.run([nft, "list", "tables"], capture_output=True, text=True, check=True).stdout.splitlines()
