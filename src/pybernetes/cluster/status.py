"""``pybernetes status``: which of the cluster's processes run, and what the API says of its nodes."""

from __future__ import annotations

from pybernetes.cluster import access, nodes
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.cluster.down import CONTROL_PLANE
from pybernetes.lib import daemon
from pybernetes.meta import errors, objects


async def render(paths: Paths, config: Config) -> str:
    """A few lines of text; never fails because something is down."""
    rows = [("control plane", _process(paths, CONTROL_PLANE))]
    for name in config.node_names():
        containerd, agent = nodes.process_names(paths.node(name))
        rows.append((name, f"agent {_process(paths, agent)}, containerd {_process(paths, containerd)}"))
    lines = [f"{what:<16} {how}" for what, how in rows]
    lines.append(f"{'nodes':<16} {await _nodes(paths)}")
    lines.append(f"{'kubeconfig':<16} {paths.admin_kubeconfig}")
    lines.append(f"{'logs':<16} {paths.data / 'log'}")
    return "\n".join(lines)


def _process(paths: Paths, name: str) -> str:
    found = daemon.find(paths.pid(name))
    return f"running (pid {found.pid})" if found else "stopped"


async def _nodes(paths: Paths) -> str:
    if daemon.find(paths.pid(CONTROL_PLANE)) is None:
        return "unknown: the control plane is stopped; 'pybernetes up' starts it"
    try:
        client = access.admin(paths)
    except ConfigError as error:
        return f"unknown: {error}"
    try:
        items = (await client.list("nodes"))["items"]
    except errors.ApiError as error:
        return f"unknown: {error}"
    finally:
        await client.close()
    ready = sum(objects.condition_is(n, "Ready") for n in items)
    return f"{ready} of {len(items)} Ready"
