"""Addresses: the pod network of each node, and pools from which single addresses are taken. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


class Exhausted(Exception):
    """A pool has no address left; the message names the network."""


def pod_cidr(network: str, index: int, prefix_length: int = 24) -> str:
    """The pod network of node number ``index``: ``pod_cidr("10.244.0.0/16", 3)`` is ``10.244.3.0/24``.

    Raises Exhausted where ``network`` has fewer such parts.
    """
    whole = ipaddress.ip_network(network)
    if not 0 <= index < 1 << max(0, prefix_length - whole.prefixlen) or prefix_length < whole.prefixlen:
        raise Exhausted(f"{network} has no part number {index} of length /{prefix_length}")
    start = int(whole.network_address) + (index << (whole.max_prefixlen - prefix_length))
    return f"{ipaddress.ip_address(start)}/{prefix_length}"


class Pool:
    """Host addresses of one network, handed out in turn, so that a released one rests before it is used again.

    The network's own address, the first host (the gateway) and the broadcast address are never handed out.
    """

    def __init__(self, network: str, taken: Iterable[str] = ()) -> None:
        self._network = ipaddress.ip_network(network)
        self._first = int(self._network.network_address) + 2
        self._size = max(0, self._network.num_addresses - 3)
        self._taken = {int(ipaddress.ip_address(address)) for address in taken}
        self._next = 0

    def take(self) -> str:
        """A free address. Raises Exhausted."""
        for step in range(self._size):
            place = (self._next + step) % self._size
            address = self._first + place
            if address not in self._taken:
                self._taken.add(address)
                self._next = place + 1
                return str(ipaddress.ip_address(address))
        raise Exhausted(f"{self._network} has no free address: all {self._size} are taken")

    def claim(self, address: str) -> bool:
        """Take this very address; False where it is taken or not of this network."""
        number = int(ipaddress.ip_address(address))
        if number in self._taken or not 0 <= number - self._first < self._size:
            return False
        self._taken.add(number)
        return True

    def release(self, address: str) -> None:
        self._taken.discard(int(ipaddress.ip_address(address)))
