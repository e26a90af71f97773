"""Keeps the node's nftables in step with Services and EndpointSlices: kube-proxy's part.

Theory of operation. Informers feed a ``ServiceIndex`` and a set of services that changed. Whenever there are any, their
fragments are made anew and the difference to what the kernel has goes to it as one transaction (``keeper.py``); what
changes meanwhile waits for the next.
Neighbours: ``model.py`` and ``render.py`` decide, ``network/keeper.py`` performs, ``cluster`` runs this in a node's
network namespace. The rules outlive this process, so traffic goes on while it restarts; ``cleanup`` removes them.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.lib import process
from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.meta import objects
from pybernetes.network import informing, ruleset
from pybernetes.network.index import SERVICES, SLICES, Delta, Key, ServiceIndex
from pybernetes.network.informing import Manager
from pybernetes.network.keeper import Keeper
from pybernetes.network.nft import Nft
from pybernetes.network.proxy import model, render
from pybernetes.network.proxy.health import HealthChecks
from pybernetes.network.proxy.model import ServicePort, Stale
from pybernetes.network.ruleset import Fragment

_log = logging.getLogger(__name__)
ZONE: Final = "topology.kubernetes.io/zone"


class Proxy:
    """``pod_cidr``: this node's, in which its pods' addresses lie; empty where it is not known. ``address``: where load
    balancers may ask for this node's health; empty: everywhere."""

    def __init__(
        self,
        manager: Manager,
        node_name: str,
        *,
        pod_cidr: str = "",
        address: str = "",
        clock: Clock | None = None,
        nft: Nft | None = None,
    ) -> None:
        self._manager, self._node_name, self._pod_cidr = manager, node_name, pod_cidr
        self._health = HealthChecks(address, clock or SystemClock())
        self._zone = ""
        self._index = ServiceIndex()
        self._ports: dict[Key, tuple[ServicePort, ...]] = {}
        self._fragments: dict[Key, Fragment] = {}
        self._dirty: set[Key] = set()
        self._stale: set[Stale] = set()
        self._wake = asyncio.Event()
        self._keeper = Keeper(
            f"services on {node_name}", render.TABLE, clock or SystemClock(), nft or Nft(), self._wake.set
        )
        self._stopping = False
        self.in_step = asyncio.Event()
        """Set while the kernel has all that the caches told of."""

    async def run(self) -> None:
        """Work until ``stop``."""
        for resource in (SERVICES, SLICES):
            await informing.follow(self._manager, resource, functools.partial(self._changed, resource))
        await informing.follow(self._manager, "nodes", self._nodes_changed)
        self._wake.set()
        while True:
            await self._wake.wait()
            if self._stopping:
                await self._health.stop()
                return
            self._wake.clear()
            await self._sync()

    async def stop(self) -> None:
        """End ``run``; the rules stay."""
        self._stopping = True
        self._wake.set()

    def _changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        self._dirty |= self._index.apply(resource, deltas)
        self._touched()

    def _nodes_changed(self, deltas: Sequence[Delta]) -> None:
        """A node that moves to another zone has other endpoints near it."""
        for _, new in deltas:
            if new is not None and objects.name(new) == self._node_name:
                zone = objects.labels(new).get(ZONE, "")
                if zone != self._zone:
                    self._zone = zone
                    self._dirty |= set(self._index)
                    self._touched()

    def _touched(self) -> None:
        if self._dirty:
            self.in_step.clear()
            self._wake.set()

    async def _sync(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for key in dirty:
            self._renew(key)
        if not await self._keeper.apply(ruleset.compose(self._fragments)):
            return
        stale, self._stale = self._stale, set()
        await forget(stale)
        for key in dirty:
            service, slices = self._index.service(key), self._index.slices(key)
            await self._health.put(key, model.health_check(service, slices, self._node_name))
        if not self._dirty:
            self.in_step.set()

    def _renew(self, key: Key) -> None:
        ports = model.service_ports(self._index.service(key), self._index.slices(key), self._node_name, self._zone)
        self._stale |= model.stale(self._ports.pop(key, ()), ports)
        self._fragments.pop(key, None)
        if ports:
            self._ports[key] = ports
            self._fragments[key] = render.fragment(ports, self._pod_cidr)


async def forget(flows: Iterable[Stale]) -> None:
    """Delete UDP flows from the kernel's table of connections, so that the next packet chooses anew."""
    for flow in sorted(flows):
        where = ["--orig-dst", flow.address] if flow.address else []
        where += ["--dst-nat", flow.endpoint] if flow.endpoint else []
        argv = ["conntrack", "-D", "-f", "ipv4", "-p", "udp", "--orig-port-dst", str(flow.port), *where]
        try:
            await process.run(argv, check=False, timeout_seconds=10)
        except process.ProcessError as error:
            _log.warning("UDP flows to %s may go to a gone endpoint until they time out: %s", flow.address, error)
            return


async def cleanup(nft: Nft | None = None) -> None:
    """Remove the table; services stop working on this node."""
    await (nft or Nft()).run(render.TABLE.removal())
