"""A runtime whose sandboxes join the network only when their policies are in the kernel.

Rule: ``run_sandbox`` returns when the sandbox's address has been admitted, so no container runs before; a pod of the
host's network has no address of its own and waits for nobody. The agent and the network stay strangers to each other.
Neighbours: ``network/policy/loop.py`` admits; ``node_process.py`` composes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.node.runtime.cri import Cri

Admit: TypeAlias = Callable[[tuple[str, str], str, str], Awaitable[None]]
"""((namespace, name), uid, address) of a pod."""


class GuardedCri(Cri):
    def __init__(self, socket: str, admit: Admit, node_ip: str) -> None:
        super().__init__(socket)
        self._admit, self._node_ip = admit, node_ip

    async def run_sandbox(self, config: Obj, handler: str = "") -> str:
        id = await super().run_sandbox(config, handler)
        sandbox = await self.sandbox(id)
        for address in sandbox.ips:
            if address != self._node_ip:
                await self._admit((sandbox.namespace, sandbox.name), sandbox.uid, address)
        return id
