"""What is mounted where, and mounting: by the programs that every Linux has.

Rule: whether something is mounted is read in /proc, since a folder that is bound to another of the same disk looks like
a plain folder in every other way.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pybernetes.lib import process

_TABLE: Final = Path("/proc/self/mountinfo")


def table() -> dict[str, str]:
    """Mount point → what is mounted there (a device, or the file system's name); of several the topmost."""
    found: dict[str, str] = {}
    for line in _TABLE.read_text().splitlines():
        fields = line.split(" ")
        after = fields.index("-", 6)
        found[_plain(fields[4])] = _plain(fields[after + 2])
    return found


def _plain(text: str) -> str:
    """Blanks and the like are written as octal numbers."""
    return text.encode().decode("unicode_escape").encode("latin-1").decode() if "\\" in text else text


def source_of(path: Path) -> str:
    """What is mounted at ``path``; empty for nothing."""
    return table().get(os.path.realpath(path), "")


def below(folder: Path) -> list[Path]:
    """Everything mounted in a folder or below it, the deepest first."""
    top = os.path.realpath(folder)
    return sorted((Path(p) for p in table() if p == top or p.startswith(f"{top}/")), reverse=True)


async def bind(source: Path, target: Path, options: Sequence[str] = ()) -> None:
    """Show ``source`` at ``target`` too. Raises ProcessError or OSError."""
    if source_of(target):
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    await process.run(["mount", "--bind", str(source), str(target)])
    if options:
        await process.run(["mount", "-o", ",".join(("remount", "bind", *options)), str(target)])


async def unmount(path: Path) -> None:
    """Raises ProcessError where it is busy; what is not mounted is fine."""
    while source_of(path):
        await process.run(["umount", str(path)])
