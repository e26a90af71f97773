"""A cluster for one benchmark: started by the real command on a data directory of its own, and its CPU and memory."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cluster:
    data: Path
    port: int

    @property
    def kubeconfig(self) -> Path:
        return self.data / "kubeconfig"

    @property
    def pid(self) -> int:
        """The control plane's process."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                if "control-plane" in arguments and str(self.data) in arguments:
                    return int(entry.name)
        raise RuntimeError(f"no control plane runs on {self.data}")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory_mb(self) -> float:
        """Proportional set size: shared pages counted once among their users."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no Pss in smaps_rollup")

    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.data / "pki/ca.crt"))
        context.load_cert_chain(self.data / "pki/admin.crt", self.data / "pki/admin.key")
        return context

    def write(self, method: str, path: str, body: object) -> None:
        """One request to the API server that must succeed."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.ssl_context(), timeout=60)
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin, text=True, capture_output=True, timeout=300, check=True,
        )  # fmt: skip
        return done.stdout


def pybernetes(*arguments: str) -> float:
    """Run the command; seconds it took."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "pybernetes", *arguments], check=True, capture_output=True, timeout=300)
    return time.monotonic() - begin


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def cluster(*options: str) -> Iterator[Cluster]:
    """A fresh cluster, gone afterwards."""
    data = Path(tempfile.mkdtemp(prefix="pybernetes-bench-"))
    made = Cluster(data, free_port())
    try:
        pybernetes("up", "--data", str(data), "--port", str(made.port), *options)
        yield made
    finally:
        pybernetes("down", "--data", str(data), "--purge")
        shutil.rmtree(data, ignore_errors=True)
