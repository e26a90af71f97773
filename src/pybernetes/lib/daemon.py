"""Processes that outlive the one that starts them: start, find again, end.

A pid file holds the pid and the kernel's start time of the process, so a recycled pid is never mistaken for ours.
Children that we wait for are ``lib/process.py``'s matter.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pybernetes.lib.clock import Clock


@dataclass(frozen=True, slots=True)
class Daemon:
    """A process known by its pid and start time (clock ticks since boot, proc(5) stat field 22)."""

    pid: int
    started: int

    def alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has gone."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def start(argv: Sequence[str], *, pid_file: Path, log: Path, environment: Mapping[str, str] | None = None) -> Daemon:
    """Start ``argv`` in a session of its own, its output appended to ``log``. Raises OSError."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
            start_new_session=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
    child.returncode = 0  # it is not ours to wait for: keeps Popen from warning when it is collected
    daemon = Daemon(child.pid, _start_time(child.pid) or 0)
    _write(pid_file, f"{daemon.pid} {daemon.started}\n")
    return daemon


def register_self(pid_file: Path) -> None:
    """Write the pid file of this very process."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    _write(pid_file, f"{os.getpid()} {_start_time(os.getpid()) or 0}\n")


def find(pid_file: Path) -> Daemon | None:
    """The living process of a pid file, or None."""
    try:
        pid, started = pid_file.read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    daemon = Daemon(int(pid), int(started))
    return daemon if daemon.alive() else None


async def stop(daemons: Iterable[Daemon], clock: Clock, *, grace_seconds: float) -> None:
    """SIGTERM to all, SIGKILL to whoever is left after ``grace_seconds``; returns when all are gone."""
    waiting = [d for d in daemons if d.alive()]
    for daemon in waiting:
        daemon.signal(signal.SIGTERM)
    end = clock.monotonic() + grace_seconds
    while waiting and clock.monotonic() < end:
        await clock.sleep(0.02)
        waiting = [d for d in waiting if d.alive()]
    for daemon in waiting:
        daemon.signal(signal.SIGKILL)
    while any(d.alive() for d in waiting):
        await clock.sleep(0.02)


def of_command(*needles: str) -> list[Daemon]:
    """Living processes whose command line holds every needle as a whole argument."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            arguments = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended while we looked
        started = _start_time(int(entry.name))
        if started is not None and all(n in arguments for n in needles):
            found.append(Daemon(int(entry.name), started))
    return found


def by_pid(pid: int) -> Daemon | None:
    started = _start_time(pid)
    return None if started is None else Daemon(pid, started)


def _start_time(pid: int) -> int | None:
    """Field 22 of /proc/<pid>/stat; None for a process that is gone or only waits to be reaped.

    The first thread may have ended before the others, which then still hold the files and ports of the process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X") and len(os.listdir(f"/proc/{pid}/task")) <= 1:
            return None
    except OSError:
        return None
    return int(fields[19])


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)
