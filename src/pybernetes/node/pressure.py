"""Watching over the node's memory and disk: every ten seconds a look, and where too little is left, something goes.

Theory of operation. One look reads the signals. A shortage of disk first costs unused images; a shortage that is left
costs one pod, the first by rank, which its worker ends at once and reports as Evicted. The conditions that follow are
told by the heartbeat; taints and the scheduler do the rest elsewhere.
Neighbours: ``eviction.py`` decides, ``signals.py`` reads, ``housekeeping.py`` calls, ``podworker.evict`` ends a pod.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from pybernetes.control.actions import Event
from pybernetes.lib.log import Log
from pybernetes.meta import objects
from pybernetes.node import eviction, nodestatus, qos, signals
from pybernetes.node.eviction import DISK_PRESSURE, MEMORY_PRESSURE, Shortage
from pybernetes.node.workshop import Workshop

_log = Log("node.pressure")
_RECLAIMS: Final = {MEMORY_PRESSURE: "memory", DISK_PRESSURE: "ephemeral-storage"}


class Pressure:
    """``evict`` ends the pod of a uid with a message; ``free_disk`` removes what nobody uses; ``changed`` is told when
    the conditions differ."""

    def __init__(
        self, shop: Workshop, *, evict: Callable[[str, str], None], free_disk: Callable[[], Awaitable[bool]],
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._shop, self._evict, self._free_disk, self._changed = shop, evict, free_disk, changed
        self._last_met: dict[str, float] = {}
        allocatable = nodestatus.capacity(shop.config, shop.machine)["memory"]
        self._memory_bytes = qos.size(allocatable)

    @property
    def conditions(self) -> Collection[str]:
        """The pressures that the node is under."""
        return self._last_met.keys()

    async def look(self) -> None:
        """Look once, and do what it takes. Raises OSError, RuntimeFailure."""
        found = self._shortages()
        before = set(self._last_met)
        self._last_met = eviction.last_met(self._last_met, found, self._shop.clock.time())
        if before != set(self._last_met):
            self._tell(before)
        for shortage in found:
            _log.warning("the node is short", resource=shortage.resource, available=shortage.available)
            await self._reclaim(shortage)
            return  # one thing at a time: the next look tells whether it was enough
        await self._hold_to_limits()

    async def _hold_to_limits(self) -> None:
        """End the pods that use more disk than they may."""
        limited = [p for p in self._shop.pods() if eviction.has_local_limits(p) and eviction.runs(p)]
        if not limited:
            return
        config, stats = self._shop.config, await self._shop.runtime.stats()
        usages = await asyncio.to_thread(signals.usages, stats, limited, config)
        for pod in limited:
            empty_dirs = await asyncio.to_thread(signals.empty_dirs, pod, config)
            message = eviction.over_limits(pod, usages[objects.uid(pod)], empty_dirs)
            if message:
                self._evict(objects.uid(pod), message)

    def _shortages(self) -> list[Shortage]:
        config = self._shop.config
        return eviction.shortages(config.eviction, signals.read(config, self._shop.cgroups, self._memory_bytes))

    async def _reclaim(self, shortage: Shortage) -> None:
        if shortage.condition == DISK_PRESSURE and await self._free_disk() and not self._shortages():
            return
        pods = list(self._shop.pods())
        stats = await self._shop.runtime.stats()
        usages = await asyncio.to_thread(signals.usages, stats, pods, self._shop.config)
        for pod in eviction.ranked(pods, usages, shortage.resource)[:1]:
            self._evict(objects.uid(pod), eviction.message(shortage, pod, usages))

    def _tell(self, before: set[str]) -> None:
        name = self._shop.config.node
        node = {"kind": "Node", "metadata": {"name": name, "uid": name}}  # as a kubelet refers to its own
        for condition in sorted(before ^ set(self._last_met)):
            reason = nodestatus.PRESSURES[condition][condition in self._last_met][0]
            self._shop.recorder.emit(Event(node, "Normal", reason, f"Node {name} status is now: {reason}"))
            if condition in self._last_met:
                attempt = f"Attempting to reclaim {_RECLAIMS[condition]}"
                self._shop.recorder.emit(Event(node, "Warning", "EvictionThresholdMet", attempt))
        self._changed()
