"""Gives pods their nodes: the only writer of ``pods/binding``.

Theory of operation. Informers of pods and nodes feed the snapshot (what is placed) and the queue (what waits). The loop
pops pods in order of priority and decides each on the snapshot; the winner is assumed there at once and bound while the
next is decided. A pod that no node fits waits in the queue for a change that can help, and its condition and an event
say why. What the server refuses is taken back and tried again, unless somebody else has placed or deleted the pod.
Neighbours: ``intake.py`` takes changes in, ``decide.py`` and ``explain.py`` decide, ``writes.py`` performs.
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
from pybernetes.meta import errors
from pybernetes.scheduler import explain, podinfo, writes
from pybernetes.scheduler.decide import Decision, decide
from pybernetes.scheduler.intake import Intake
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.queue import Entry, Queue
from pybernetes.scheduler.snapshot import Snapshot
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
        self._client, self._clock, self._entropy = client, clock, entropy
        self._nodes, self._pods = manager.informer("nodes"), manager.informer("pods")
        self._events = events or Recorder(client, clock, name)
        self._active = asyncio.Event()
        self._snapshot, self._queue, self._writes = Snapshot(), Queue(clock, self._active.set), Writes()
        self._intake = Intake(self._snapshot, self._queue, name)
        self._stopping = False

    async def run(self) -> None:
        """Work until ``stop``."""
        unsubscribe = (self._nodes.subscribe(self._intake.nodes), self._pods.subscribe(self._intake.pods))
        await asyncio.gather(self._nodes.synced(), self._pods.synced())
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
            decision = decide(self._snapshot, entry.info, self._entropy.uniform(0.0, 1.0))
        except Exception as error:  # a fault of ours over one pod must not end scheduling for all
            _log.error("no decision about a pod", error, pod=entry.info)
            return self._failed(entry, f"running the scheduler's plugins: {error}")
        if decision.node is None:
            return self._rejected(entry, decision)
        self._snapshot.assume(entry.info, decision.node)
        return functools.partial(self._bind, entry, decision.node)

    async def _bind(self, entry: Entry, node_name: str) -> None:
        try:
            await writes.bind(self._client, entry.pod, node_name)
        except errors.ApiError as error:
            await self._refused(entry, error)
            return
        message = f"Successfully assigned {entry.info} to {node_name}"
        self._events.emit(Event(entry.pod, "Normal", "Scheduled", message))

    async def _refused(self, entry: Entry, error: errors.ApiError) -> None:
        """The server did not take a binding: try again, where the pod still wants a node."""
        if not self._snapshot.forget(entry.info.uid):
            return
        self._queue.wake((Change.POD_GONE,))
        current = self._pods.cache.get(entry.info.namespace, entry.info.name)
        if current is None or podinfo.identity(current) != entry.info.uid or not self._intake.wants_node(current):
            return
        entry.pod = current
        await self._failed(entry, f"binding rejected: {error}")()

    def _rejected(self, entry: Entry, decision: Decision) -> Job:
        self._queue.give_back(entry, explain.plugins(decision))
        return self._telling(entry, UNSCHEDULABLE, explain.message(decision, entry.info))

    def _failed(self, entry: Entry, message: str) -> Job:
        self._queue.give_back(entry, None)
        return self._telling(entry, SCHEDULER_ERROR, message)

    def _telling(self, entry: Entry, reason: str, message: str) -> Job:
        """Say why a pod has no node: in an event, and in its condition."""
        self._events.emit(Event(entry.pod, "Warning", "FailedScheduling", explain.note(message)))
        return functools.partial(writes.tell_condition, self._client, self._clock, entry.pod, reason, message)
