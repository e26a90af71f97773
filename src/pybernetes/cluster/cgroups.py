"""Finding and removing what the nodes' containers left in the cgroup hierarchies, version 1 and 2 alike."""

from __future__ import annotations

import os
from pathlib import Path

from pybernetes.lib import daemon

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list[Path]:
    """The mount points of all cgroup hierarchies: one per controller in version 1, one in version 2."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [p for p in ROOT.iterdir() if p.is_dir() and not p.is_symlink()] if ROOT.exists() else []


def trees(path: str) -> list[Path]:
    """The directories of one cgroup path in every hierarchy that has it."""
    return [h / path.lstrip("/") for h in hierarchies() if (h / path.lstrip("/")).is_dir()]


def processes(path: str) -> list[daemon.Daemon]:
    """Every process below a cgroup path."""
    pids: set[int] = set()
    for tree in trees(path):
        for procs in tree.rglob("cgroup.procs"):
            try:
                pids.update(int(line) for line in procs.read_text().split())
            except OSError:
                continue  # the cgroup ended while we looked
    found = (daemon.by_pid(pid) for pid in pids)
    return [d for d in found if d is not None]


def remove(path: str) -> None:
    """Remove a cgroup path from every hierarchy, innermost first; its processes must have ended."""
    for tree in trees(path):
        for directory, _, _ in os.walk(tree, topdown=False):
            os.rmdir(directory)
        parent = tree.parent
        if parent.name.startswith("pybernetes-") and not any(p.is_dir() for p in parent.iterdir()):
            parent.rmdir()
