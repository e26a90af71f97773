"""The log: a file of JSON lines that is put aside when it has become large.

Rule: lines of one turn of the event loop are written together. What cannot be written is told in our own log and lost:
a full disk does not stop the API.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import times
from pybernetes.meta.objects import Obj

_MEGABYTE: Final = 1 << 20
_log = log.Log("server.auditing")


class AuditFile:
    """``path`` ``-`` is standard output. ``max_size`` in megabytes; 0: without a limit. ``backups`` are kept; 0: all.

    Raises OSError where the file cannot be opened.
    """

    def __init__(self, path: str, clock: Clock, *, max_size: int = 100, backups: int = 0) -> None:
        self._path, self._clock = Path(path), clock
        self._limit, self._backups = max_size * _MEGABYTE, backups
        self._is_file = path != "-"
        self._file = self._opened()
        self._lines: list[bytes] = []

    def _opened(self) -> BinaryIO:
        if not self._is_file:
            return sys.stdout.buffer
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("ab", buffering=0)
        self._path.chmod(0o600)
        return file

    def write(self, event: Obj) -> None:
        self._lines.append(orjson.dumps(event, default=str))
        if len(self._lines) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._file.write(b"\n".join(lines) + b"\n")
            self._file.flush()
            if self._is_file and self._limit and self._file.tell() >= self._limit:
                self._put_aside()
        except OSError as error:
            _log.error("audit events are lost", error, path=str(self._path), events=len(lines))

    def _put_aside(self) -> None:
        self._file.close()
        stamp = times.render_micro(self._clock.time()).replace(":", "-")
        self._path.rename(self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}"))
        self._file = self._opened()
        if self._backups:
            kept = sorted(self._path.parent.glob(f"{self._path.stem}-*{self._path.suffix}"))
            for old in kept[: -self._backups]:
                old.unlink(missing_ok=True)

    def close(self) -> None:
        self.flush()
        if self._is_file:
            self._file.close()
