"""Controllers, scheduler and simulated nodes where several control planes share one store: one of them works.

Rule: each part works while this process holds its Lease, and begins anew, with caches of its own, whenever it comes to
hold it. The API server works always. The Leases are upstream's ``kube-controller-manager`` and ``kube-scheduler``; the
simulated nodes go with the controllers.
Neighbours: ``components.py`` is the same for a control plane that is alone, ``control/leader.py`` the election.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from pybernetes.cluster import components
from pybernetes.control.controller import Controller
from pybernetes.control.leader import Elector
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.server.api import Api


@dataclass(frozen=True, slots=True)
class Parts:
    """What works while it is this process's turn. ``identity`` tells this control plane from the others."""

    api: Api
    controllers: Sequence[Controller]
    clock: Clock
    entropy: Entropy
    identity: str
    simulated: Sequence[str]
    pod_cidr: Callable[[str], str]

    def start(self, stack: AsyncExitStack) -> None:
        """Stand for election; ``stack`` ends it, and the work."""
        background = Tasks()
        stack.push_async_callback(background.stop)
        for user, work in (
            (components.CONTROLLER_MANAGER, self._lead_controllers),
            (components.SCHEDULER, self._lead_scheduler),
        ):
            name = user.name.removeprefix("system:")
            elector = Elector(self.api.client(user, name), self.clock, name, self.identity)
            background.start(elector.run(work), f"election of {name}")

    async def _lead_controllers(self) -> None:
        async with AsyncExitStack() as stack:
            manager = components.controllers_of(self.api, self.controllers, self.clock, self.entropy, stack)
            nodes = components.simulated_of(
                self.api, manager, self.clock, self.entropy, stack, self.simulated, self.pod_cidr
            )
            await asyncio.gather(manager.start(), nodes.start())
            await asyncio.Event().wait()

    async def _lead_scheduler(self) -> None:
        async with AsyncExitStack() as stack:
            manager = Manager(self.api.client(components.SCHEDULER), self.clock, self.entropy)
            stack.push_async_callback(manager.stop)
            components.start_scheduler(self.api, manager, self.clock, self.entropy, stack)
            await asyncio.Event().wait()
