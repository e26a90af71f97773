"""``fsGroup``: a volume's files belong to a group whose members may write all of it (pkg/volume/volume_linux.go)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

_READ_WRITE: Final = 0o660
_READ_ONLY: Final = 0o440
_FOLDER: Final = stat.S_ISGID | 0o110


def give(folder: Path, group: int, policy: str, *, read_only: bool = False) -> None:
    """Give everything below to ``group``; with the policy ``OnRootMismatch`` only where the folder itself is not its
    already. Raises OSError. A large volume takes long: run it in a thread."""
    wanted = _READ_ONLY if read_only else _READ_WRITE
    if policy == "OnRootMismatch" and _is_given(folder, group, wanted | _FOLDER):
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _give(Path(parent) / name, group, wanted)
        for name in folders:
            _give(Path(parent) / name, group, wanted | _FOLDER)
    _give(folder, group, wanted | _FOLDER)


def _is_given(folder: Path, group: int, mode: int) -> bool:
    found = folder.stat()
    return found.st_gid == group and found.st_mode & mode == mode


def _give(path: Path, group: int, mode: int) -> None:
    os.chown(path, -1, group, follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(stat.S_IMODE(path.stat().st_mode) | mode)
