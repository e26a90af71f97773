"""``pybernetes down``: end everything a cluster runs on this machine, leaving its data or not even that."""

from __future__ import annotations

import asyncio
import shutil

from pybernetes.cluster import host, nodes, underlay
from pybernetes.cluster.config import Paths
from pybernetes.cluster.steps import Steps
from pybernetes.lib import daemon
from pybernetes.lib.clock import Clock

CONTROL_PLANE = "control-plane"


async def down(paths: Paths, steps: Steps, clock: Clock, *, purge: bool) -> None:
    """End agents, containers, containerds and the control plane; remove namespaces, mounts, cgroups, addresses."""
    names = sorted(p.name for p in (paths.data / "nodes").iterdir()) if (paths.data / "nodes").is_dir() else []
    if names:
        with steps.step(f"{len(names)} nodes and their containers" if len(names) > 1 else "1 node and its containers"):
            await asyncio.gather(*(nodes.stop(paths.node(name), clock) for name in names))
    with steps.step("control plane") as notes:
        running = daemon.find(paths.pid(CONTROL_PLANE))
        if running is None:
            notes.append("(was not running)")
        else:
            await daemon.stop([running], clock, grace_seconds=10)
    if names and host.find_tool("ip"):
        with steps.step("network"):
            await underlay.remove_all(paths)
    shutil.rmtree(paths.run, ignore_errors=True)
    if purge and paths.exists:
        with steps.step(f"data in {paths.data}") as notes:
            notes.extend(_remove_data(paths))


def _remove_data(paths: Paths) -> list[str]:
    """Remove what the cluster made, and its folder if nothing else lies there; what there is to say about it."""
    for path in paths.own():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    left = sorted(path.name for path in paths.data.iterdir())
    if not left and not paths.data.is_symlink() and not paths.data.is_mount():
        paths.data.rmdir()
    return [f"except {', '.join(left[:3])}{' …' if len(left) > 3 else ''}"] if left else []
