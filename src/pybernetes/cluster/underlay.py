"""The machine under the nodes: one bridge, and for each node a network and a mount namespace joined to it.

A node's world is entered with :func:`enter`. Nothing here survives :func:`remove_all`: interfaces, namespaces,
routes and the address translation that lets nodes pull images all hang on the bridge or carry the cluster's id.
Pitfalls that shaped this (``docs/node.md``): ``ip netns exec`` remounts /sys and hides the cgroups, so we use
nsenter; a mount namespace's file must lie on a private mount; crun refuses the hybrid cgroup2 mount.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from pybernetes.cluster.config import Config, ConfigError, NodePaths, Paths
from pybernetes.lib import process

CANDIDATES: Final = tuple(f"172.30.{third}" for third in (*range(77, 256), *range(77)))
_SETTINGS: Final = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.route_localnet=1", "net.ipv4.conf.all.rp_filter=0")
POD_NETWORKS: Final = tuple(f"10.{second}" for second in (244, *range(128, 244), *range(245, 255)))


def bridge(paths: Paths) -> str:
    return f"pyb{paths.id}"


def nft_table(paths: Paths) -> str:
    return f"pybernetes-{paths.id}"


def enter(node: NodePaths, argv: Sequence[str]) -> list[str]:
    """``argv`` as run inside a node's namespaces."""
    return ["nsenter", f"--net=/run/netns/{node.netns}", f"--mount={node.mount_namespace}", "--", *argv]


async def choose_networks() -> tuple[str, str]:
    """A node network (three octets) and a pod network (two octets) that no route of this machine touches."""
    routes = orjson.loads((await process.run(["ip", "-json", "-4", "route", "show", "table", "all"])).stdout or b"[]")
    taken = [str(r.get("dst", "")) for r in routes]

    def free(prefix: str) -> bool:
        return not any(t.startswith(prefix + ".") for t in taken)

    underlay = next((c for c in CANDIDATES if free(c)), None)
    pods = next((c for c in POD_NETWORKS if free(c)), None)
    if underlay is None or pods is None:
        raise ConfigError("every network of 172.30.0.0/16 or 10.128.0.0/9 is in use on this machine: free one")
    return underlay, pods


async def ensure_bridge(paths: Paths, config: Config) -> None:
    """The bridge with the host's address on it, forwarding, and address translation for what leaves the machine."""
    name = bridge(paths)
    if not Path(f"/sys/class/net/{name}").exists():
        await _ip(f"link add {name} type bridge")
        await _ip(f"address add {config.host_ip}/24 dev {name}", f"link set {name} up")
    await process.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
    table = nft_table(paths)
    sources = f"{{ {config.underlay}.0/24, {config.pod_network}.0.0/16 }}"
    rules = f"""
add table ip {table}
delete table ip {table}
table ip {table} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {sources} oifname != "{name}" masquerade
  }}
  chain forward {{
    type filter hook forward priority filter;
    iifname "{name}" accept
    oifname "{name}" accept
  }}
}}
"""
    await process.run(["nft", "-f", "-"], input=rules.encode())


async def ensure_node(paths: Paths, config: Config, node: NodePaths) -> None:
    """The namespaces of one node, its link to the bridge, and the host's route to its pods."""
    if not Path(f"/run/netns/{node.netns}").exists():
        await _make_network(paths, config, node)
    await _ip(f"route replace {config.pod_cidr(node.name)} via {config.node_ip(node.name)} dev {bridge(paths)}")
    if not await _is_mount(node.mount_namespace):
        await _make_mounts(node)


async def _make_network(paths: Paths, config: Config, node: NodePaths) -> None:
    link = f"pyb{paths.id}n{node.name.rpartition('-')[2]}"
    await process.run(["ip", "netns", "add", node.netns])
    await _ip(
        f"link add {link} type veth peer name eth0 netns {node.netns}",
        f"link set {link} master {bridge(paths)} up",
    )
    await _ip(
        "link set lo up",
        f"address add {config.node_ip(node.name)}/24 dev eth0",
        "link set eth0 up",
        f"route add default via {config.host_ip}",
        namespace=node.netns,
    )
    await process.run(["nsenter", f"--net=/run/netns/{node.netns}", "--", "sysctl", "-q", "-w", *_SETTINGS])


async def _make_mounts(node: NodePaths) -> None:
    """A mount namespace kept by a bind mount, private towards the host and shared within."""
    home = node.mount_namespace.parent
    home.mkdir(parents=True, exist_ok=True)
    if not await _is_mount(home):
        await process.run(["mount", "--bind", str(home), str(home)])
        await process.run(["mount", "--make-private", str(home)])
    node.mount_namespace.touch()
    node.cni_state.mkdir(parents=True, exist_ok=True)
    await process.run(["unshare", f"--mount={node.mount_namespace}", "--propagation", "private", "true"])
    steps = [
        "mount --make-rshared /",
        "mkdir -p /run/netns /run/containerd /var/lib/cni",
        "mount -t tmpfs -o mode=755 tmpfs /run/netns",
        "mount --make-shared /run/netns",
        "mount -t tmpfs -o mode=711 tmpfs /run/containerd",
        f"mount --bind {shlex.quote(str(node.cni_state))} /var/lib/cni",
        "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi",
    ]
    await process.run(["nsenter", f"--mount={node.mount_namespace}", "--", "sh", "-ec", "\n".join(steps)])


async def adopt(node: NodePaths) -> None:
    """Make the network in which this process runs the node's own: of a machine that has joined."""
    if not Path(f"/run/netns/{node.netns}").exists():
        await process.run(["ip", "netns", "attach", node.netns, str(os.getpid())])
    await process.run(["sysctl", "-q", "-w", *_SETTINGS])
    if not await _is_mount(node.mount_namespace):
        await _make_mounts(node)


async def remove_node(node: NodePaths) -> None:
    """Take a node's namespaces away; its processes must have ended."""
    if await _is_mount(node.mount_namespace):
        await process.run(["umount", str(node.mount_namespace)])
    if Path(f"/run/netns/{node.netns}").exists():
        await process.run(["ip", "netns", "delete", node.netns])


async def remove_all(paths: Paths) -> None:
    """The bridge, its address and routes, the translation table and the home of the mount namespaces."""
    while await _is_mount(paths.namespaces):  # nodes made at once may each have mounted it
        await process.run(["umount", str(paths.namespaces)])
    if Path(f"/sys/class/net/{bridge(paths)}").exists():
        await _ip(f"link delete {bridge(paths)}")
    table = nft_table(paths)
    await process.run(["nft", "-f", "-"], input=f"add table ip {table}\ndelete table ip {table}\n".encode())


async def _is_mount(path: Path) -> bool:
    """Whether something is mounted exactly there (also on a plain file, which ``os.path.ismount`` misses)."""
    wanted = str(path.resolve())
    return any(line.split(" ")[4] == wanted for line in Path("/proc/self/mountinfo").read_text().splitlines())


async def _ip(*commands: str, namespace: str = "") -> None:
    inside = ["-netns", namespace] if namespace else []
    await process.run(["ip", *inside, "-batch", "-"], input=("\n".join(commands) + "\n").encode())
