"""Telling a network segment where an address is now: a gratuitous ARP request (RFC 5227, section 3)."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

_BROADCAST: Final = b"\xff" * 6
_ETHERTYPE: Final = b"\x08\x06"
_REQUEST: Final = b"\x00\x01\x08\x00\x06\x04\x00\x01"
"""Ethernet, IPv4, six and four bytes of address, a request."""


def frame(hardware: bytes, address: str) -> bytes:
    """The frame by which ``hardware`` (six bytes) announces an IPv4 ``address``."""
    number = socket.inet_aton(address)
    return _BROADCAST + hardware + _ETHERTYPE + _REQUEST + hardware + number + bytes(6) + number


async def announce(device: str, hardware: str, address: str) -> None:
    """Send it once on ``device`` of this network namespace, whose own address is ``hardware``. Raises OSError."""
    await asyncio.to_thread(_send, device, frame(bytes.fromhex(hardware.replace(":", "")), address))


def _send(device: str, data: bytes) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((device, 0))
        sender.send(data)
