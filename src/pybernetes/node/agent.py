"""A node's agent: one worker per pod that the API has put on this node, and signs of life of the node itself.

Theory of operation. The pods of this node are watched; each gets a worker, which finds in the runtime by labels what
already runs of it and touches none of that. Ends of processes are told by the runtime's event stream to the worker
concerned. What the runtime has of pods that the API does not have is ended, but only once the API has told all of its
pods. A look at everything now and then catches what an event did not tell. The agent may end at any time: containers
go on, and the next one finds them again.
Neighbours: ``podworker.py``, ``heartbeat.py``; ``cluster/node_process.py`` builds one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pybernetes.client.client import Client
from pybernetes.control.cache import Delta
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import admission, nodestatus, poddirs, poddns, podends, relist, static, sysinfo
from pybernetes.node.admission import Refusal
from pybernetes.node.config import Config
from pybernetes.node.downward import NodeFacts
from pybernetes.node.heartbeat import Heartbeat
from pybernetes.node.housekeeping import Housekeeping
from pybernetes.node.imagekeeper import ImageKeeper
from pybernetes.node.images import Images
from pybernetes.node.manifests import StaticPods
from pybernetes.node.podactions import Observed
from pybernetes.node.podcgroups import PodCgroups
from pybernetes.node.podworker import Worker
from pybernetes.node.pressure import Pressure
from pybernetes.node.references import References
from pybernetes.node.runtime.port import Runtime, RuntimeFailure
from pybernetes.node.storage import NodeStorage
from pybernetes.node.tokens import Tokens
from pybernetes.node.volumes.claims import Claims
from pybernetes.node.workshop import STARTS_MAX, Workshop

__all__ = ["Agent", "Config"]

_log = Log("node.agent")
_RELIST_SECONDS: Final = 15.0
_LISTEN_AGAIN_SECONDS: Final = 0.2
_LISTEN_AGAIN_SECONDS_MAX: Final = 5.0
_HEARD_SECONDS: Final = 1.0
"""A subscription is not acknowledged: one that holds so long is taken to be heard."""
_RESOLV_CONF: Final = Path("/etc/resolv.conf")


class _Working(NamedTuple):
    worker: Worker
    task: asyncio.Task[None]


class Agent:
    """``client`` acts as ``system:node:<name>``; ``manager`` may be shared with other parts of the node."""

    def __init__(  # noqa: PLR0917 (everything that an agent stands on)
        self, config: Config, client: Client, manager: Manager, runtime: Runtime, clock: Clock, entropy: Entropy
    ) -> None:
        config.kubelet.mkdir(parents=True, exist_ok=True)
        self._config, self._manager, self._runtime, self._clock = config, manager, runtime, clock
        self._machine = sysinfo.read(config.kubelet)
        pressures: Callable[[], Collection[str]] = lambda: self._pressure.conditions  # noqa: E731
        self._heartbeat = Heartbeat(config, self._machine, client, runtime, clock, pressures)
        self._recorder = Recorder(client, clock, "kubelet", config.node)
        facts = NodeFacts(config.node, (config.ip,), nodestatus.allocatable(config, self._machine))
        self._references = References(client, manager, clock, entropy, facts=facts, changed=self._references_changed)
        self._storage = NodeStorage(config, client, manager, self._recorder, clock)
        self._shop = Workshop(
            config=config, machine=self._machine, client=client, runtime=runtime, clock=clock, entropy=entropy,
            recorder=self._recorder, references=self._references, tokens=Tokens(client, clock),
            claims=Claims(client), place=self._storage.place,
            images=Images(runtime, clock), cgroups=PodCgroups(config.cgroup, config.cgroups), pods=self.pods,
            resolver=_own_resolver(), slots=asyncio.Semaphore(STARTS_MAX),
        )  # fmt: skip
        images = ImageKeeper(self._shop)
        self._pressure = Pressure(
            self._shop, evict=self._evict, free_disk=images.free_all, changed=self._heartbeat.hurry
        )  # fmt: skip
        self._housekeeping = Housekeeping(self._shop, self._pressure, images, self._observed)
        self._static = None if config.manifests is None else StaticPods(
            config.manifests, config.node, client, clock,
            changed=self._static_pods_changed, node_uid=lambda: self._heartbeat.node_uid,
        )  # fmt: skip
        self._working: dict[str, _Working] = {}
        self._hears = True
        self._loops: list[asyncio.Task[None]] = []
        self._tasks = Tasks()
        self._workers = Tasks()

    async def run(self) -> None:
        """Start, then work until cancelled or stopped."""
        await self.start()
        try:
            await asyncio.gather(*self._loops)
        finally:
            await self.stop()

    async def start(self) -> None:
        """Returns when the Node is registered and every pod of it has its worker."""
        if "memory" in {**self._config.capacity, **self._config.reserved}:
            self._shop.cgroups.limit(nodestatus.memory_for_pods(self._config, self._machine))
        await self._heartbeat.register()
        self._storage.start()
        informer = self._manager.informer("pods", fields=f"spec.nodeName={self._config.node}")
        informer.subscribe(self._pods_changed)
        await informer.synced()
        if self._static is not None:
            self._static.read()  # what runs of them belongs to somebody
            self._tasks.start(self._static.watch(), "static pods")
            self._tasks.start(self._static.mirror(), "mirrors of static pods")
        self._loops = [
            self._tasks.start(self._heartbeat.run(), "heartbeat"),
            self._tasks.start(self._listen(), "events of the runtime"),
            self._tasks.start(self._relist(), "relist"),
            self._tasks.start(self._housekeeping.run(), "housekeeping"),
        ]

    async def stop(self) -> None:
        """End the workers and the watches; containers go on."""
        await self._tasks.stop()
        await self._workers.stop()
        await self._storage.stop()
        await self._references.stop()
        await self._recorder.stop()

    def pods(self) -> list[Obj]:
        """The pods of this node as last seen, those among them that the API has lost and that still end."""
        return [working.worker.pod for working in self._working.values()]

    def is_at_rest(self) -> bool:
        """Whether no pod's worker has anything to do or under way."""
        return all(working.worker.is_at_rest() for working in self._working.values())

    # ── pods ─────────────────────────────────────────────────────────────────────────────────────────────

    def _pods_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            if any(pod is not None and static.is_mirror(pod) for pod in (old, new)):
                self._mirror_changed(old, new)
                continue
            if old is not None and (new is None or objects.uid(old) != objects.uid(new)):
                self._lost(old)
            if new is not None:
                self._offer(new)

    def _offer(self, pod: Obj) -> None:
        working = self._working.get(objects.uid(pod))
        if working is None:
            self._begin(pod)
        else:
            working.worker.offer(pod)

    def _mirror_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A mirror is told to its static pod's worker, and to who keeps the mirrors."""
        changed = new or old
        if self._static is None or changed is None:
            return
        self._static.mirror_changed(static.full_name(changed), new)
        for pod in self._static.pods():
            working = self._working.get(objects.uid(pod))
            if working is not None and static.full_name(pod) == static.full_name(changed):
                working.worker.mirrored(self._static.mirror_of(pod))

    def _static_pods_changed(self) -> None:
        """Begin and end what files have brought and taken; a file's new content waits for the end of the old."""
        wanted = {objects.uid(pod): pod for pod in self._static.pods()} if self._static is not None else {}
        own = [w.worker for w in self._working.values() if static.is_static(w.worker.pod)]
        for worker in own:
            if worker.uid not in wanted:
                worker.lost()
        busy = {static.full_name(worker.pod) for worker in own}
        for pod in wanted.values():
            if static.full_name(pod) not in busy:
                self._begin(pod)

    def _evict(self, uid: str, message: str) -> None:
        if uid in self._working:
            self._working[uid].worker.end(podends.EVICTED, message)

    def _observed(self) -> list[tuple[Path, Observed]]:
        workers = [working.worker for working in self._working.values()]
        return [(poddirs.of(self._config, worker.pod).logs, worker.observed) for worker in workers]

    def _lost(self, pod: Obj) -> None:
        working = self._working.get(objects.uid(pod))
        if working is not None:
            working.worker.offer(pod)
            working.worker.lost()

    def _begin(self, pod: Obj, *, gone: bool = False) -> None:
        worker = Worker(self._shop, pod, self._ended, gone=gone)
        if self._static is not None and static.is_static(pod):
            worker.mirrored(self._static.mirror_of(pod))
        refused = None if gone or objects.get(pod, "status", "startTime") else self._refused(pod)
        if refused is not None:
            worker.end(refused.reason, podends.REJECTED + refused.message, refused.message)
        name = f"pod {objects.namespace(pod)}/{objects.name(pod)}"
        self._working[worker.uid] = _Working(worker, self._workers.start(worker.run(), name))

    def _refused(self, pod: Obj) -> Refusal | None:
        workers = [working.worker for working in self._working.values()]
        others = [w.pod for w in workers if not (w.notes.gone or w.notes.reported)]  # what the scheduler counts as well
        return admission.refusal(
            pod, others, pressures=self._pressure.conditions,
            allocatable=nodestatus.allocatable(self._config, self._machine),
        )  # fmt: skip

    def _ended(self, worker: Worker) -> None:
        self._working.pop(worker.uid, None)
        if static.is_static(worker.pod):
            self._static_pods_changed()

    def _references_changed(self, uid: str) -> None:
        if uid in self._working:
            self._working[uid].worker.references_changed()

    # ── the runtime ──────────────────────────────────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        """Tell workers of the ends of their containers, as they happen."""
        pause = _LISTEN_AGAIN_SECONDS
        while True:
            heard = self._clock.call_later(_HEARD_SECONDS, self._look_at_all)
            began = self._clock.monotonic()
            try:
                async for event in self._runtime.events():
                    self._process_ended(event.container_id)
            except RuntimeFailure as failure:
                if self._hears:
                    _log.warning("the runtime's events broke off", node=self._config.node, why=failure)
            heard.cancel()
            if self._hears:
                self._hears = False
                self._heartbeat.hurry()
            if self._clock.monotonic() - began > _HEARD_SECONDS:
                pause = _LISTEN_AGAIN_SECONDS
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LISTEN_AGAIN_SECONDS_MAX)

    def _process_ended(self, id: str) -> None:
        for working in self._working.values():
            if working.worker.process_ended(id):
                return

    def _look_at_all(self) -> None:
        """The runtime's events are heard now: see what has ended unheard before."""
        for working in self._working.values():
            working.worker.wake()
        if not self._hears:
            self._hears = True
            self._heartbeat.hurry()

    async def _relist(self) -> None:
        """Find what no event told: workers behind their pod, pods that the API does not have, workers that failed."""
        while True:
            try:
                sandboxes, containers = await asyncio.gather(self._runtime.sandboxes(), self._runtime.containers())
            except RuntimeFailure as failure:
                _log.info("the runtime does not tell what it has", node=self._config.node, why=failure)
            else:
                self._compare(relist.by_pod(sandboxes, containers))
            await self._clock.sleep(_RELIST_SECONDS)

    def _compare(self, found: relist.Found) -> None:
        for uid, (worker, task) in list(self._working.items()):
            if task.done():
                self._begin(worker.pod, gone=worker.notes.gone)
            elif relist.differs(worker.observed, found.get(uid)):
                worker.wake()
        for pod in relist.orphans(found, poddirs.leftovers(self._config), self._working):
            self._begin(pod, gone=True)


def _own_resolver() -> poddns.Resolver:
    return poddns.parse(_RESOLV_CONF.read_text()) if _RESOLV_CONF.exists() else poddns.Resolver()
