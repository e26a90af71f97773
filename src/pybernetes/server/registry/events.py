"""Changes as watchers see them: what several watchers of the same change would all have to work out is kept here.

Rule: a revision names one change for ever, so nothing here can be out of date; the ``KEPT`` latest are held.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from pybernetes.meta.objects import Obj, evolve
from pybernetes.server.registry.decoded import Decoded
from pybernetes.storage import codec
from pybernetes.storage.port import Change

KEPT: Final = 1024
ADDED: Final = "ADDED"
MODIFIED: Final = "MODIFIED"
DELETED: Final = "DELETED"
BOOKMARK: Final = "BOOKMARK"
ERROR: Final = "ERROR"


class Event:
    """One change, with the objects on both sides of it decoded at most once, and frames made of it."""

    __slots__ = ("_before", "_decoded", "_past", "change", "frames")

    def __init__(self, change: Change, decoded: Decoded) -> None:
        self.change = change
        self.frames: dict[Hashable, bytes] = {}
        self._decoded = decoded
        self._before: Obj | None = None
        self._past: Obj | None = None

    @property
    def type(self) -> str:
        """What it is to one who sees everything."""
        if self.change.value is None:
            return DELETED
        return ADDED if self.change.created == self.change.revision else MODIFIED

    @property
    def now(self) -> Obj | None:
        """The object after the change; None where it is gone."""
        change = self.change
        return None if change.value is None else self._decoded.value(change.value, change.revision)

    @property
    def before(self) -> Obj | None:
        """The object before the change, for comparing; None where there was none."""
        change = self.change
        if change.previous is None or change.created == change.revision:
            return None
        if self._before is None:
            self._before = self._decoded.before(change.previous)
        return self._before

    @property
    def past(self) -> Obj:
        """The object as it was, at the revision of its end: what a DELETED event shows."""
        if self._past is None:
            before = self.before
            assert before is not None
            self._past = evolve(before, ("metadata", "resourceVersion"), str(self.change.revision))
        return self._past

    def shown(self, type_: str) -> Obj:
        """The object that an event of this type carries."""
        now = self.now
        return self.past if type_ == DELETED or now is None else now

    def json(self, type_: str) -> bytes:
        """That object's bytes, in the form in which it is stored."""
        change = self.change
        value = change.previous if type_ == DELETED or change.value is None else change.value
        assert value is not None
        return codec.splice(value, change.revision)


class Events:
    """The latest events by their revision."""

    def __init__(self, decoded: Decoded) -> None:
        self._decoded = decoded
        self._events: dict[int, Event] = {}

    def of(self, change: Change) -> Event:
        found = self._events.get(change.revision)
        if found is None:
            if len(self._events) >= KEPT:
                del self._events[next(iter(self._events))]
            found = self._events[change.revision] = Event(change, self._decoded)
        return found
