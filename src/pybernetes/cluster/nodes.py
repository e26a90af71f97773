"""A real node's processes on this machine: start what is missing, find what runs, end it without a trace.

A node is a containerd and an agent inside the namespaces of ``underlay``. Both may be killed at any time without
touching a container; ``start`` then starts the missing one only.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import orjson

from pybernetes.cluster import cgroups, containerd, host, underlay
from pybernetes.cluster.config import Config, ConfigError, NodePaths, Paths
from pybernetes.lib import daemon, process
from pybernetes.lib.clock import Clock

CONTAINERD_SECONDS = 20.0
CONTAINER_GRACE_SECONDS = 2.0


def runtime() -> containerd.Runtime:
    """crun where there is one (twice as fast to start a container), runc otherwise."""
    crun, runc = host.find_tool("crun"), host.find_tool("runc")
    if crun:
        return containerd.Runtime("crun", crun, hide_hybrid_cgroup2=True)
    if runc:
        return containerd.Runtime("runc", runc, hide_hybrid_cgroup2=False)
    raise ConfigError(host.remedy(host.missing()))


def process_names(node: NodePaths) -> tuple[str, str]:
    """The names of a node's two processes, as in pid and log files: (containerd, agent)."""
    return f"{node.name}.containerd", f"{node.name}.agent"


def entrance_name(node: NodePaths) -> str:
    """The name of the process that carries the traffic of Ingresses into a node."""
    return f"{node.name}.entrance"


async def start_containerd(node: NodePaths, clock: Clock) -> bool:
    """Have a containerd that answers; True when it had to be started."""
    name, _ = process_names(node)
    running = daemon.find(node.cluster.pid(name))
    if running and await _answers(node):
        return False
    await daemon.stop([running] if running else [], clock, grace_seconds=1)  # one that hangs; containers go on
    bin_dir = host.cni_bin_dir()
    binary = host.find_tool("containerd")
    if bin_dir is None or binary is None:
        raise ConfigError(host.remedy(host.missing()))
    for directory in (node.containerd_root, node.cni_conf, node.run, node.logs, node.kubelet):
        directory.mkdir(parents=True, exist_ok=True)
    text = containerd.render(
        root=node.containerd_root, run=node.run, socket=node.socket,
        runtime=runtime(), cni_bin=bin_dir, cni_conf=node.cni_conf,
    )  # fmt: skip
    node.containerd_config.write_text(text)
    log = node.cluster.log(name)
    started = daemon.start(
        underlay.enter(node, [binary, "--config", str(node.containerd_config), "--log-level", "warn"]),
        pid_file=node.cluster.pid(name), log=log,
    )  # fmt: skip
    end = clock.monotonic() + CONTAINERD_SECONDS
    while not await _answers(node):
        if not started.alive() or clock.monotonic() > end:
            await daemon.stop([started], clock, grace_seconds=1)
            raise ConfigError(
                f"containerd of {node.name} ({binary}) does not answer on {node.socket}; {last_words(log)}; "
                "mend what it names and run 'pybernetes up' again, or use simulated nodes: --nodes 0 --simulate N"
            )
        await clock.sleep(0.02)
    return True


async def _answers(node: NodePaths) -> bool:
    if not node.socket.exists():
        return False
    try:
        await _ctr(node, "version", timeout_seconds=5)
    except process.ProcessError:
        return False
    return True


async def _ctr(node: NodePaths, *arguments: str, timeout_seconds: float = 300) -> process.Result:
    """containerd's own client, in the namespace where the CRI keeps its images."""
    ctr = host.find_tool("ctr") or "ctr"
    return await process.run(
        [ctr, "--address", str(node.socket), "--namespace", "k8s.io", *arguments],
        timeout_seconds=timeout_seconds,
    )  # fmt: skip


async def import_images(node: NodePaths, archives: list[Path]) -> None:
    """Import the archives that this node has not imported yet, one after the other. Raises ConfigError."""
    for archive in archives:
        await import_image(node, archive, archive.name)


async def import_image(node: NodePaths, archive: Path, name: str) -> None:
    """Import one archive, unless the node has imported this very file as ``name``. Raises ConfigError."""
    record = node.root / "imported.json"
    done: dict[str, list[int]] = orjson.loads(record.read_bytes()) if record.exists() else {}
    stat = archive.stat()
    stamp = [stat.st_mtime_ns, stat.st_size]
    if done.get(name) == stamp:
        return
    try:
        await _ctr(node, "images", "import", "--all-platforms", str(archive))
    except process.ProcessError as error:
        why = error.result.stderr.decode(errors="replace").strip() if error.result else str(error)
        raise ConfigError(
            f"{node.name} cannot import the image archive {archive}: {why.removeprefix('ctr: ')}; "
            "'pybernetes image load' it again from a whole archive, or remove the file"
        ) from error
    record.write_bytes(orjson.dumps(done | {name: stamp}))


def start_agent(node: NodePaths) -> bool:
    """Have an agent process; True when it had to be started."""
    _, name = process_names(node)
    if daemon.find(node.cluster.pid(name)):
        return False
    argv = [sys.executable, "-m", "pybernetes", "agent", "--data", str(node.cluster.data), "--name", node.name]
    daemon.start(underlay.enter(node, argv), pid_file=node.cluster.pid(name), log=node.cluster.log(name))
    return True


async def start(paths: Paths, config: Config, node: NodePaths, clock: Clock) -> None:
    """The whole node, from namespaces to agent."""
    await underlay.ensure_node(paths, config, node)
    await start_containerd(node, clock)
    await import_images(node, sorted(paths.images.glob("*.tar")))
    start_agent(node)


async def stop(node: NodePaths, clock: Clock) -> None:
    """End a node: agent, containers with a short grace, shims, containerd; then its namespaces and cgroups."""
    paths = node.cluster
    names = process_names(node)
    containerd_process, agent = (daemon.find(paths.pid(n)) for n in names)
    await daemon.stop([d for d in (agent,) if d], clock, grace_seconds=5)
    await stop_entrance(node, clock)
    await daemon.stop(cgroups.processes(node.cgroup), clock, grace_seconds=CONTAINER_GRACE_SECONDS)
    await daemon.stop([d for d in (containerd_process,) if d], clock, grace_seconds=5)
    await daemon.stop(daemon.of_command("-address", str(node.socket)), clock, grace_seconds=0)
    await daemon.stop(cgroups.processes(node.cgroup), clock, grace_seconds=0)
    await underlay.remove_node(node)
    cgroups.remove(node.cgroup)
    shutil.rmtree(node.run, ignore_errors=True)
    shutil.rmtree(node.cni_state, ignore_errors=True)
    for name in names:
        paths.pid(name).unlink(missing_ok=True)


async def stop_entrance(node: NodePaths, clock: Clock) -> None:
    """End the process of Ingresses, if there is one."""
    pid_file = node.cluster.pid(entrance_name(node))
    running = daemon.find(pid_file)
    await daemon.stop([d for d in (running,) if d], clock, grace_seconds=5)
    pid_file.unlink(missing_ok=True)


async def stop_agent(node: NodePaths, clock: Clock) -> None:
    """End the agent and its entrance: the next agent has other settings. Containers go on."""
    _, name = process_names(node)
    running = daemon.find(node.cluster.pid(name))
    await daemon.stop([d for d in (running,) if d], clock, grace_seconds=5)
    await stop_entrance(node, clock)


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a log file, for a message about the process that wrote it."""
    try:
        tail = log.read_text(errors="replace").strip().splitlines()[-lines:]
    except FileNotFoundError:
        tail = []
    said = " / ".join(line.strip() for line in tail) or "it said nothing"
    return f"its log {log} ends with: {said}"
