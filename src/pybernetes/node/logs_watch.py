"""Being woken when something in a folder changes: inotify through libc, one descriptor for the whole process.

Rule: while nobody watches there is no descriptor, and a kernel that allows few instances (128 a user is common) is
asked for one only. A watcher learns that something happened, not what: it looks itself.
Neighbours: ``logs.py`` follows files with this, which also tells it of a file put in another's place (rotation);
``manifests.py`` follows a folder.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from pathlib import Path
from typing import Final

from pybernetes.lib.clock import Clock

_MODIFY, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF = 0x2, 0x40, 0x80, 0x100, 0x200, 0x400
_ONLY_FOLDERS: Final = 0x0100_0000
_EVENT: Final = struct.Struct("iIII")
_EVERYBODY: Final = -1
"""The watch of an event that says: more has happened than could be told."""


class Watch:
    """One who watches; ``close`` ends it."""

    def __init__(self, watcher: Watcher, descriptor: int) -> None:
        self._watcher, self._descriptor = watcher, descriptor
        self._changed = asyncio.Event()

    def wake(self) -> None:
        self._changed.set()

    async def changed(self, clock: Clock, seconds: float) -> bool:
        """True when something has changed since the last call, False when nothing did for so long."""
        timer = clock.call_later(seconds, self._time_out)
        self._timed_out = False
        try:
            await self._changed.wait()
        finally:
            timer.cancel()
        self._changed.clear()
        return not self._timed_out

    def _time_out(self) -> None:
        self._timed_out = True
        self._changed.set()

    def close(self) -> None:
        self._watcher.forget(self, self._descriptor)


class Watcher:
    """Of folders; made once for a process."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = -1
        """Of inotify; negative while nobody watches."""
        self._watches: dict[int, set[Watch]] = {}

    def watch(self, folder: Path) -> Watch:
        """Raises OSError: the folder is not there, or the kernel allows no more watches."""
        if self.descriptor < 0:
            self.descriptor = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), "inotify")
            asyncio.get_running_loop().add_reader(self.descriptor, self._read)
        mask = _MODIFY | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _ONLY_FOLDERS
        try:
            descriptor = self._checked(
                self._libc.inotify_add_watch(self.descriptor, os.fsencode(folder), mask), str(folder)
            )
        except OSError:
            self._close_unused()
            raise
        watch = Watch(self, descriptor)
        self._watches.setdefault(descriptor, set()).add(watch)
        return watch

    def forget(self, watch: Watch, descriptor: int) -> None:
        """For ``Watch.close``."""
        watches = self._watches.get(descriptor, set())
        watches.discard(watch)
        if not watches and self._watches.pop(descriptor, None) is not None:
            self._libc.inotify_rm_watch(self.descriptor, descriptor)  # fails where the folder is gone, which is as good
            self._close_unused()

    def _close_unused(self) -> None:
        if not self._watches and self.descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self.descriptor)
            os.close(self.descriptor)
            self.descriptor = -1

    def _read(self) -> None:
        try:
            data = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return
        at, told = 0, set()
        while at < len(data):
            descriptor, _, _, length = _EVENT.unpack_from(data, at)
            told.add(descriptor)
            at += _EVENT.size + length
        for descriptor in self._watches if _EVERYBODY in told else told:
            for watch in self._watches.get(descriptor, ()):
                watch.wake()

    @staticmethod
    def _checked(result: int, what: str) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), what)
        return result
