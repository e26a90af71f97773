"""Pod traffic between nodes that are not on one segment: carried in VXLAN (RFC 7348), without multicast.

Theory of operation. Each node has one device, whose address is the network address of its pods and whose hardware
address follows from the node's own, so that everybody knows both from the Node alone. To a peer leads a forwarding
entry, a permanent neighbour and the route of ``routes.py``; nothing is learned and nothing flooded. A packet grows by
50 bytes, so pods get an MTU that is smaller by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from pybernetes.lib import process
from pybernetes.network import links

DEVICE: Final = "pybvx"
NUMBER: Final = 141
PORT: Final = 8472
"""The kernel's own choice from before there was a number of IANA's; flannel uses it too."""
OVERHEAD_BYTES: Final = 50


def gateway(pod_cidr: str) -> str:
    """The address of a node's device: the network address of its pods."""
    return pod_cidr.partition("/")[0]


def hardware(node_ip: str) -> str:
    """The hardware address of a node's device: locally administered, with the node's IPv4 address in it."""
    return ":".join(["02", "50", *(f"{int(octet):02x}" for octet in node_ip.split("."))])


class Vxlan:
    """This node's device. ``routes.Routes`` calls ``join`` before it makes routes that lead through it."""

    suffix: Final = f" dev {DEVICE} onlink"

    def __init__(self, node_ip: str, pod_cidr: str) -> None:
        self._node_ip, self._pod_cidr = node_ip, pod_cidr

    async def join(self, peers: Mapping[str, str]) -> None:
        """Reach ``peers`` (pod CIDR → node address), and no others. Raises ProcessError and OSError."""
        await self._ensure()
        wanted = {hardware(ip): (ip, gateway(cidr)) for cidr, ip in peers.items()}
        known = await _known()
        gone = [f"fdb del {mac} dev {DEVICE}" for mac in known if mac not in wanted]
        await _batch("bridge", gone + [f"fdb replace {mac} dev {DEVICE} dst {ip}" for mac, (ip, _) in wanted.items()])
        neighbours = [
            f"neigh replace {via} lladdr {mac} dev {DEVICE} nud permanent" for mac, (_, via) in wanted.items()
        ]
        await _batch("ip", [f"neigh flush dev {DEVICE} nud permanent", *neighbours] if gone else neighbours)

    async def _ensure(self) -> None:
        if await links.listed("type", "vxlan"):
            return
        link = await links.find(self._node_ip)
        made = (
            f"link add {DEVICE} address {hardware(self._node_ip)} mtu {link.mtu - OVERHEAD_BYTES} type vxlan"
            f" id {NUMBER} dev {link.device} local {self._node_ip} dstport {PORT} nolearning"
        )
        address = f"address add {gateway(self._pod_cidr)}/32 dev {DEVICE}"
        await _batch("ip", [made, address, f"link set {DEVICE} up"])


async def cleanup() -> None:
    """Take the device away, and with it all that leads through it."""
    if await links.listed("type", "vxlan"):
        await _batch("ip", [f"link delete {DEVICE}"])


async def _known() -> set[str]:
    """The hardware addresses that lead somewhere."""
    told = orjson.loads((await process.run(["bridge", "-json", "fdb", "show", "dev", DEVICE])).stdout or b"[]")
    return {entry["mac"] for entry in told if entry.get("dst")}


async def _batch(program: str, lines: Iterable[str]) -> None:
    if text := "".join(f"{line}\n" for line in lines):
        await process.run([program, "-force", "-batch", "-"], input=text.encode())
