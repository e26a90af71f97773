"""The process that carries the traffic: given a configuration it starts, or takes it over without losing a connection.

Theory of operation. HAProxy's master keeps the listening sockets; told to, it starts a worker with the new
configuration, which takes them over while the old one finishes what it has. Each generation has a command socket of its
own, so we know when the new one works and never speak to the old. The process outlives ours and is found again.
Rule: a configuration that HAProxy refuses is not tried: what ran goes on.
Neighbours: ``render.py`` makes configurations and commands, ``lib/daemon.py`` starts and finds.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from pybernetes.lib import daemon, process
from pybernetes.lib.clock import Clock

READY_SECONDS: Final = 15.0
COMMANDS_AT_ONCE: Final = 50
"""HAProxy reads a line of commands into a buffer of 16 KiB."""
REFUSALS: Final = ("No such", "Invalid", "Unknown", "Require")


class HAProxyError(Exception):
    """It does not run, or does not do as told; the message holds its own words."""


class HAProxy:
    """``directory`` is ours alone; ``default_certificate`` holds certificate and key for hosts without one."""

    def __init__(
        self, binary: str, directory: Path, *, pid_file: Path, log: Path, default_certificate: bytes, clock: Clock
    ) -> None:
        self._binary, self.directory, self._pid_file, self._log = binary, directory, pid_file, log
        self._default_certificate, self._clock = default_certificate, clock
        self._socket = Path()
        self._written: dict[str, bytes] = {}

    async def load(self, config: Callable[[str], str], files: Mapping[str, bytes]) -> None:
        """Run with this configuration, made for the path of the command socket. Raises HAProxyError."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, content in {**files, "default.pem": self._default_certificate}.items():
            self._write(name, content)
        before = sorted(self.directory.glob("admin-*.sock"))
        socket = self.directory / f"admin-{_generation(before) + 1:06}.sock"
        self._write("haproxy.new", config(str(socket)).encode())
        await self._check()
        (self.directory / "haproxy.new").replace(self.directory / "haproxy.cfg")
        self._written.pop("haproxy.new")
        await self._take_over(socket)
        self._socket = socket
        for old in before:
            old.unlink(missing_ok=True)
        self._drop(files)

    async def tell(self, commands: Sequence[str]) -> None:
        """Carry out commands in the running process. Raises HAProxyError for one that is refused."""
        for start in range(0, len(commands), COMMANDS_AT_ONCE):
            said = await self._ask(";".join(commands[start : start + COMMANDS_AT_ONCE]))
            wrong = [
                line for line in said.splitlines() if line.startswith(("No such", "Invalid", "Unknown", "Require"))
            ]
            if wrong:
                raise HAProxyError(wrong[0])

    async def ended(self) -> None:
        """Return when the process has gone, however that came about."""
        found = daemon.find(self._pid_file)
        if found is None:
            return
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        try:
            descriptor = os.pidfd_open(found.pid)
        except ProcessLookupError:
            return
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    async def stop(self) -> None:
        """End the process and every connection."""
        await stop(self._pid_file, self._clock)

    async def _check(self) -> None:
        argv = [self._binary, "-c", "-q", "-f", str(self.directory / "haproxy.new")]
        try:
            await process.run(argv)
        except process.ProcessError as error:
            raise HAProxyError(f"the configuration is refused: {error}") from error

    async def _take_over(self, socket: Path) -> None:
        running = daemon.find(self._pid_file)
        if running:
            running.signal(signal.SIGUSR2)
        else:
            argv = [self._binary, "-W", "-q", "-f", str(self.directory / "haproxy.cfg")]
            running = daemon.start(argv, pid_file=self._pid_file, log=self._log)
        end = self._clock.monotonic() + READY_SECONDS
        while not await _answers(socket):
            if not running.alive():
                raise HAProxyError(f"it ended at once; see {self._log}")
            if self._clock.monotonic() > end:
                raise HAProxyError(f"no new worker after {READY_SECONDS:g} s; see {self._log}")
            await self._clock.sleep(0.01)

    async def _ask(self, line: str) -> str:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
            try:
                writer.write(f"{line}\n".encode())
                return (await reader.read()).decode(errors="replace")
            finally:
                writer.close()
        except OSError as error:
            raise HAProxyError(f"it cannot be told anything: {error}") from error

    def _write(self, name: str, content: bytes) -> None:
        """Whole or not at all, and only what is new; readable by us alone, as keys are among it."""
        if self._written.get(name) == content:
            return
        temporary = self.directory / f"{name}.part"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(self.directory / name)
        self._written[name] = content

    def _drop(self, wanted: Mapping[str, bytes]) -> None:
        """Remove the certificates that nobody asks for any more."""
        for path in self.directory.glob("*.pem"):
            if path.name not in wanted and path.name != "default.pem":
                path.unlink()
                self._written.pop(path.name, None)


async def stop(pid_file: Path, clock: Clock) -> None:
    """End the process of a pid file, if there is one."""
    found = daemon.find(pid_file)
    await daemon.stop([found] if found else [], clock, grace_seconds=5)
    pid_file.unlink(missing_ok=True)


def _generation(sockets: Sequence[Path]) -> int:
    return int(sockets[-1].stem.rpartition("-")[2]) if sockets else 0


async def _answers(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return False
    writer.close()
    return True
