"""emptyDir: a folder of the pod's own, on disk or in memory, which lives as long as the pod.

A folder in memory is a tmpfs no larger than its ``sizeLimit`` or the node's memory. A limit for one on disk is
watched over by eviction, not here.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from pybernetes.lib import process
from pybernetes.meta.objects import Obj
from pybernetes.node import qos

_MODE: Final = 0o777
_GROUP_MODE: Final = 0o2770


async def set_up(folder: Path, source: Obj, group: int | None, memory_bytes: int) -> None:
    """Have the folder. Raises OSError or ProcessError; what is there already is left alone."""
    fresh = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    if source.get("medium") == "Memory" and not os.path.ismount(folder):
        size = qos.size(source.get("sizeLimit")) or memory_bytes
        await process.run(["mount", "-t", "tmpfs", "-o", f"size={min(size, memory_bytes)}", "tmpfs", str(folder)])
        fresh = True
    if fresh:
        folder.chmod(_MODE)
        if group is not None:
            os.chown(folder, -1, group)
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _GROUP_MODE)
