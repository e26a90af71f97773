"""A cluster of simulated nodes, started by the real command, for the real clients."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kubectls() -> list[str]:
    """Every kubectl on this machine: the one on the PATH and its siblings named kubectl.<minor>."""
    first = shutil.which("kubectl")
    if first is None:
        return []
    home = Path(first).resolve().parent
    return [str(p) for p in sorted(home.glob("kubectl.1.*"))] or [first]


@dataclass(frozen=True)
class Cluster:
    data: Path
    kubeconfig: Path

    def kubectl(self, *arguments: str, program: str = "kubectl", stdin: str | None = None, check: bool = True) -> str:
        """What kubectl prints, errors included."""
        done = subprocess.run(
            [program, f"--kubeconfig={self.kubeconfig}", *arguments], input=stdin, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stdout}")
        return done.stdout


def pybernetes(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pybernetes", *arguments], text=True, timeout=300, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"pybernetes {' '.join(arguments)}: {done.stdout}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    data = tmp_path_factory.mktemp("cluster")
    pybernetes("up", "--data", str(data), "--nodes", "0", "--simulate", "2", "--port", str(free_port()))
    # kubectl keeps discovery by host and port under HOME: another test run may have had our port
    os.environ["KUBECACHEDIR"] = str(data / "kubectl-cache")
    try:
        yield Cluster(data, data / "kubeconfig")
    finally:
        pybernetes("down", "--data", str(data), "--purge")
