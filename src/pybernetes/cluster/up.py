"""``pybernetes up``: from nothing, or from whatever a crash left, to a cluster whose nodes are Ready.

Each step makes what is missing and leaves alone what is there, so a second ``up`` is the repair of a first.
The control plane starts while the nodes' namespaces and containerds are being made.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pybernetes.client import kubeconfig
from pybernetes.client.client import Client
from pybernetes.cluster import access, frontproxy, host, images, nodes, pki, stores, underlay
from pybernetes.cluster import config as configuration
from pybernetes.cluster import ingress as entrance
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.cluster.down import CONTROL_PLANE
from pybernetes.cluster.steps import Steps
from pybernetes.lib import daemon
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects

READY_SECONDS: Final = 60.0
FREE_BYTES_MIN: Final = 16 << 20
ANSWER_SECONDS: Final = 10.0
"""A control plane that runs and is silent for longer hangs, and is started anew."""
CONTROL_PLANE_LABEL: Final = "node-role.kubernetes.io/control-plane"


async def up(paths: Paths, steps: Steps, clock: Clock, asked: Mapping[str, Any]) -> Config:
    """Bring the cluster up as asked by fields of ``Config``; returns what it now is. Raises ConfigError."""
    old = configuration.load(paths)
    if old is None:
        configuration.refuse_foreign(paths)
    elif old.joined:
        raise ConfigError(f"this machine is {old.joined}, a node of another cluster, by {paths.data}; see --data")
    config = _with_what_the_machine_can(configuration.merged(old, asked), steps)
    if config.nodes and not config.underlay:
        underlay_prefix, pod_network = await underlay.choose_networks()
        config = replace(config, underlay=underlay_prefix, pod_network=pod_network)
    _refuse_full_disk(paths)
    config = replace(config, address=config.host_ip if config.nodes else host.main_address())
    configuration.save(paths, config)
    with steps.step("certificates and kubeconfigs"):
        if asked.get("keys"):
            stores.adopt_keys(Path(asked["keys"]), paths.pki)
        write_credentials(paths, config, clock)
    if config.nodes:
        with steps.step("node network") as notes:
            await underlay.ensure_bridge(paths, config)
            notes.append(f"{config.underlay}.0/24")
    preparing = asyncio.ensure_future(_prepare_nodes(paths, config, clock))
    try:
        await _start_control_plane(paths, old, config, steps, clock)
        if old is not None and (old.ingress, old.vxlan) != (config.ingress, config.vxlan):
            await _stop_agents(paths, config, clock)
        await _start_nodes(paths, config, steps, preparing)
        await _drop_surplus(paths, old, config, steps, clock)
        await _wait_ready(paths, config, steps, clock)
    finally:
        preparing.cancel()
    return config


def _with_what_the_machine_can(config: Config, steps: Steps) -> Config:
    """Real nodes become simulated ones where this machine cannot run them; one line says why."""
    lacking = host.missing() if config.nodes else []
    if not lacking:
        if note := entrance.remedy(config):
            steps.say(f"  ! {note}")
        return config
    steps.say(f"  ! {host.remedy(lacking)}. Until then the nodes are simulated.")
    return replace(config, nodes=0, simulate=config.simulate or config.nodes)


def _refuse_full_disk(paths: Paths) -> None:
    """The database would die of it, and without a word: SQLite maps a file into memory."""
    place = next(p for p in (paths.data, *paths.data.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < FREE_BYTES_MIN:
        raise ConfigError(
            f"{place} has {free >> 10} KiB left, and a cluster needs {FREE_BYTES_MIN >> 20} MiB to start: "
            "free some space there, or name another place with --data"
        )


def write_credentials(paths: Paths, config: Config, clock: Clock) -> None:
    """Certificates for every component, the admin's kubeconfig and one for each node."""
    serving = pki.apiserver(
        [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            f"kubernetes.default.svc.{config.cluster_domain}",
            "localhost", "127.0.0.1", configuration.KUBERNETES_SERVICE, *filter(None, (config.address,)),
        ]
    )  # fmt: skip
    kubelets = {n: pki.kubelet(n, [config.node_ip(n)]) for n in config.node_names()}
    files = pki.Pki(paths.pki, clock.time())
    ingress = [entrance.CLIENT, entrance.DEFAULT_CERTIFICATE] if entrance.is_on(config) else []
    files.ensure([serving, pki.ADMIN, pki.KUBELET_CLIENT, *kubelets.values(), *ingress])
    frontproxy.ensure(paths, clock.time())

    def entry(leaf: pki.Leaf, server: str, user: str) -> kubeconfig.Kubeconfig:
        return kubeconfig.Kubeconfig.with_certificate(
            cluster=config.cluster_name, user=user, server=server,
            ca=files.certificate("ca").read_bytes(),
            certificate=files.certificate(leaf).read_bytes(), key=files.key(leaf).read_bytes(),
        )  # fmt: skip

    admin = entry(pki.ADMIN, f"https://127.0.0.1:{config.port}", f"{config.cluster_name}-admin")
    kubeconfig.write(paths.admin_kubeconfig, admin)
    access.hand_over(paths.admin_kubeconfig, os.environ)
    for name, leaf in kubelets.items():
        server = f"https://{config.host_ip}:{config.port}"
        paths.node(name).root.mkdir(parents=True, exist_ok=True)
        kubeconfig.write(paths.node(name).kubeconfig, entry(leaf, server, f"system:node:{name}"))
        if ingress:
            kubeconfig.write(paths.node(name).ingress_kubeconfig, entry(entrance.CLIENT, server, entrance.ACCOUNT))


async def _start_control_plane(paths: Paths, old: Config | None, config: Config, steps: Steps, clock: Clock) -> None:
    running = daemon.find(paths.pid(CONTROL_PLANE))
    if running and (why := await _why_restart(paths, old, config, clock)):
        with steps.step("control plane stops") as notes:
            notes.append(why)
            await daemon.stop([running], clock, grace_seconds=5)
            running = None
    with steps.step("control plane") as notes:
        if running is None:
            _refuse_taken_port(config)
            argv = [sys.executable, "-m", "pybernetes", CONTROL_PLANE, "--data", str(paths.data)]
            running = daemon.start(argv, pid_file=paths.pid(CONTROL_PLANE), log=paths.log(CONTROL_PLANE))
        await _until_ready(paths, running, clock)
        notes.append(f"https://127.0.0.1:{config.port}")


async def _why_restart(paths: Paths, old: Config | None, config: Config, clock: Clock) -> str:
    """Why a control plane that runs must not go on as it is; empty where it may."""
    if old is not None and _needs_restart(old, config):
        return "to take the new settings"
    return "" if await _answers(paths, clock) else f"no answer in {ANSWER_SECONDS:g} s"


async def _answers(paths: Paths, clock: Clock) -> bool:
    client = access.admin(paths)
    end = clock.monotonic() + ANSWER_SECONDS
    try:
        while clock.monotonic() < end:
            try:
                await client.transport.request("GET", "/livez")
            except errors.ApiError:
                await clock.sleep(0.05)
            else:
                return True
        return False
    finally:
        await client.close()


def _needs_restart(old: Config, new: Config) -> bool:
    """The number of real nodes is the one setting that the control plane does not care for."""
    return replace(old, nodes=0) != replace(new, nodes=0)


def _refuse_taken_port(config: Config) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", config.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ConfigError(
                    f"port {config.port} on 127.0.0.1 is in use by another program: "
                    "end it, or choose another with --port"
                ) from error
            raise ConfigError(f"cannot listen on 127.0.0.1:{config.port}: {error.strerror}; choose --port") from error


async def _until_ready(paths: Paths, process: daemon.Daemon, clock: Clock) -> None:
    client = access.admin(paths)
    end = clock.monotonic() + READY_SECONDS
    try:
        while True:
            try:
                await client.transport.request("GET", "/readyz")
            except errors.ApiError as error:
                if not process.alive():
                    raise ConfigError(
                        f"the control plane ended; {nodes.last_words(paths.log(CONTROL_PLANE))}"
                    ) from error
                if clock.monotonic() > end:
                    raise ConfigError(
                        f"the control plane is not ready after {READY_SECONDS:g} s ({error}); "
                        f"see {paths.log(CONTROL_PLANE)}"
                    ) from error
                await clock.sleep(0.01)
            else:
                return
    finally:
        await client.close()


async def _prepare_nodes(paths: Paths, config: Config, clock: Clock) -> None:
    """Everything of the nodes that needs no API server: namespaces, containerd, images."""
    if not config.nodes:
        return
    await asyncio.to_thread(images.ensure_pause, paths)
    archives = sorted(paths.images.glob("*.tar"))

    async def prepare(name: str) -> None:
        node = paths.node(name)
        await underlay.ensure_node(paths, config, node)
        await nodes.start_containerd(node, clock)
        await nodes.import_images(node, archives)

    await asyncio.gather(*(prepare(n) for n in config.node_names()))


async def _start_nodes(paths: Paths, config: Config, steps: Steps, preparing: asyncio.Future[None]) -> None:
    if not config.nodes:
        return
    with steps.step(f"containerd on {config.nodes} node{'s' if config.nodes > 1 else ''}"):
        await preparing
    with steps.step("node agents"):
        for name in config.node_names():
            nodes.start_agent(paths.node(name))


async def _stop_agents(paths: Paths, config: Config, clock: Clock) -> None:
    """End the agents, so that the next ones take the new settings."""
    await asyncio.gather(*(nodes.stop_agent(paths.node(name), clock) for name in config.node_names()))


async def _drop_surplus(paths: Paths, old: Config | None, config: Config, steps: Steps, clock: Clock) -> None:
    """End nodes that an earlier, larger cluster had, and take their Node objects away."""
    client = access.admin(paths)
    ours = {*old.node_names(), *old.simulated_names()} if old else set()
    try:
        wanted = {*config.node_names(), *config.simulated_names()}
        for node in (await client.list("nodes"))["items"]:
            name = objects.name(node)
            if name in wanted or not name.startswith(("node-", "sim-")):
                continue
            if config.store and name not in ours:
                continue  # another control plane's
            with steps.step(f"remove {name}"):
                if name.startswith("node-"):
                    await nodes.stop(paths.node(name), clock)
                await client.delete("nodes", name)
    finally:
        await client.close()


async def _wait_ready(paths: Paths, config: Config, steps: Steps, clock: Clock) -> None:
    wanted = [*config.node_names(), *config.simulated_names()]
    if not wanted:
        return
    client = access.admin(paths)
    end = clock.monotonic() + READY_SECONDS
    try:
        with steps.step(f"{len(wanted)} node{'s' if len(wanted) > 1 else ''} Ready"):
            while missing := await _not_ready(client, wanted):
                for name in missing:
                    _refuse_dead_agent(paths, name)
                if clock.monotonic() > end:
                    raise ConfigError(
                        f"not Ready after {READY_SECONDS:g} s: {', '.join(missing[:5])}; "
                        f"see 'kubectl describe node {missing[0]}' and the logs in {paths.data / 'log'}"
                    )
                await clock.sleep(0.03)
            await _mark_control_plane(client, wanted[0])
    finally:
        await client.close()


async def _mark_control_plane(client: Client, node: str) -> None:
    """Say which node the control plane is beside, by the label from which kubectl reads ROLES. It carries no taint:
    pods may run there, as they may on the only node of a small cluster."""
    await client.patch("nodes", node, {"metadata": {"labels": {CONTROL_PLANE_LABEL: ""}}})


async def _not_ready(client: Client, wanted: list[str]) -> list[str]:
    ready = {objects.name(n) for n in (await client.list("nodes"))["items"] if objects.condition_is(n, "Ready")}
    return [n for n in wanted if n not in ready]


def _refuse_dead_agent(paths: Paths, name: str) -> None:
    if not name.startswith("node-"):
        return
    _, agent = nodes.process_names(paths.node(name))
    if daemon.find(paths.pid(agent)) is None:
        raise ConfigError(f"the agent of {name} ended; {nodes.last_words(paths.log(agent))}")
