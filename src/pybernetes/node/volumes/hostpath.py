"""hostPath: a path of the node itself, after a look whether it is what the pod takes it for.

Each type is a row: what the path must be, what is made where it is missing, and how the kubelet puts a refusal.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple


class _Type(NamedTuple):
    test: Callable[[int], bool]
    """Of ``st_mode``."""
    refusal: str
    make: Callable[[Path], None] | None = None


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, mode=0o755)


def _make_file(path: Path) -> None:
    path.touch(mode=0o644)


_TYPES: Final = {
    "DirectoryOrCreate": _Type(stat.S_ISDIR, "is not a directory", _make_folder),
    "Directory": _Type(stat.S_ISDIR, "is not a directory"),
    "FileOrCreate": _Type(stat.S_ISREG, "is not a file", _make_file),
    "File": _Type(stat.S_ISREG, "is not a file"),
    "Socket": _Type(stat.S_ISSOCK, "is not a socket file"),
    "CharDevice": _Type(stat.S_ISCHR, "is not a character device"),
    "BlockDevice": _Type(stat.S_ISBLK, "is not a block device"),
}


def check(path: Path, type: str) -> str:
    """Have the path as its type says; the refusal, or nothing. Raises OSError where it cannot be made. Without a type
    the runtime makes a folder of what is missing."""
    row = _TYPES.get(type)
    if row is None:
        return ""
    if not path.exists() and row.make is not None:
        row.make(path)
    right = path.exists() and row.test(path.stat().st_mode)
    return "" if right else f"hostPath type check failed: {path} {row.refusal}"
