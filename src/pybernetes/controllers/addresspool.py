"""A pool of addresses as its user writes it: ``172.30.77.200-172.30.77.250,192.0.2.0/28``. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddressPool:
    """``ranges``: first and last address of each, as numbers."""

    ranges: tuple[tuple[int, int], ...] = ()

    def __contains__(self, address: str) -> bool:
        number = int(ipaddress.IPv4Address(address))
        return any(first <= number <= last for first, last in self.ranges)

    def free(self, taken: Collection[str]) -> str | None:
        """The lowest address that is not taken; None where all are."""
        numbers = {int(ipaddress.IPv4Address(address)) for address in taken}
        candidates = (n for first, last in self.ranges for n in range(first, last + 1) if n not in numbers)
        found = next(candidates, None)
        return None if found is None else str(ipaddress.IPv4Address(found))


def parse(text: str) -> AddressPool:
    """The pool that ``text`` tells. Raises ValueError, which names the part that is none."""
    return AddressPool(tuple(_range(part.strip()) for part in text.split(",") if part.strip()))


def _range(part: str) -> tuple[int, int]:
    try:
        if "/" in part:
            network = ipaddress.IPv4Network(part)
            return int(network.network_address), int(network.broadcast_address)
        first, _, last = part.partition("-")
        found = int(ipaddress.IPv4Address(first.strip())), int(ipaddress.IPv4Address((last or first).strip()))
    except ValueError as error:
        raise ValueError(f"{part!r} is neither a range like 172.30.77.200-172.30.77.250 nor a CIDR: {error}") from error
    if found[0] > found[1]:
        raise ValueError(f"{part!r} ends before it begins")
    return found
