"""What the runtime has of one pod, asked for as cheaply as it goes.

A list tells states but neither times, exits nor addresses; those are asked for once and kept until the state changes.
Neighbours: ``podactions.Observed`` is the answer, ``podworker.py`` asks.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from pybernetes.node import termination
from pybernetes.node.podactions import Observed, observe
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.runtime.port import Container, Runtime, RuntimeFailure, Sandbox


class Observer:
    def __init__(self, runtime: Runtime, uid: str, dirs: PodDirs) -> None:
        self._runtime, self._uid, self._dirs = runtime, uid, dirs
        self._containers: dict[str, Container] = {}
        self._sandboxes: dict[str, Sandbox] = {}

    async def observe(self) -> Observed:
        """Raises RuntimeFailure."""
        sandboxes, containers = await asyncio.gather(
            self._runtime.sandboxes(self._uid), self._runtime.containers(self._uid)
        )
        self._sandboxes = {s.id: s for s in [await self._with_addresses(s) for s in sandboxes]}
        detailed = [c for c in [await self._with_details(c) for c in containers] if c is not None]
        self._containers = {c.id: c for c in detailed}
        return observe(tuple(self._sandboxes.values()), tuple(detailed))

    async def _with_addresses(self, listed: Sandbox) -> Sandbox:
        known = self._sandboxes.get(listed.id)
        if not listed.ready:
            return listed
        if known is None or not known.ready:
            known = await self._runtime.sandbox(listed.id)
        return replace(listed, ips=known.ips)

    async def _with_details(self, listed: Container) -> Container | None:
        known = self._containers.get(listed.id)
        if known is not None and known.state == listed.state:
            return known
        try:
            found = await self._runtime.container(listed.id)
        except RuntimeFailure as failure:
            if failure.code == "NotFound":
                return None
            raise
        found = replace(found, sandbox_id=listed.sandbox_id)
        if found.state == "exited":
            found = replace(found, message=termination.message(found, self._dirs))
        return found
