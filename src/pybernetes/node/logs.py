"""Container logs: the files that the runtime writes in the CRI's format, read as ``kubectl logs`` asks for them.

A line of such a file is ``<RFC 3339 time> <stdout|stderr> <P|F> <text>``; P says that the line goes on in the next one.
Rule 1: tailing reads a file from its end, as far as needed. Rule 2: following waits for inotify and reads no file that
did not change; only whether the container still runs is asked now and then, as the kubelet does. Rule 3: a file that
was put in the place of the one being followed (rotation) is gone on with after the old one's end.
Neighbours: ``logs_watch.py`` wakes, ``server.py`` serves ``/containerLogs``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pybernetes.lib.clock import Clock
from pybernetes.meta import times
from pybernetes.node.logs_watch import Watcher

_BLOCK_BYTES: Final = 64 * 1024
_ALIVE_SECONDS: Final = 0.5
"""How often a silent container is asked for."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The parts of PodLogOptions that say what of a log is wanted."""

    follow: bool = False
    tail_lines: int | None = None
    since: float | None = None
    """Unix seconds."""
    timestamps: bool = False
    limit_bytes: int | None = None
    stream: str = ""
    """``stdout``, ``stderr``, or empty for both."""


async def read(
    path: Path, options: LogOptions, *, watcher: Watcher, alive: Callable[[], Awaitable[bool]], clock: Clock
) -> AsyncIterator[bytes]:
    """The log in pieces; with ``follow`` until ``alive`` says no. Raises OSError where there is no such file."""
    shape = Shape(options)
    file: BinaryIO = path.open("rb")
    watch = watcher.watch(path.parent) if options.follow else None
    try:
        file.seek(0 if options.tail_lines is None else tail_start(file, options.tail_lines))
        running = True
        while not shape.full:
            data = file.read(_BLOCK_BYTES)
            if data:
                yield shape.feed(data)
            elif watch is None:
                break
            elif (successor := _successor(path, file)) is not None:
                yield shape.feed(file.read()) + shape.end()  # what came after the last look
                file.close()
                file = successor
            elif not running:
                break
            elif not await watch.changed(clock, _ALIVE_SECONDS):
                running = await alive()  # what it wrote last is read once more before the end
        yield shape.end()
    finally:
        file.close()
        if watch is not None:
            watch.close()


def _successor(path: Path, file: BinaryIO) -> BinaryIO | None:
    """The file that is at ``path`` now, where it is another or was emptied; its reading starts at its beginning."""
    try:
        now, was = path.stat(), os.fstat(file.fileno())
        if (now.st_ino, now.st_dev) == (was.st_ino, was.st_dev) and now.st_size >= file.tell():
            return None
        return path.open("rb")
    except FileNotFoundError:
        return None  # between the old one and the new one


class Shape:
    """Bytes of a CRI log to bytes for the client. ``full`` is true once the limit is reached."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit_bytes
        self._rest = b""
        self._fresh = True
        """Does the next line of the file begin a line of the log?"""
        self._too_old = False
        self.full = options.limit_bytes == 0

    def feed(self, data: bytes) -> bytes:
        """What the whole lines among ``data`` and what was left before come to."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        return self._limited(b"".join(map(self._line, lines)))

    def end(self) -> bytes:
        """What a last line without an end comes to."""
        rest, self._rest = self._rest, b""
        return self._limited(self._line(rest)) if rest else b""

    def _line(self, raw: bytes) -> bytes:
        stamp, _, rest = raw.partition(b" ")
        stream, _, rest = rest.partition(b" ")
        tag, _, text = rest.partition(b" ")
        if stream not in (b"stdout", b"stderr"):
            return b""  # no line of the format: the runtime was stopped while it wrote
        fresh, self._fresh = self._fresh, not tag.startswith(b"P")
        if fresh and self._options.since is not None:
            self._too_old = moment(stamp) < self._options.since
        if self._too_old or self._options.stream not in ("", stream.decode()):
            return b""
        head = padded(stamp) + b" " if fresh and self._options.timestamps else b""
        return head + text + (b"\n" if self._fresh else b"")

    def _limited(self, data: bytes) -> bytes:
        if self._left is None:
            return data
        data = data[: self._left]
        self._left -= len(data)
        self.full = self._left <= 0
        return data


def moment(stamp: bytes) -> float:
    """Unix seconds of a line's time; what is none counts as long ago."""
    try:
        return times.parse(stamp.decode("ascii", "replace"))
    except ValueError:
        return 0.0


def padded(stamp: bytes) -> bytes:
    """A time with all nine digits of nanoseconds, so that lines stand in columns."""
    if not stamp.endswith(b"Z"):
        return stamp
    seconds, _, fraction = stamp[:-1].partition(b".")
    return seconds + b"." + fraction.ljust(9, b"0") + b"Z"


def tail_start(file: BinaryIO, lines: int) -> int:
    """Where the last ``lines`` lines of the log begin; lines in parts count once. Reads from the end."""
    start = end = file.seek(0, os.SEEK_END)
    if lines <= 0:
        return end
    for offset, line in _backward(file):
        if start < end and _ends_line(line):  # so what begins behind it, at ``start``, is a line of its own
            lines -= 1
            if lines == 0:
                return start
        start = offset
    return 0


def _backward(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(where it begins, line) from the last to the first; after a file's last line end there is an empty one."""
    at, carried = file.seek(0, os.SEEK_END), b""
    while at > 0:
        size = min(_BLOCK_BYTES, at)
        at = file.seek(at - size)
        data = file.read(size) + carried
        carried, *whole = data.split(b"\n")
        begin = at + len(data)
        for line in reversed(whole):
            begin -= len(line)
            yield begin, line
            begin -= 1
    yield 0, carried


def _ends_line(raw: bytes) -> bool:
    parts = raw.split(b" ", 3)
    return len(parts) < 3 or not parts[2].startswith(b"P")
