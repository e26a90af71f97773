"""Container logs that do not grow for ever: a long one is set aside, and of each container only some files stay.

Rule: the newest file set aside stays as it is, since somebody may still read it; older ones are compressed. Names are
the kubelet's: ``0.log``, ``0.log.20240102-030405``, ``0.log.20240101-000000.gz``.
Neighbours: ``housekeeping.py`` calls, ``logs.py`` reads ``0.log`` and follows it across a rotation.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path


def is_due(log: Path, bytes_max: int) -> bool:
    """Whether a log has become too long."""
    try:
        return log.stat().st_size > bytes_max
    except FileNotFoundError:
        return False


def rotate(log: Path, now: float, files_max: int) -> Path:
    """Set a log aside and make room; where it is now. Its writer has to be told to open it anew. Raises OSError."""
    aside = sorted(p for p in log.parent.glob(f"{log.name}.*") if p.suffix != ".tmp")
    drop, compress = plan((p.name for p in aside), files_max)
    for name in drop:
        (log.parent / name).unlink()
    for name in compress:
        _compress(log.parent / name)
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    return log.rename(log.with_name(f"{log.name}.{stamp}"))


def plan(aside: Iterable[str], files_max: int) -> tuple[list[str], list[str]]:
    """Of the files set aside earlier, oldest first: which go, and which are to be compressed. Pure."""
    names = sorted(aside)
    kept = names[max(0, len(names) - max(0, files_max - 2)) :]
    return names[: len(names) - len(kept)], [name for name in kept if not name.endswith(".gz")]


def _compress(path: Path) -> None:
    target = path.with_name(f"{path.name}.gz")
    unfinished = path.with_name(f"{path.name}.tmp")
    with path.open("rb") as source, gzip.open(unfinished, "wb") as packed:
        shutil.copyfileobj(source, packed)
    unfinished.rename(target)
    path.unlink()
