"""Tells events: what happened, as core/v1 Events beside the object that they are about.

Rule 1: telling never blocks and never fails what it tells of: a queue of a thousand; what comes on top is lost.
Rule 2: repeats within one turn are written once.
Rule 3: while the server is away an event waits; one that it refuses is dropped.
Neighbours: ``correlation.py`` decides what is told; ``perform.py`` and the components emit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.control.actions import Event
from pybernetes.control.correlation import Correlator, Told
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj

QUEUE_MAX: Final = 1000
TOGETHER: Final = 32
TRIES: Final = 12
AGAIN_SECONDS: Final = 1.0

_log = log.Log("control.events")


class Recorder:
    """The voice of one component on one host."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client, self._clock = client, clock
        self._component, self._host = component, host
        self._waiting: deque[Event] = deque()
        self._correlator = Correlator(f"{component}/{host}")
        self._writing = False
        self._tasks = Tasks()

    def emit(self, event: Event) -> None:
        """Tell of something; it is written later."""
        if len(self._waiting) >= QUEUE_MAX:
            _log.debug("too many events at once; one is lost", reason=event.reason)
            return
        self._waiting.append(event)
        if not self._writing:  # a task that has written its last still counts as one for a moment
            self._writing = True
            self._tasks.start(self._drain(), f"events of {self._component}")

    async def stop(self) -> None:
        """What was not written yet is lost."""
        await self._tasks.stop()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                writes: dict[Hashable, Told] = {}
                for _ in range(min(len(self._waiting), TOGETHER)):
                    found = self._correlator.correlate(self._waiting.popleft(), self._clock.time())
                    if found is not None:
                        writes[found[0]] = found[1]
                await asyncio.gather(*(self._write(key, told) for key, told in writes.items()))
        finally:
            self._writing = False

    async def _write(self, key: Hashable, told: Told) -> None:
        for _ in range(TRIES):
            try:
                return await self._tell(told)
            except errors.ServiceUnavailable:
                await self._clock.sleep(AGAIN_SECONDS)
            except errors.ApiError as error:
                self._correlator.forget(key)
                return _log.debug("an event was refused", event=told.event.reason, reason=error.message)
        return _log.debug("the server was away too long; an event is lost", event=told.event.reason)

    async def _tell(self, told: Told) -> None:
        if not told.is_new:
            change = {"count": told.count, "lastTimestamp": times.render(told.last), "message": told.message}
            try:
                await self._client.patch(
                    "events", told.name, change, kind="strategic", namespace=_namespace(told.event.regarding)
                )
                return
            except errors.NotFound:
                told.count, told.first = 1, told.last
        await self._client.create("events", self._event(told))
        told.is_new = False

    def _event(self, told: Told) -> Obj:
        regarding = told.event.regarding
        source = {"component": self._component} | ({"host": self._host} if self._host else {})
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": told.name, "namespace": _namespace(regarding)},
            "involvedObject": reference(regarding, told.event.field_path),
            "reason": told.event.reason,
            "message": told.message,
            "source": source,
            "firstTimestamp": times.render(told.first),
            "lastTimestamp": times.render(told.last),
            "count": told.count,
            "type": told.event.type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }


def reference(obj: Obj, field_path: str = "") -> Obj:
    """A core/v1 ObjectReference to an object, or to a part of it."""
    metadata = objects.meta(obj)
    made = {
        "kind": obj.get("kind"), "namespace": metadata.get("namespace"), "name": metadata.get("name"),
        "uid": metadata.get("uid"), "apiVersion": obj.get("apiVersion"),
        "resourceVersion": metadata.get("resourceVersion"), "fieldPath": field_path,
    }  # fmt: skip
    return {key: value for key, value in made.items() if value}


def _namespace(regarding: Obj) -> str:
    """Events about cluster-wide objects live in ``default``."""
    return objects.namespace(regarding) or "default"
