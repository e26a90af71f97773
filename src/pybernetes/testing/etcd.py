"""Real etcds on loopback for tests: one, or several that form a cluster. Data lie in the test's own folder.

Rule: the test that starts members ends them (``stop``); a member that was killed can be started again.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pybernetes.testing.command import free_port

MISSING: Final = "there is no etcd on the PATH (Debian: etcd-server)"
_SECONDS: Final = 20.0


def is_there() -> bool:
    """Has this machine an etcd?"""
    return shutil.which("etcd") is not None


@dataclass(slots=True)
class Member:
    name: str
    folder: Path
    client_port: int = field(default_factory=free_port)
    peer_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.client_port}"

    @property
    def peer(self) -> str:
        return f"http://127.0.0.1:{self.peer_port}"

    def start(self, members: Sequence[Member]) -> None:
        """Start it as one of ``members``; it may have run before."""
        arguments = {
            "name": self.name, "data-dir": str(self.folder), "log-level": "error",
            "listen-client-urls": f"http://{self.endpoint}", "advertise-client-urls": f"http://{self.endpoint}",
            "listen-peer-urls": self.peer, "initial-advertise-peer-urls": self.peer,
            "initial-cluster": ",".join(f"{m.name}={m.peer}" for m in members),
        }  # fmt: skip
        argv = ["etcd", *(f"--{name}={value}" for name, value in arguments.items())]
        with self.folder.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it at once, as a machine that loses power."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def is_healthy(self) -> bool:
        """Does it answer, and know a leader?"""
        connection = http.client.HTTPConnection("127.0.0.1", self.client_port, timeout=2)
        try:
            connection.request("GET", "/health")
            return b'"true"' in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()


def start(folder: Path, count: int = 1) -> list[Member]:
    """``count`` members of one new cluster that answer. Raises AssertionError where they do not come up."""
    members = [Member(f"m{number}", folder / f"m{number}") for number in range(count)]
    for member in members:
        member.start(members)
    wait_healthy(members)
    return members


def wait_healthy(members: Sequence[Member]) -> None:
    """Return when all of them answer. Raises AssertionError where that takes too long."""
    end = time.monotonic() + _SECONDS
    while not all(member.is_healthy() for member in members):
        if time.monotonic() > end:
            stop(members)
            raise AssertionError(f"etcd does not come up; see {members[0].folder.with_suffix('.log')}")
        time.sleep(0.02)


def stop(members: Sequence[Member]) -> None:
    for member in members:
        member.kill()
