"""Pods that wait for a node: by priority, with back-off, woken by what can help them.

Theory of operation. A pod is in one of three places. Active: to be tried, highest priority first, then longest waiting.
Backing off: tried in vain, to be tried again after 1, 2, 4, 8, then 10 seconds (KEP-4247, pkg/scheduler/backend/queue).
Waiting: no node fits; it leaves when something happens that may help one of the plugins that rejected it, or after five
minutes, whichever comes first, and backs off for what is left of its time.
One timer stands for the next that is due; a queue in which nobody waits costs nothing.
Neighbours: ``scheduler.py`` pops and puts back, ``changes.py`` and ``plugins/table.py`` say what helps.
"""

from __future__ import annotations

import enum
import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from pybernetes.lib.clock import Clock, Timer
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import changes, podinfo
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.plugins.table import PLUGINS
from pybernetes.scheduler.podinfo import PodInfo

BACKOFF_SECONDS_INITIAL: Final = 1.0
BACKOFF_SECONDS_MAX: Final = 10.0
WAITING_SECONDS_MAX: Final = 300.0

_NO_NODES: Final = ""
"""Stands for a plugin where there is no node that one could reject."""
_HELPED_BY: Final = {
    change: frozenset(plugin.name for plugin in PLUGINS if change in plugin.helped_by) for change in Change
} | {Change.NODE_ADDED: frozenset((_NO_NODES, *(plugin.name for plugin in PLUGINS)))}


class Place(enum.Enum):
    ACTIVE = enum.auto()
    BACKING_OFF = enum.auto()
    WAITING = enum.auto()
    AWAY = enum.auto()
    """Popped, or removed."""


@dataclass(slots=True, eq=False)
class Entry:
    """A pod in the queue, and its history there."""

    pod: Obj
    info: PodInfo
    since: float
    """Monotonic seconds of its arrival, or of its last try: the longest waiting goes first."""
    attempts: int = 0
    tried: float = 0.0
    rejected_by: frozenset[str] = frozenset()
    place: Place = Place.AWAY
    ticket: int = field(default=0)
    """Of its latest place in a heap; older ones there are void."""

    def backs_off_until(self) -> float:
        if not self.attempts:
            return self.tried
        return self.tried + min(BACKOFF_SECONDS_INITIAL * 2.0 ** (self.attempts - 1), BACKOFF_SECONDS_MAX)


class Queue:
    """``on_active`` is called whenever there may be something to pop."""

    def __init__(self, clock: Clock, on_active: Callable[[], object]) -> None:
        self._clock, self._on_active = clock, on_active
        self._entries: dict[str, Entry] = {}
        self._active: list[tuple[int, float, int, Entry]] = []
        self._backing_off: list[tuple[float, int, Entry]] = []
        self._waiting: dict[str, Entry] = {}
        """Longest waiting first."""
        self._waiting_for: dict[str, dict[str, Entry]] = {}
        """The same by plugin that rejected them, so that what helps few does not cost looking at all."""
        self._tickets = itertools.count(1)
        self._timer: Timer | None = None
        self._due = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, pod: Obj) -> None:
        """A pod wants a node, or one that does has changed."""
        entry = self._entries.get(podinfo.identity(pod))
        if entry is None:
            self._activate(Entry(pod, podinfo.of(pod), self._clock.monotonic()))
            return
        matters = changes.matters(entry.pod, pod)
        entry.pod = pod
        if not matters:
            return
        entry.info = podinfo.of(pod)
        if entry.place is Place.ACTIVE:
            self._activate(entry)
        elif entry.place is Place.WAITING:
            self._try_again(entry)

    def remove(self, uid: str) -> None:
        """A pod wants no node any more."""
        entry = self._entries.pop(uid, None)
        if entry is not None:
            entry.place = Place.AWAY
            self._wait_no_more(entry)

    def pop(self) -> Entry | None:
        """The next pod to try. It is out of the queue until ``give_back``."""
        while self._active:
            *_, ticket, entry = heapq.heappop(self._active)
            if entry.ticket == ticket and entry.place is Place.ACTIVE:
                del self._entries[entry.info.uid]
                entry.place = Place.AWAY
                entry.attempts += 1
                entry.tried = self._clock.monotonic()
                return entry
        return None

    def give_back(self, entry: Entry, rejected_by: frozenset[str] | None) -> None:
        """A try was in vain: the plugins that rejected it (empty: there are no nodes), or None for an error, which time
        heals. A pod that was put again meanwhile stays as it was put."""
        uid = entry.info.uid
        if uid in self._entries:
            return
        self._entries[uid] = entry
        entry.since = entry.tried = self._clock.monotonic()
        if rejected_by is None:
            self._back_off(entry)
            return
        entry.rejected_by, entry.place = rejected_by or frozenset({_NO_NODES}), Place.WAITING
        self._waiting[uid] = entry
        for plugin in entry.rejected_by:
            self._waiting_for.setdefault(plugin, {})[uid] = entry
        self._schedule(entry.tried + WAITING_SECONDS_MAX)

    def wake(self, happened: Iterable[Change], only: Callable[[PodInfo], bool] | None = None) -> None:
        """Try those again whom any of the changes may help; ``only`` narrows who that may be."""
        plugins = {plugin for change in happened for plugin in _HELPED_BY[change]}
        helped = {uid: entry for plugin in plugins for uid, entry in self._waiting_for.get(plugin, {}).items()}
        for entry in helped.values():
            if only is None or only(entry.info):
                self._try_again(entry)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ── places ───────────────────────────────────────────────────────────────────────────────────────────

    def _try_again(self, entry: Entry) -> None:
        self._wait_no_more(entry)
        if entry.backs_off_until() > self._clock.monotonic():
            self._back_off(entry)
        else:
            self._activate(entry)

    def _wait_no_more(self, entry: Entry) -> None:
        if self._waiting.pop(entry.info.uid, None) is None:
            return
        for plugin in entry.rejected_by:
            others = self._waiting_for[plugin]
            del others[entry.info.uid]
            if not others:
                del self._waiting_for[plugin]

    def _activate(self, entry: Entry) -> None:
        self._entries[entry.info.uid] = entry
        entry.place, entry.ticket = Place.ACTIVE, next(self._tickets)
        heapq.heappush(self._active, (-entry.info.priority, entry.since, entry.ticket, entry))
        self._on_active()

    def _back_off(self, entry: Entry) -> None:
        until = entry.backs_off_until()
        entry.place, entry.ticket = Place.BACKING_OFF, next(self._tickets)
        heapq.heappush(self._backing_off, (until, entry.ticket, entry))
        self._schedule(until)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────

    def _schedule(self, due: float) -> None:
        """Have the timer ring at ``due`` at the latest."""
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._clock.call_later(due - self._clock.monotonic(), self._ring)

    def _ring(self) -> None:
        """Move on whoever is due, and wait for the next."""
        self._timer = None
        now = self._clock.monotonic()
        while self._backing_off and self._backing_off[0][0] <= now:
            _, ticket, entry = heapq.heappop(self._backing_off)
            if entry.ticket == ticket and entry.place is Place.BACKING_OFF:
                self._activate(entry)
        for entry in list(itertools.takewhile(lambda e: e.tried + WAITING_SECONDS_MAX <= now, self._waiting.values())):
            self._try_again(entry)
        due = [self._backing_off[0][0]] if self._backing_off else []
        due += [next(iter(self._waiting.values())).tried + WAITING_SECONDS_MAX] if self._waiting else []
        if due:
            self._schedule(min(due))
