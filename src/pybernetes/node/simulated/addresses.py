"""The addresses of one simulated node's pods: one number whose bits are the hosts that are taken. Pure.

A node costs a few dozen bytes here, so that thousands of them cost nothing worth counting.
"""

from __future__ import annotations

import ipaddress


class Addresses:
    """Hosts of ``cidr`` (IPv4) from the second on: the first is the node's own. Given out in turn, so that one that
    was given back rests before it is used again."""

    __slots__ = ("_first", "_next", "_size", "_taken", "gateway")

    def __init__(self, cidr: str) -> None:
        network = ipaddress.IPv4Network(cidr)
        base = int(network.network_address)
        self.gateway = str(ipaddress.IPv4Address(base + 1))
        self._first, self._size = base + 2, max(0, network.num_addresses - 3)
        self._taken = self._next = 0

    def take(self) -> str | None:
        """A free address, or None where all are taken."""
        for step in range(self._size):
            host = (self._next + step) % self._size
            if not self._taken >> host & 1:
                self._taken |= 1 << host
                self._next = host + 1
                return str(ipaddress.IPv4Address(self._first + host))
        return None

    def claim(self, address: str) -> None:
        """Mark an address as taken that a pod has already."""
        if (host := self._host(address)) is not None:
            self._taken |= 1 << host

    def release(self, address: str) -> None:
        if (host := self._host(address)) is not None:
            self._taken &= ~(1 << host)

    def _host(self, address: str) -> int | None:
        host = int(ipaddress.IPv4Address(address)) - self._first
        return host if 0 <= host < self._size else None
