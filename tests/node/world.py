"""One node with real containers under the real server, in one process: what the tests of the agent play in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SystemEntropy
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.agent import Agent, Config
from pybernetes.node.runtime.cri import Cri
from pybernetes.server.api import Api, Options
from pybernetes.server.authz import bootstrap as authorization
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

NODE = "node-1"
SECONDS = 30.0
IMAGE = "busybox:test"


class World:
    """``containerd`` is the fixture's; each test has an API, an agent and directories of its own."""

    def __init__(self, containerd: Any) -> None:
        self.containerd = containerd
        self.clock, self.entropy = SystemClock(), SystemEntropy()
        self.runtime = Cri(str(containerd.socket))
        self.config = Config(
            node=NODE, ip="192.0.2.1", pod_cidr="10.222.0.0/24", kubelet=containerd.root / "kubelet",
            logs=containerd.root / "logs", cgroup=containerd.cgroup_root, cluster_dns=("10.96.0.10",),
        )  # fmt: skip
        self.agent: Agent | None = None
        self._manager: Manager | None = None
        self._tasks = Tasks()

    async def start(self) -> None:
        self._cache = WatchCache(MemoryStore(self.clock), self.clock)
        await self._cache.start()
        self.api = Api(self._cache, table.builtin(), self.clock, self.entropy, Options())
        await self.api.start()
        self.admin = self.api.client(User("admin", groups=("system:masters",)))
        await bootstrap.ensure(self.admin, "192.0.2.2", 6443, authorization.objects())
        await self.create(
            "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("default")}
        )
        await self.config_map("kube-root-ca.crt", {"ca.crt": "PEM"})
        await self.start_agent()

    async def stop(self) -> None:
        """End every pod, then everything else."""
        for pod in (await self.admin.list("pods", "default"))["items"]:
            await self.admin.delete("pods", objects.name(pod), "default", grace_period_seconds=1)
            await self.until(objects.name(pod), lambda found: found is None)
        await self.stop_agent()
        await self.api.stop()
        await self._cache.stop()
        await self.runtime.close()

    async def start_agent(self) -> None:
        client = self.api.client(User(f"system:node:{NODE}", groups=("system:nodes",)), "kubelet")
        self._manager = Manager(client, self.clock, self.entropy)
        self.agent = Agent(self.config, client, self._manager, self.runtime, self.clock, self.entropy)
        await self.agent.start()

    async def stop_agent(self) -> None:
        if self.agent is not None and self._manager is not None:
            await self.agent.stop()
            await self._manager.stop()
        self.agent = None

    async def create(self, resource: str, obj: Obj) -> Obj:
        return await self.admin.create(resource, obj)

    async def config_map(self, name: str, data: dict[str, str]) -> None:
        await self.create("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name), "data": data})

    async def pod(self, name: str, *containers: Obj, **spec: Any) -> Obj:
        wanted = {"nodeName": NODE, "terminationGracePeriodSeconds": 1, "containers": list(containers), **spec}
        return await self.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta(name), "spec": wanted})

    async def until(self, name: str, predicate: Callable[[Any], bool]) -> Any:
        return await wait.until(
            self.admin, "pods", "default", name, predicate, timeout_seconds=SECONDS, clock=self.clock
        )

    async def ready(self, name: str) -> Any:
        return await self.until(name, lambda pod: pod is not None and objects.condition_is(pod, "Ready"))

    async def said(self, name: str, text: str) -> Any:
        """The event about a pod whose message holds ``text``, as soon as there is one."""
        about = f"involvedObject.name={name}"
        listed = await self.admin.list("events", "default", fields=about)
        version = listed["metadata"]["resourceVersion"]
        found = [e for e in listed["items"] if text in e["message"]]
        watch = self.admin.watch("events", "default", resource_version=version, fields=about)
        while not found:
            found = [obj for _, obj in await anext(watch) if text in obj.get("message", "")]
        await watch.aclose()  # type: ignore[attr-defined]
        return found[0]

    async def eventually(self, look: Callable[[], Any]) -> Any:
        """What ``look`` answers once that is something. For what no watch tells of; awaits it where it can be."""
        end = self.clock.monotonic() + SECONDS
        while self.clock.monotonic() < end:
            found = look()
            found = await found if inspect.isawaitable(found) else found
            if found:
                return found
            await self.clock.sleep(0.02)
        raise TimeoutError("it never came")

    async def run_in(self, pod: Obj, container: str, *command: str) -> str:
        id = status(pod, container)["containerID"].removeprefix("containerd://")
        return (await self.runtime.exec_sync(id, command)).stdout.decode()


def meta(name: str) -> Obj:
    return {"name": name, "namespace": "default"}


def shell(name: str, script: str, **more: Any) -> Obj:
    """A container that runs a script."""
    return {"name": name, "image": IMAGE, "command": ["sh", "-c", script], **more}


FOREVER = "trap 'exit 0' TERM; while :; do sleep 0.05; done"


def status(pod: Obj, container: str) -> Obj:
    """What the API tells of one container."""
    entries = [*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ())]
    found: Obj = next(e for e in entries if e["name"] == container)
    return found
