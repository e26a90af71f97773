"""The interface by which a node is on its network, as ``ip`` tells. Acts on this process's network namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from pybernetes.lib import process


@dataclass(frozen=True, slots=True)
class Link:
    """The interface that has a node's own address, and that address's network."""

    device: str
    hardware: str
    """Its own address there; empty for a link without such."""
    network: str
    """A CIDR."""
    mtu: int


async def find(address: str) -> Link:
    """The link that has ``address``. Raises OSError where none has."""
    for link in await listed():
        for each in link.get("addr_info") or ():
            if each.get("local") == address:
                network = _network(address, each["prefixlen"])
                return Link(link["ifname"], link.get("address", ""), network, link.get("mtu", 0))
    raise OSError(f"no interface has the node's address {address}")


def _network(address: str, length: int) -> str:
    octets = int.from_bytes(map(int, address.split(".")), "big") >> (32 - length) << (32 - length)
    return f"{'.'.join(map(str, octets.to_bytes(4, 'big')))}/{length}"


async def listed(*where: str) -> list[dict[str, Any]]:
    """What ``ip -json address show`` says of all links, or of those that ``where`` selects."""
    found = orjson.loads((await process.run(["ip", "-json", "address", "show", *where])).stdout or b"[]")
    return [each for each in found if each]
