"""One pod's worker: look, plan, tell, perform, until there is nothing to do; then sleep until something wakes it.

What wakes it: the API has changed the pod, the runtime has ended something, a pull, a hook or a stop is done, a probe
has proven something, an object that the pod refers to has changed, or a time that the plan named has come. Nothing is
asked for in vain in between.
Neighbours: ``podplan.py`` decides, ``podperform.py`` does, ``podobserver.py`` looks, ``podreport.py`` tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from pybernetes.lib.clock import Timer
from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import nodestatus, poddirs, podevents, podplan, podspec, podstatus, resize, static
from pybernetes.node.podactions import Observed
from pybernetes.node.podevents import Voice
from pybernetes.node.podnotes import Notes, Room
from pybernetes.node.podobserver import Observer
from pybernetes.node.podperform import TRY_AGAIN, Performer
from pybernetes.node.podreport import Reporter
from pybernetes.node.podstarts import CONFIG_ERROR
from pybernetes.node.probes.prober import Probers
from pybernetes.node.volumes import table
from pybernetes.node.volumes.material import VolumeError
from pybernetes.node.workshop import Workshop

_log = Log("node.podworker")
_ROUNDS_MAX: Final = 64
"""Plans in a row without a pause; a pod that needs more is in a loop that a pause cannot make worse."""
_PAUSE_SECONDS: Final = 1.0
_PAUSE_SECONDS_MAX: Final = 30.0
_END_SHOWS_SECONDS: Final = 0.03
_END_LOOKS_MAX: Final = 30


class Worker:
    """``ended`` is called once, when the pod is forgotten."""

    def __init__(self, shop: Workshop, pod: Obj, ended: Callable[[Worker], None], *, gone: bool = False) -> None:
        self.pod = pod
        self.uid = objects.uid(pod)
        self.notes = Notes(started_at=shop.clock.time(), gone=gone)
        self.observed = Observed()
        self._shop, self._ended = shop, ended
        self._tasks = Tasks()
        self._mirror: Obj | None = None
        self._is_static = static.is_static(pod)
        self._reporter = Reporter(shop.client, shop.clock, self._tasks, self._in_api, self._adopt)
        dirs = poddirs.of(shop.config, pod)
        self._observer = Observer(shop.runtime, self.uid, dirs)
        self._performer = Performer(shop, dirs, self.notes, self._tasks, wake=self.wake, report=self._report_last)
        self._probers = Probers(shop, self.notes, lambda: self.pod, self.wake)
        self._woken = asyncio.Event()
        self._woken.set()
        self._timer: Timer | None = None
        self._said: Obj | None = None
        self._ends: dict[str, int] = {}
        self._stale = False
        self._resting = False
        self._pause = _PAUSE_SECONDS

    # ── what others tell it ──────────────────────────────────────────────────────────────────────────────

    def offer(self, pod: Obj) -> None:
        """The API has this pod now; an older state than the one known is no news."""
        if objects.resource_version(pod) <= objects.resource_version(self.pod):
            return
        before, self.pod = self.pod, pod
        if any(read(before) != read(pod) for read in (objects.labels, objects.annotations)):
            self._stale = True
        self.wake()

    def mirrored(self, mirror: Obj | None) -> None:
        """The API shows this static pod by ``mirror`` now, or not at all."""
        self._mirror = mirror
        self.pod = {**self.pod, "status": (mirror or {}).get("status") or {}}
        self.wake()

    def end(self, reason: str, message: str, event: str = "") -> None:
        """End the pod for good: the node has no room for it. ``event`` says so where it is to say something else."""
        if self.notes.ended is None:
            self.notes.ended = reason, message
            Voice(self._shop.recorder, self.pod).say("Warning", reason, event or message)
            self.wake()

    def lost(self) -> None:
        """The API no longer has the pod."""
        self.notes.gone = True
        self.wake()

    def references_changed(self) -> None:
        """An object that the pod refers to has changed: what waited for it may be tried at once."""
        self._stale = True
        if self.notes.step is not None and self.notes.step.reason == "FailedMount":
            self.notes.step = None
        for name in [n for n, failure in self.notes.starts.items() if failure.reason == CONFIG_ERROR]:
            del self.notes.starts[name]
        self.wake()

    def process_ended(self, id: str) -> bool:
        """The runtime tells the end of a container or sandbox; False where it is not this pod's."""
        known = {c.id for c in self.observed.containers} | {s.id for s in self.observed.sandboxes}
        mine = id in known or id in self._performer.created
        if mine:
            self._ends[id] = _END_LOOKS_MAX
            self.wake()
        return mine

    def wake(self) -> None:
        self._woken.set()

    def is_at_rest(self) -> bool:
        """Whether it waits for something to wake it, with nothing under way."""
        return self._resting and not self._woken.is_set() and not len(self._tasks)

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Until the pod is forgotten, or cancelled: then the pod goes on running without a worker."""
        try:
            while not self._performer.forgotten:
                self._resting = True
                await self._woken.wait()
                self._resting = False
                self._woken.clear()
                try:
                    await self._round()
                    self._pause = _PAUSE_SECONDS
                except TRY_AGAIN as error:
                    if self._pause == _PAUSE_SECONDS:
                        _log.warning("a pod waits", pod=podspec.reference(self.pod), why=error)
                    self._alarm(self._shop.clock.time() + self._pause)
                    self._pause = min(self._pause * 2, _PAUSE_SECONDS_MAX)
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await self._probers.stop()
            await self._tasks.stop()
        self._ended(self)

    async def _round(self) -> None:
        for _ in range(_ROUNDS_MAX):
            await self._look()
            now = self._shop.clock.time()
            planned = podplan.plan(self.pod, self.observed, self.notes, now)
            self._tell(now)
            more = await self._performer.perform(self.pod, planned.actions, self.observed)
            if self._performer.forgotten:
                return
            if not more:
                await self._refresh(now)
                self._alarm(planned.wake_at)
                return
        _log.warning("a pod does not come to rest", pod=podspec.reference(self.pod))
        self._alarm(self._shop.clock.time() + _PAUSE_SECONDS)

    async def _look(self) -> None:
        created = frozenset(self._performer.created)
        self.observed = await self._observer.observe()
        self._performer.created -= created
        self.notes.keep_only({c.id for c in self.observed.containers})
        self.notes.room = self._room()
        self._probers.keep(self.observed, ending=self.notes.gone or objects.is_deleting(self.pod))

    def _room(self) -> Room | None:
        """What the node has for this pod, where that is in question."""
        if not resize.changing(self.pod, self.observed, self.notes):
            return None
        allocatable = nodestatus.allocatable(self._shop.config, self._shop.machine)
        return resize.room_for(self.pod, self._shop.pods(), allocatable)

    def _tell(self, now: float) -> None:
        """What is new to say of the pod: its status to the API, and the events that go with it."""
        if self.notes.gone:
            return
        status = self._status(now)
        before = self._said if self._said is not None else self.pod.get("status") or {}
        for container, kind, reason, message in podevents.of_change(self.pod, before, status):
            Voice(self._shop.recorder, self.pod, container).say(kind, reason, message)
        self._said = status
        self._reporter.tell(status)

    def _status(self, now: float) -> Obj:
        return podstatus.status(self.pod, self.observed, self.notes, now, (self._shop.config.ip,))

    async def _report_last(self) -> None:
        await self._reporter.tell_now(self._status(self._shop.clock.time()))

    def _adopt(self, pod: Obj) -> None:
        """The API's answer to our own patch."""
        if self._is_static:
            self.mirrored(pod)
        elif objects.resource_version(pod) > objects.resource_version(self.pod):
            self.pod = pod

    def _in_api(self) -> Obj | None:
        """The object whose status tells of this pod, where there is one."""
        return self._mirror if self._is_static else self.pod

    async def _refresh(self, now: float) -> None:
        """Bring files that are made from objects up to date, where one of them has changed or a token grows old."""
        renew_at = self._renew_at()
        if not self._has_volumes() or not (self._stale or (renew_at is not None and renew_at <= now)):
            return
        self._stale = False
        try:
            await table.refresh(await self._performer.setting(self.pod))
        except VolumeError as error:
            Voice(self._shop.recorder, self.pod).say("Warning", "FailedMount", str(error))

    def _has_volumes(self) -> bool:
        return self.notes.prepared and not self.notes.cleaned and not self.notes.gone

    def _renew_at(self) -> float | None:
        """When a token in one of the volumes grows old."""
        return self._shop.tokens.renew_at(self.uid) if self._has_volumes() else None

    def _alarm(self, at: float | None) -> None:
        """Wake again at a time of the plan's, when a token grows old, or when an end that was told should show."""
        if self._timer is not None:
            self._timer.cancel()
        now = self._shop.clock.time()
        times = [t for t in (at, self._renew_at(), self._end_shows(now)) if t is not None]
        self._timer = self._shop.clock.call_later(min(times) - now, self.wake) if times else None

    def _end_shows(self, now: float) -> float | None:
        """The runtime's events may run ahead of its answers by some milliseconds."""
        live = {c.id for c in self.observed.live()} | {s.id for s in self.observed.sandboxes if s.ready}
        self._ends = {id: left - 1 for id, left in self._ends.items() if id in live and left > 0}
        return now + _END_SHOWS_SECONDS if self._ends else None
