"""Routes to the pods of the other nodes: each Node's pod CIDR by way of its InternalIP.

Rule: the routes of this module carry a protocol number of their own, so that it finds and removes what it made, in an
earlier life too, and nothing else. A node whose address cannot be reached yet is tried again; the others don't wait.
Neighbours: ``vxlan.py`` carries what follows them where nodes are not on one segment, ``cni.py`` joins a node's own
pods, ``lib/process.py`` runs ``ip``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from pybernetes.lib import process
from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network import informing, vxlan
from pybernetes.network.index import Delta
from pybernetes.network.informing import Manager
from pybernetes.network.vxlan import Vxlan

_log = logging.getLogger(__name__)
PROTOCOL: Final = "141"
"""Marks our routes (rtnetlink's rtm_protocol; numbers above 127 are free for all but a few)."""
RETRY_SECONDS: Final = 5.0


def of_node(node: Obj) -> dict[str, str]:
    """Pod CIDR → InternalIP of a node; empty while it has no address or no pod CIDR."""
    address = internal_ip(node)
    return dict.fromkeys(_cidrs(node), address) if address else {}


def _cidrs(node: Obj) -> Sequence[str]:
    spec = node.get("spec") or {}
    return [c for c in spec.get("podCIDRs") or [spec.get("podCIDR") or ""] if c.count(".") == 3]


def internal_ip(node: Obj) -> str:
    """The first InternalIP of IPv4, or empty."""
    addresses = objects.get(node, "status", "addresses", default=[])
    found = (a["address"] for a in addresses if a.get("type") == "InternalIP" and a.get("address", "").count(".") == 3)
    return next(found, "")


def commands(old: Mapping[str, str], new: Mapping[str, str], suffix: str = "") -> list[str]:
    """What to tell ``ip -batch`` to get from the routes that are there to those that should be."""
    gone = [f"route del {cidr} proto {PROTOCOL}" for cidr in old if cidr not in new]
    made = [
        f"route replace {cidr} via {via}{suffix} proto {PROTOCOL}" for cidr, via in new.items() if old.get(cidr) != via
    ]
    return gone + made


class Routes:
    """``vxlan``: the device through which they lead; None where the nodes are on one segment."""

    def __init__(
        self, manager: Manager, node_name: str, *, vxlan: Vxlan | None = None, clock: Clock | None = None
    ) -> None:
        self._manager, self._node_name, self._clock = manager, node_name, clock or SystemClock()
        self._vxlan = vxlan
        self._wanted: dict[str, dict[str, str]] = {}
        self._wake = asyncio.Event()
        self._stopping = False
        self.in_step = asyncio.Event()
        """Set while the kernel has a route for every node that we know of."""

    async def run(self) -> None:
        """Work until ``stop``."""
        await informing.follow(self._manager, "nodes", self._changed)
        self._wake.set()
        while True:
            await self._wake.wait()
            if self._stopping:
                return
            self._wake.clear()
            await self._sync()

    async def stop(self) -> None:
        """End ``run``; the routes stay."""
        self._stopping = True
        self._wake.set()

    def _changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            name = objects.name(new or old or {})
            found = of_node(new) if new and name != self._node_name else {}
            if found != self._wanted.get(name, {}):
                self._wanted[name] = found
                self.in_step.clear()
                self._wake.set()

    async def _sync(self) -> None:
        target = {cidr: via for routes in self._wanted.values() for cidr, via in routes.items()}
        try:
            suffix = ""
            if self._vxlan is not None:
                await self._vxlan.join(target)
                target, suffix = {cidr: vxlan.gateway(cidr) for cidr in target}, self._vxlan.suffix
            if lines := commands(await present(), target, suffix):
                await _ip(lines)
        except (process.ProcessError, OSError) as error:
            _log.warning("routes of %s are behind, trying again in %g s: %s", self._node_name, RETRY_SECONDS, error)
            self._clock.call_later(RETRY_SECONDS, self._wake.set)
            return
        self.in_step.set()


async def present() -> dict[str, str]:
    """The routes that carry our mark: CIDR → gateway."""
    result = await process.run(["ip", "-json", "-4", "route", "show", "proto", PROTOCOL])
    return {route["dst"]: route.get("gateway", "") for route in orjson.loads(result.stdout or b"[]")}


async def cleanup() -> None:
    """Remove every route of ours."""
    if lines := commands(await present(), {}):
        await _ip(lines)


async def _ip(lines: Sequence[str]) -> None:
    """One batch; a line that fails does not keep the others from being done."""
    await process.run(["ip", "-force", "-batch", "-"], input=("\n".join(lines) + "\n").encode())
