"""Gives pods their nodes: the only writer of ``pods/binding``.

Theory of operation. Informers of pods and nodes feed the snapshot (what is placed) and the queue (what waits). The loop
pops pods in order of priority and decides each on the snapshot; the winner is assumed there at once and bound while the
next is decided. A pod that no node fits waits in the queue for a change that can help, and its condition and an event
say why; where pods of lower priority are in its way they are taken away, and it waits for their room. What the server
refuses is taken back and tried again, unless somebody else has placed or deleted the pod.
Neighbours: ``intake.py`` takes changes in, ``decide.py`` and ``preempt.py`` decide, ``writes.py`` performs.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Final, Protocol

from pybernetes.client.client import Client
from pybernetes.control.actions import Event
from pybernetes.control.events import Recorder
from pybernetes.control.informer import Informer
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, volumes
from pybernetes.scheduler import explain, podinfo, preempt, writes
from pybernetes.scheduler.decide import Decision, decide
from pybernetes.scheduler.intake import Intake
from pybernetes.scheduler.nominations import Nominations
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.plugins.volumes import choose
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.preempt import Candidate, Preemption
from pybernetes.scheduler.queue import Entry, Queue
from pybernetes.scheduler.snapshot import Snapshot
from pybernetes.scheduler.storage import Choice, Storage
from pybernetes.scheduler.storagewrites import NotBoundError, StorageWrites
from pybernetes.scheduler.writes import Job, Writes

UNSCHEDULABLE: Final = "Unschedulable"
SCHEDULER_ERROR: Final = "SchedulerError"
_BATCH: Final = 32
"""Pods decided before the event loop gets its turn."""
_log = log.Log("scheduler")


class Informers(Protocol):
    """``control.runner.Manager``, as far as it matters here."""

    def informer(self, resource: str) -> Informer: ...


class Events(Protocol):
    """``control.events.Recorder``."""

    def emit(self, event: Event) -> None: ...

    async def stop(self) -> None: ...


class Scheduler:
    """``name``: the ``spec.schedulerName`` of the pods that it is for, and its name in events."""

    def __init__(
        self, client: Client, manager: Informers, clock: Clock, entropy: Entropy, *,
        name: str = podinfo.DEFAULT_SCHEDULER, events: Events | None = None,
    ) -> None:  # fmt: skip
        self._client, self._clock, self._entropy, self._name = client, clock, entropy, name
        self._nodes, self._pods = manager.informer("nodes"), manager.informer("pods")
        self._namespaces = manager.informer("namespaces")
        self._budgets = manager.informer("poddisruptionbudgets.policy")
        self._claims, self._volumes = manager.informer(volumes.CLAIMS), manager.informer(volumes.VOLUMES)
        self._classes, self._csi_nodes = manager.informer(volumes.CLASSES), manager.informer(volumes.CSI_NODES)
        self._storage = Storage(self._claims.cache, self._volumes.cache, self._classes.cache)
        self._storage_writes = StorageWrites(client, self._claims, clock)
        self._bindings = Tasks()
        self._events = events or Recorder(client, clock, name)
        self._active = asyncio.Event()
        self._snapshot, self._queue, self._writes = Snapshot(self._storage), Queue(clock, self._active.set), Writes()
        self._nominations = Nominations()
        self._intake = Intake(self._snapshot, self._queue, self._nominations, name)
        self._stopping = False

    async def run(self) -> None:
        """Work until ``stop``."""
        followed = (
            (self._namespaces, self._intake.namespaces),
            (self._classes, self._intake.classes),
            (self._csi_nodes, self._intake.csi_nodes),
            (self._volumes, self._intake.volumes),
            (self._claims, self._intake.claims),
            (self._nodes, self._intake.nodes),
            (self._pods, self._intake.pods),
        )
        unsubscribe = [informer.subscribe(callback) for informer, callback in followed]
        await asyncio.gather(self._budgets.synced(), *(informer.synced() for informer, _ in followed))
        self._writes.start()
        try:
            while not self._stopping:
                await self._try_all()
                await self._active.wait()
                self._active.clear()
        finally:
            for end in unsubscribe:
                end()

    async def stop(self) -> None:
        """End ``run``. Bindings under way may or may not be made; the next start sees which."""
        self._stopping = True
        self._active.set()
        self._queue.stop()
        await self._writes.stop()
        await self._bindings.stop()
        await self._events.stop()

    async def _try_all(self) -> None:
        tried = 0
        while not self._stopping and (entry := self._queue.pop()) is not None:
            await self._writes.add(self._try(entry))
            tried += 1
            if tried % _BATCH == 0:
                await asyncio.sleep(0)

    def _try(self, entry: Entry) -> Job:
        """Decide about a pod; what has to be written."""
        try:
            with self._snapshot.supposing(there=self._nominations.kept_from(entry.info)):
                decision, preemption = self._decide(entry.info)
        except Exception as error:  # a fault of ours over one pod must not end scheduling for all
            _log.error("no decision about a pod", error, pod=entry.info)
            return self._failed(entry, f"running the scheduler's plugins: {error}")
        if decision.node is None:
            return self._rejected(entry, decision, preemption)
        self._nominations.remove(entry.info.uid)
        self._snapshot.assume(entry.info, decision.node)
        choice = choose(self._snapshot, entry.info, decision.node)
        if choice is None:
            return functools.partial(self._bind, entry, decision.node)
        self._storage.assume(entry.info.uid, choice)
        return functools.partial(self._begin_storage, entry, choice)

    def _decide(self, pod: PodInfo) -> tuple[Decision, Preemption]:
        chance, nominated = self._entropy.uniform(0.0, 1.0), self._nominations.node(pod.uid)
        decision = decide(self._snapshot, pod, chance, nominated=nominated)
        if decision.node is not None:
            return decision, Preemption(None)
        budgets = self._budgets.cache.list()
        return decision, preempt.preempt(
            self._snapshot, pod, decision, nominated=nominated, budgets=budgets, chance=chance
        )

    async def _bind(self, entry: Entry, node_name: str) -> None:
        try:
            await writes.bind(self._client, entry.pod, node_name)
        except errors.ApiError as error:
            await self._refused(entry, f"binding rejected: {error}")
            return
        message = f"Successfully assigned {entry.info} to {node_name}"
        self._events.emit(Event(entry.pod, "Normal", "Scheduled", message))

    async def _begin_storage(self, entry: Entry, choice: Choice) -> None:
        """Beside the other writes: a volume may take long to be made."""
        self._bindings.start(self._bind_storage(entry, choice), f"volumes of {entry.info}")

    async def _bind_storage(self, entry: Entry, choice: Choice) -> None:
        try:
            await self._storage_writes.bind(choice)
        except (NotBoundError, errors.ApiError) as error:
            await self._refused(entry, f'running PreBind plugin "VolumeBinding": {error}')
        else:
            await self._bind(entry, choice.node)
        finally:
            self._storage.forget(entry.info.uid)

    async def _refused(self, entry: Entry, why: str) -> None:
        """A binding could not be made: try again, where the pod still wants a node."""
        if not self._snapshot.forget(entry.info.uid):
            return
        self._queue.wake((Change.POD_GONE,))
        current = self._pods.cache.get(entry.info.namespace, entry.info.name)
        if current is None or podinfo.identity(current) != entry.info.uid or not self._intake.wants_node(current):
            return
        entry.pod, entry.info = current, podinfo.of(current)
        await self._failed(entry, why)()

    def _rejected(self, entry: Entry, decision: Decision, preemption: Preemption) -> Job:
        self._queue.give_back(entry, explain.plugins(decision))
        message = explain.message(decision, preemption.why_not)
        if preemption.chosen is not None:
            self._nominations.put(entry.info, preemption.chosen.node)
            return functools.partial(self._make_room, entry, preemption.chosen, message)
        if preemption.why_not == preempt.UNDER_WAY:
            return self._telling(entry, UNSCHEDULABLE, message)
        self._nominations.remove(entry.info.uid)
        return self._telling(entry, UNSCHEDULABLE, message, nominated="")

    async def _make_room(self, entry: Entry, chosen: Candidate, message: str) -> None:
        """Take the victims away, and the hope of those of lower priority who wait for the same room."""
        for victim in chosen.victims:
            pod = self._pods.cache.get(victim.namespace, victim.name)
            if pod is None or podinfo.identity(pod) != victim.uid or objects.is_deleting(pod):
                continue
            await writes.evict(self._client, self._clock, pod, self._name)
            told = f"Preempted by pod {entry.info.uid} on node {chosen.node}"
            self._events.emit(Event(pod, "Normal", "Preempted", told))
        for loser in self._nominations.below(entry.info.priority, chosen.node):
            self._nominations.remove(loser.uid)
            await writes.unnominate(self._client, loser)
        await self._telling(entry, UNSCHEDULABLE, message, nominated=chosen.node)()

    def _failed(self, entry: Entry, message: str) -> Job:
        self._queue.give_back(entry, None)
        return self._telling(entry, SCHEDULER_ERROR, message)

    def _telling(self, entry: Entry, reason: str, message: str, nominated: str | None = None) -> Job:
        """Say why a pod has no node: in an event, and in its status."""
        self._events.emit(Event(entry.pod, "Warning", "FailedScheduling", explain.note(message)))
        return functools.partial(self._tell, entry, reason, message, nominated)

    async def _tell(self, entry: Entry, reason: str, message: str, nominated: str | None) -> None:
        if self._snapshot.pod(entry.info.uid) is None:  # else it got its node before its turn to be told came
            await writes.tell_waiting(self._client, self._clock, entry.pod, reason, message, nominated=nominated)
