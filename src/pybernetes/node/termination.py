"""The last words of a container: what it wrote to its termination message path, or the end of its log.

Limits are the kubelet's: 4096 bytes of the file, 2048 bytes or 80 lines of the log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pybernetes.node.poddirs import PodDirs
from pybernetes.node.runtime import port
from pybernetes.node.runtime.port import Container

_FILE_BYTES_MAX: Final = 4096
_LOG_BYTES_MAX: Final = 2048
_LOG_LINES_MAX: Final = 80
_TAIL_BYTES: Final = 4 * _LOG_BYTES_MAX
"""Of the log file, where each line also carries its time and stream."""


def message(container: Container, dirs: PodDirs) -> str:
    """What to tell of a container that has ended: the runtime's message, then its own."""
    said = _read_tail(dirs.termination_log(container.name, container.attempt), _FILE_BYTES_MAX)
    policy = container.annotations.get(port.TERMINATION_MESSAGE_POLICY)
    if not said and policy == "FallbackToLogsOnError" and container.exit_code != 0:
        said = log_tail(_read_tail(Path(container.log_path), _TAIL_BYTES))
    return ": ".join(part for part in (container.message, said.decode(errors="replace")) if part)


def log_tail(raw: bytes) -> bytes:
    """The last lines of a log in the CRI's form (``time stream flag text``), as they were written. Pure."""
    out: list[bytes] = []
    for line in raw.splitlines()[-_LOG_LINES_MAX:]:
        _, _, rest = line.partition(b" ")
        stream, _, rest = rest.partition(b" ")
        flag, _, text = rest.partition(b" ")
        if stream in (b"stdout", b"stderr"):
            out.append(text if flag == b"P" else text + b"\n")
    return b"".join(out)[-_LOG_BYTES_MAX:]


def _read_tail(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size)
    except OSError:
        return b""  # it is gone, or the container has put something else in its place: there is nothing to tell
