"""Answers on the node network for the load balancer addresses that fall to this node, as MetalLB does by its layer 2.

Theory of operation. An address that falls to this node is put on the interface which has the node's own: the kernel
answers ARP for it, and the service proxy meets the traffic. Whoever takes an address over says so by a gratuitous ARP.
Our addresses carry a label, so that the next process finds and removes them, and nothing else.
Neighbours: ``model.py`` decides, ``arp.py`` tells, ``network/proxy`` serves, ``cluster`` runs this on every node.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Event
from pybernetes.lib import process
from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network import informing, links
from pybernetes.network.announce import arp, model
from pybernetes.network.index import SERVICES, SLICES, Delta, Key, ServiceIndex
from pybernetes.network.informing import Manager
from pybernetes.network.links import Link

_log = logging.getLogger(__name__)
RETRY_SECONDS: Final = 5.0


class Announcer:
    """``tell`` gets an event about each Service whose address comes to this node."""

    def __init__(
        self, manager: Manager, node_name: str, node_ip: str, *,
        tell: Callable[[Event], None] = lambda event: None, clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._manager, self._node_name, self._node_ip, self._tell = manager, node_name, node_ip, tell
        self._clock = clock or SystemClock()
        self._index = ServiceIndex()
        self._nodes: dict[str, Obj] = {}
        self._balanced: set[Key] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self.in_step = asyncio.Event()
        """Set while this node answers for all that falls to it, and for nothing else."""

    async def run(self) -> None:
        """Work until ``stop``."""
        for resource in (SERVICES, SLICES):
            await informing.follow(self._manager, resource, functools.partial(self._changed, resource))
        await informing.follow(self._manager, "nodes", self._nodes_changed)
        self._wake.set()
        while True:
            await self._wake.wait()
            if self._stopping:
                return
            self._wake.clear()
            await self._sync()

    async def stop(self) -> None:
        """End ``run``; the addresses stay."""
        self._stopping = True
        self._wake.set()

    def _changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        touched = False
        for key in self._index.apply(resource, deltas):
            service = self._index.service(key)
            is_balanced = service is not None and bool(model.addresses(service))
            touched = touched or is_balanced or key in self._balanced
            (self._balanced.add if is_balanced else self._balanced.discard)(key)
        if touched:
            self._again()

    def _nodes_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            self._nodes.pop(objects.name(old or {}), None)
            if new is not None:
                self._nodes[objects.name(new)] = new
        if self._balanced:
            self._again()

    def _again(self) -> None:
        self.in_step.clear()
        self._wake.set()

    async def _sync(self) -> None:
        try:
            link = await links.find(self._node_ip)
            await self._hold(link, self._mine(link.network))
        except (process.ProcessError, OSError) as error:
            _log.warning("load balancer addresses on %s are behind: %s", self._node_name, error)
            self._clock.call_later(RETRY_SECONDS, self._wake.set)
            return
        if not self._wake.is_set():
            self.in_step.set()

    def _mine(self, network: str) -> dict[str, Obj]:
        """The addresses that fall to this node, and whose they are."""
        able = model.candidates(self._nodes.values(), network)
        found: dict[str, Obj] = {}
        for key in sorted(self._balanced):
            if (service := self._index.service(key)) is not None:
                answering = model.answering(service, self._index.slices(key), able)
                found |= {address: service for address, node in answering.items() if node == self._node_name}
        return found

    async def _hold(self, link: Link, mine: dict[str, Obj]) -> None:
        there = await held(link)
        new = [address for address in mine if address not in there]
        lines = [f"address del {each}/32 dev {link.device}" for each in there if each not in mine]
        lines += [f"address add {each}/32 dev {link.device} label {_label(link)}" for each in new]
        await _ip(lines)
        for address in new:
            if link.hardware:
                await arp.announce(link.device, link.hardware, address)
            text = f'announcing from node "{self._node_name}" with protocol "layer2"'
            self._tell(Event({**mine[address], "apiVersion": "v1", "kind": "Service"}, "Normal", "nodeAssigned", text))


async def held(link: Link) -> list[str]:
    """The addresses with our label."""
    found = [each for one in await links.listed("dev", link.device) for each in one.get("addr_info") or ()]
    return [each["local"] for each in found if each.get("label") == _label(link)]


def _label(link: Link) -> str:
    return f"{link.device}:lb"


async def cleanup(node_ip: str) -> None:
    """Answer for none of them any more."""
    link = await links.find(node_ip)
    await _ip([f"address del {each}/32 dev {link.device}" for each in await held(link)])


async def _ip(lines: Iterable[str]) -> None:
    if text := "".join(f"{line}\n" for line in lines):
        await process.run(["ip", "-force", "-batch", "-"], input=text.encode())
