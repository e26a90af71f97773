"""Writing a set of files so that a reader sees the old set or the new one, never a mixture.

Theory of operation, as in the kubelet: the files lie in ``..<time>``; ``..data`` is a link to that folder and each
visible name a link through ``..data``. A change writes a new folder and moves ``..data`` with one rename.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from pybernetes.node.volumes.payload import File, Payload

DATA: Final = "..data"
_GROUP_READS: Final = 0o440


def write(target: Path, payload: Payload, version: str, group: int | None = None) -> bool:
    """Have ``payload`` in the folder ``target``; ``version`` names a folder that is not there yet, and members of
    ``group`` may read everything. False where nothing had to change. Raises OSError."""
    target.mkdir(parents=True, exist_ok=True)
    if group is not None:
        payload = {path: replace(file, mode=file.mode | _GROUP_READS) for path, file in payload.items()}
    before = os.readlink(target / DATA) if (target / DATA).is_symlink() else ""
    if before and _same(target / before, payload):
        return False
    fresh = target / f"..{version}"
    fresh.mkdir(exist_ok=True)
    for path, file in payload.items():
        _write_file(fresh / path, file)
    fresh.chmod(0o755)
    if group is not None:
        _give(target, fresh, group)
    (target / "..data_tmp").unlink(missing_ok=True)
    (target / "..data_tmp").symlink_to(fresh.name)
    (target / "..data_tmp").rename(target / DATA)
    _link_names(target, {path.split("/", 1)[0] for path in payload})
    if before:
        shutil.rmtree(target / before, ignore_errors=True)
    return True


def _write_file(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    path.chmod(file.mode)  # not at its creation: the process's mask must not have a say
    if file.owner is not None:
        os.chown(path, file.owner, -1)


def _give(target: Path, fresh: Path, group: int) -> None:
    """Everything of a new version to a group, and what is made in its folders later too."""
    for folder, _, names in os.walk(fresh):
        for name in names:
            os.chown(Path(folder) / name, -1, group)
    for path in (target, *(Path(f) for f, _, _ in os.walk(fresh))):
        os.chown(path, -1, group)
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_ISGID | _GROUP_READS | 0o110)


def _link_names(target: Path, names: set[str]) -> None:
    for name in names:
        if not (target / name).is_symlink():
            (target / name).symlink_to(f"{DATA}/{name}")
    for entry in list(target.iterdir()):
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()


def _same(folder: Path, payload: Payload) -> bool:
    found = dict(_read(folder, folder))
    wanted = {path: (file.content, file.mode & 0o777) for path, file in payload.items()}
    return found == wanted


def _read(folder: Path, top: Path) -> Iterator[tuple[str, tuple[bytes, int]]]:
    """Every file below: its path, content and mode."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, top)
        else:
            mode = stat.S_IMODE(entry.stat().st_mode) & 0o777
            yield str(entry.relative_to(top)), (entry.read_bytes(), mode)
