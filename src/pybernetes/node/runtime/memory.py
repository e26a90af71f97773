"""The runtime port without a runtime: sandboxes and containers that are only rows, for tests and simulations.

Rule: it tells what a real one would, in the same shapes; nothing ends by itself but what :meth:`finish` ends. An
image is there when it was put there, or when it is pulled and ``registry`` has it; ``answers`` has what commands come
to.
Neighbours: ``cri.py`` is the adapter for containerd; one suite holds both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from pybernetes.lib.clock import Clock
from pybernetes.meta.objects import Obj
from pybernetes.node import imagename
from pybernetes.node.runtime.port import (
    POD_UID,
    Condition,
    Container,
    ContainerStats,
    Event,
    ExecResult,
    Image,
    RuntimeFailure,
    Sandbox,
    Version,
)

_KILLED: Final = 137
_TERMINATED: Final = 143
T = TypeVar("T", Sandbox, Container)


class MemoryRuntime:
    """``registry`` names the images that can be pulled; ``failures`` are raised by the call of that name."""

    def __init__(self, clock: Clock, images: Sequence[str] = (), registry: Sequence[str] = ()) -> None:
        self._clock = clock
        self._images = {imagename.normalise(n): _image(n) for n in images}
        self.registry = {imagename.normalise(n) for n in registry}
        self._sandboxes: dict[str, Sandbox] = {}
        self._containers: dict[str, Container] = {}
        self._listeners: list[asyncio.Queue[Event]] = []
        self._made = 0
        self.failures: dict[str, RuntimeFailure] = {}
        self.deaf: set[str] = set()
        """Names of containers that heed no signal: they end by their grace alone."""
        self.answers: dict[str, ExecResult] = {}
        """By container name: what every command in it comes to."""
        self.handlers: list[str] = []
        """Of the sandboxes that were started."""
        self.reopened: list[str] = []
        """Names of containers whose logs were opened anew."""
        self.resources: dict[str, Obj] = {}
        """By container name: what it was given while it ran."""
        self.memory: dict[str, int] = {}
        """By container name: how many bytes it uses."""
        self.commands: list[tuple[str, tuple[str, ...]]] = []
        """What was run: (container name, command)."""

    def running(self, name: str) -> str:
        """The id of the running container of that name."""
        return next(c.id for c in self._containers.values() if c.name == name and c.state == "running")

    def finish(self, id: str, exit_code: int = 0, reason: str = "", *, told: bool = True) -> None:
        """A container's process ends by itself; an event tells of it unless that gets lost."""
        container = self._containers[id]
        if container.state == "running":
            ended = replace(
                container, state="exited", exit_code=exit_code, finished_at=self._clock.time(),
                reason=reason or ("Error" if exit_code else "Completed"),
            )  # fmt: skip
            self._containers[id] = ended
            if told:
                self._tell(id)

    async def version(self) -> Version:
        self._may_fail("version")
        return Version("memory", "1", "v1")

    async def conditions(self) -> Sequence[Condition]:
        return [Condition("RuntimeReady", True), Condition("NetworkReady", True)]

    # ── sandboxes ────────────────────────────────────────────────────────────────────────────────────────

    async def sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        return [replace(s, ips=()) for s in self._sandboxes.values() if pod_uid in ("", s.uid)]

    async def sandbox(self, id: str) -> Sandbox:
        return self._known(self._sandboxes, id)

    async def run_sandbox(self, config: Obj, handler: str = "") -> str:
        self._may_fail("run_sandbox")
        self.handlers.append(handler)
        id, metadata = self._id(), config["metadata"]
        self._sandboxes[id] = Sandbox(
            id, metadata["name"], metadata["namespace"], metadata["uid"], metadata.get("attempt", 0),
            created_at=self._clock.time(), ips=(f"10.0.{self._made >> 8}.{self._made & 255}",),
        )  # fmt: skip
        return id

    async def stop_sandbox(self, id: str) -> None:
        for container in list(self._containers.values()):
            if container.sandbox_id == id:
                self.finish(container.id, _KILLED)
        if id in self._sandboxes and self._sandboxes[id].ready:
            self._sandboxes[id] = replace(self._sandboxes[id], ready=False, ips=())
            self._tell(id)

    async def remove_sandbox(self, id: str) -> None:
        await self.stop_sandbox(id)
        self._sandboxes.pop(id, None)
        self._containers = {k: c for k, c in self._containers.items() if c.sandbox_id != id}

    # ── containers ───────────────────────────────────────────────────────────────────────────────────────

    async def containers(self, pod_uid: str = "") -> list[Container]:
        found = [c for c in self._containers.values() if pod_uid in ("", c.labels.get(POD_UID))]
        return [replace(c, started_at=0.0, finished_at=0.0, exit_code=0, reason="") for c in found]

    async def container(self, id: str) -> Container:
        return self._known(self._containers, id)

    async def create_container(self, sandbox_id: str, config: Obj, sandbox_config: Obj) -> str:
        self._may_fail("create_container")
        if not self._known(self._sandboxes, sandbox_id).ready:
            raise RuntimeFailure("Unknown", f'sandbox container "{sandbox_id}" is not running')
        wanted = config["image"]["image"]
        image = await self.image(wanted)
        if image is None:
            raise RuntimeFailure("NotFound", f'failed to resolve image "{wanted}": not found')
        id = self._id()
        self._containers[id] = Container(
            id, sandbox_id, config["metadata"]["name"], config["metadata"].get("attempt", 0), state="created",
            created_at=self._clock.time(), image=image.tags[0], image_id=image.id,
            labels=config.get("labels", {}), annotations=config.get("annotations", {}),
        )  # fmt: skip
        return id

    async def start_container(self, id: str) -> None:
        container = self._known(self._containers, id)
        running = replace(container, state="running", started_at=self._clock.time())
        self._containers[id] = running
        if "start_container" in self.failures:
            self.finish(id, 128, "StartError")
            self._may_fail("start_container")

    async def stop_container(self, id: str, grace_seconds: int) -> None:
        container = self._containers.get(id)
        if container is None or container.state != "running":
            return
        if container.name in self.deaf:
            await self._clock.sleep(grace_seconds)
        self.finish(id, _KILLED if container.name in self.deaf else _TERMINATED)

    async def update_resources(self, id: str, resources: Obj) -> None:
        self._may_fail("update_resources")
        self.resources[self._known(self._containers, id).name] = resources

    async def remove_container(self, id: str) -> None:
        if id in self._containers:
            self.finish(id, _KILLED)
            del self._containers[id]

    async def reopen_log(self, id: str) -> None:
        self.reopened.append(self._known(self._containers, id).name)

    # ── commands are only answered; for streams there is nobody ────────────────────────────────────────────────

    async def exec_sync(self, id: str, command: Sequence[str], timeout_seconds: int = 0) -> ExecResult:
        name = self._known(self._containers, id).name
        self.commands.append((name, tuple(command)))
        self._may_fail("exec_sync")
        return self.answers.get(name, ExecResult(0, b"", b""))

    async def exec_url(self, id: str, command: Sequence[str], *, tty: bool, streams: Mapping[str, bool]) -> str:
        raise _unimplemented("exec")

    async def attach_url(self, id: str, *, tty: bool, streams: Mapping[str, bool]) -> str:
        raise _unimplemented("attach")

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        raise _unimplemented("port-forward")

    # ── images ───────────────────────────────────────────────────────────────────────────────────────────

    async def images(self) -> list[Image]:
        return list(self._images.values())

    async def image(self, name: str) -> Image | None:
        by_id = next((i for i in self._images.values() if i.id == name), None)
        return by_id or self._images.get(imagename.normalise(name))

    async def pull(self, name: str, auth: Mapping[str, str] | None, sandbox_config: Obj) -> str:
        full = imagename.normalise(name)
        if full not in self.registry:
            why = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {full}: not found'
            raise RuntimeFailure("NotFound", why)
        self._images[full] = _image(name)
        return self._images[full].id

    async def remove_image(self, name: str) -> None:
        self._images.pop(imagename.normalise(name), None)

    async def stats(self) -> list[ContainerStats]:
        now, running = self._clock.time(), [c for c in self._containers.values() if c.state == "running"]
        return [ContainerStats(c.id, c.labels, now, 0, self.memory.get(c.name, 0), 0, 0, 0) for c in running]

    async def events(self) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    async def close(self) -> None:
        """Nothing is held open."""

    # ── its own ──────────────────────────────────────────────────────────────────────────────────────────

    def _id(self) -> str:
        self._made += 1
        return f"{self._made:064x}"

    def _tell(self, id: str) -> None:
        for listener in self._listeners:
            listener.put_nowait(Event(id))

    def _known(self, rows: Mapping[str, T], id: str) -> T:
        if id not in rows:
            raise RuntimeFailure("NotFound", f'an error occurred when try to find "{id}": not found')
        return rows[id]

    def _may_fail(self, call: str) -> None:
        if call in self.failures:
            raise self.failures[call]


def _image(name: str) -> Image:
    full = imagename.normalise(name)
    return Image(f"sha256:{full.encode().hex():0>64}"[:71], (full,), size_bytes=1)


def _unimplemented(what: str) -> RuntimeFailure:
    return RuntimeFailure("Unimplemented", f"containers in memory cannot {what}")
