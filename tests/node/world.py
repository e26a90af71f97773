"""One node with real containers, for the tests in this folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pybernetes.lib.clock import SystemClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.runtime.cri import Cri
from pybernetes.testing import onenode
from pybernetes.testing.onenode import OneNode, container_status

IMAGE = "busybox:test"
FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
SECONDS = 30.0


class World(OneNode):
    """On the fixture's containerd."""

    def __init__(self, containerd: Any) -> None:
        config = onenode.config(containerd.root, cgroup=containerd.cgroup_root, cgroups=Path("/sys/fs/cgroup"))
        super().__init__(Cri(str(containerd.socket)), config, SystemClock())
        self.containerd = containerd

    async def stop(self) -> None:
        """End every pod first."""
        for pod in (await self.admin.list("pods", "default"))["items"]:
            await self.delete(objects.name(pod))
        await self.eventually(lambda: self.agent is None or not self.agent.pods())
        await super().stop()

    async def config_map(self, name: str, data: dict[str, str]) -> None:
        await self.create("configmaps", "ConfigMap", name, data=data)

    async def run_in(self, pod: Obj, container: str, *command: str) -> str:
        id = container_status(pod, container)["containerID"].removeprefix("containerd://")
        return (await self.runtime.exec_sync(id, command)).stdout.decode()

    async def eventually(self, look: Callable[[], Any]) -> Any:
        """What ``look`` answers (or what it answers is awaited for) once that is something: for what nobody tells."""
        end = self.clock.monotonic() + SECONDS
        while self.clock.monotonic() < end:
            found = look()
            found = await found if inspect.isawaitable(found) else found
            if found:
                return found
            await self.clock.sleep(0.02)
        raise TimeoutError("it never came")


def shell(name: str, script: str, **more: Any) -> Obj:
    """A container that runs a script."""
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}
