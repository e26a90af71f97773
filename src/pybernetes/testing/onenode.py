"""One node's agent under the real server, in one process: for tests of either on any runtime and clock.

    world = OneNode(MemoryRuntime(clock, images=["web:1"]), config("/tmp/x"), clock)
    await world.start()
    await world.pod("p", {"name": "c", "image": "web:1"})
    await world.ready("p")

Neighbours: ``tests/node`` runs it on containerd, ``tests/unit/node`` on ``node/runtime/memory.py`` and a virtual clock.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from pybernetes.client import wait
from pybernetes.cluster import bootstrap
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy, SystemEntropy
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.agent import Agent, Config
from pybernetes.node.runtime.port import Runtime
from pybernetes.server.api import Api, Options
from pybernetes.server.authz import bootstrap as authorization
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

NODE: Final = "node-1"
NAMESPACE: Final = "default"
SECONDS: Final = 30.0
FOREVER: Final = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
"""A script that goes on until it is asked to end."""


def config(folder: Path, **more: Any) -> Config:
    """A node that keeps everything below ``folder`` and limits nothing, unless ``more`` says where cgroups are."""
    return Config(
        **{
            "node": NODE, "ip": "192.0.2.1", "pod_cidr": "10.222.0.0/24", "kubelet": folder / "kubelet",
            "logs": folder / "logs", "cgroup": "/none", "cgroups": folder, "cluster_dns": ("10.96.0.10",), **more,
        }
    )  # fmt: skip


class OneNode:
    def __init__(self, runtime: Runtime, config: Config, clock: Clock, entropy: Entropy | None = None) -> None:
        self.runtime, self.config, self.clock = runtime, config, clock
        self._entropy = entropy or SystemEntropy()
        self._cache = WatchCache(MemoryStore(clock), clock)
        self.api = Api(self._cache, table.builtin(), clock, self._entropy, Options())
        self.admin = self.api.client(User("admin", groups=("system:masters",)))
        self.agent: Agent | None = None
        self._manager: Manager | None = None

    async def start(self) -> None:
        """Server, namespace and agent; returns when the node is registered."""
        await self._cache.start()
        await self.api.start()
        await bootstrap.ensure(self.admin, "192.0.2.2", 6443, authorization.objects())
        await self.create("serviceaccounts", "ServiceAccount", "default")
        await self.create("configmaps", "ConfigMap", "kube-root-ca.crt", data={"ca.crt": "PEM"})
        await self.start_agent()

    async def end_pods(self) -> None:
        """Delete every pod and return when nothing of them is left."""
        for pod in (await self.admin.list("pods", NAMESPACE))["items"]:
            await self.delete(objects.name(pod))
        await self.eventually(lambda: self.agent is None or not self.agent.pods())

    async def stop(self) -> None:
        """End the agent, then the server; what runs goes on."""
        await self.stop_agent()
        await self.api.stop()
        await self._cache.stop()
        await self.runtime.close()

    async def start_agent(self) -> None:
        client = self.api.client(User(f"system:node:{NODE}", groups=("system:nodes",)), "kubelet")
        self._manager = Manager(client, self.clock, self._entropy)
        self.agent = Agent(self.config, client, self._manager, self.runtime, self.clock, self._entropy)
        await self.agent.start()

    async def stop_agent(self) -> None:
        if self.agent is not None and self._manager is not None:
            await self.agent.stop()
            await self._manager.stop()
        self.agent = None

    async def create(self, resource: str, kind: str, name: str, **content: Any) -> Obj:
        """An object of ``v1`` in the namespace that everything here is in."""
        metadata = {"name": name, "namespace": NAMESPACE}
        return await self.admin.create(resource, {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})

    async def pod(self, name: str, *containers: Obj, **spec: Any) -> Obj:
        wanted = {"nodeName": NODE, "terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}
        return await self.create("pods", "Pod", name, spec=wanted)

    async def delete(self, name: str, grace_seconds: int = 1) -> None:
        """Delete a pod and return when it is gone."""
        await self.admin.delete("pods", name, NAMESPACE, grace_period_seconds=grace_seconds)
        await self.until(name, lambda found: found is None)

    async def until(self, name: str, predicate: Callable[[Any], bool], seconds: float = SECONDS) -> Any:
        """A pod as soon as ``predicate`` holds; None where it is gone. Raises errors.Timeout."""
        return await wait.until(
            self.admin, "pods", NAMESPACE, name, predicate, timeout_seconds=seconds, clock=self.clock
        )

    async def ready(self, name: str) -> Any:
        return await self.until(name, lambda pod: pod is not None and objects.condition_is(pod, "Ready"))

    async def said(self, name: str, text: str) -> Obj:
        """The event about a pod whose message holds ``text``, as soon as there is one."""
        about = f"involvedObject.name={name}"
        listed = await self.admin.list("events", NAMESPACE, fields=about)
        found: list[Obj] = [e for e in listed["items"] if text in e["message"]]
        watch = self.admin.watch(
            "events", NAMESPACE, resource_version=objects.meta(listed)["resourceVersion"], fields=about
        )
        while not found:
            found = [obj for _, obj in await anext(watch) if text in obj.get("message", "")]
        await watch.aclose()  # type: ignore[attr-defined]
        return found[0]

    async def run_in(self, pod: Obj, container: str, *command: str) -> str:
        """What a command says that runs in a container."""
        id = container_status(pod, container)["containerID"].removeprefix("containerd://")
        return (await self.runtime.exec_sync(id, command)).stdout.decode()

    async def eventually(self, look: Callable[[], Any]) -> Any:
        """What ``look`` answers (or what it answers is awaited for) once that is something: for what nobody tells.
        Raises TimeoutError."""
        end = self.clock.monotonic() + SECONDS
        while self.clock.monotonic() < end:
            found = look()
            found = await found if inspect.isawaitable(found) else found
            if found:
                return found
            await self.clock.sleep(0.02)
        raise TimeoutError(f"it did not come within {SECONDS:g} s")


def shell(name: str, script: str, image: str = "busybox:test", **more: Any) -> Obj:
    """A container that runs a script."""
    return {"name": name, "image": image, "command": ["sh", "-c", script], **more}


def container_status(pod: Obj, container: str) -> Obj:
    """What the API tells of one container."""
    told = pod.get("status") or {}
    entries = [*(told.get("initContainerStatuses") or ()), *(told.get("containerStatuses") or ())]
    return next((e for e in entries if e["name"] == container), {"name": container, "state": {}})
