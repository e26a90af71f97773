"""A node whose runtime is in memory, under a clock that is turned by hand; the fixture is in ``conftest.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.testing.onenode import OneNode, container_status

C = {"name": "c", "image": "web:1"}


class Scene(OneNode):
    runtime: MemoryRuntime
    clock: VirtualClock

    async def turn(self, seconds: float, then: Callable[[Any], bool], name: str = "p") -> Any:
        """The pod after some time has passed and ``then`` holds."""
        await self.clock.advance(seconds)
        return await asyncio.wait_for(self.until(name, then), 10)

    async def messages(self, name: str) -> list[str]:
        await self.clock.advance(0.1)
        found = await self.admin.list("events", "default", fields=f"involvedObject.name={name}")
        return [e["message"] for e in found["items"]]


def is_waiting(reason: str, container: str = "c") -> Callable[[Any], bool]:
    return lambda pod: objects.get(container_status(pod, container), "state", "waiting", "reason") == reason


def restarted(times: int) -> Callable[[Any], bool]:
    return lambda pod: container_status(pod, "c").get("restartCount") == times and "running" in pod_state(pod)


def pod_state(pod: Obj) -> Obj:
    return container_status(pod, "c")["state"]  # type: ignore[no-any-return]
