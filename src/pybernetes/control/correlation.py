"""Which events are told, and as what: repeats counted, similar ones combined, floods cut off. No I/O, no clock.

Rule 1: the same event again is the same Event object with a higher count.
Rule 2: from the tenth different message of one reason about one object within ten minutes on, all further ones are one
        Event that says so.
Rule 3: one source may tell 25 events about one object at once, and one more every five minutes.
(client-go/tools/record.EventCorrelator.) Neighbours: ``events.py`` writes what comes out.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from pybernetes.control.actions import Event
from pybernetes.meta import objects

SIMILAR_MAX: Final = 10
SIMILAR_SECONDS: Final = 600.0
BURST: Final = 25
REFILL_SECONDS: Final = 300.0
COMBINED: Final = "(combined from similar events): "
REMEMBERED: Final = 4096
SHIFT_MAX: Final = 1_000_000
"""Nanoseconds by which the names of different sources' events may be apart at most."""

V = TypeVar("V")


@dataclass(slots=True)
class Told:
    """One Event object: what is written of it."""

    name: str
    event: Event
    message: str
    first: float
    last: float
    count: int = 1
    is_new: bool = True


@dataclass(slots=True)
class _Similar:
    last: float
    messages: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class _Recent(Generic[V]):
    """A dict that forgets what was not asked for the longest."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: Hashable, value: V) -> V:
        self._entries[key] = value
        if len(self._entries) > REMEMBERED:
            self._entries.popitem(last=False)
        return value

    def drop(self, key: Hashable) -> None:
        self._entries.pop(key, None)


class Correlator:
    """For the events of one ``source``."""

    def __init__(self, source: str = "") -> None:
        self._told: _Recent[Told] = _Recent()
        self._similar: _Recent[_Similar] = _Recent()
        self._buckets: _Recent[_Bucket] = _Recent()
        self._stamp, self._shift = 0, zlib.crc32(source.encode()) % SHIFT_MAX

    def correlate(self, event: Event, now: float) -> tuple[Hashable, Told] | None:
        """What to write of an event, and the key of its Event object; None when it is one too many.

        ``now`` is Unix seconds. A later event of the same key answers the same ``Told``, counted up.
        """
        message, key = self._combined(event, now)
        told = self._told.get(key)
        if told is None:
            told = self._told.put(key, Told(self._name(event, now), event, message, now, now))
        else:
            told.count, told.last, told.message = told.count + 1, now, message
        return (key, told) if self._may_tell(_subject(event), now) else None

    def forget(self, key: Hashable) -> None:
        """The Event object is gone: the next one starts anew."""
        self._told.drop(key)

    def _name(self, event: Event, now: float) -> str:
        """``<object>.<nanoseconds in hex>``, never the same twice, even where a clock stands still; sources that tell
        of one object in one moment are apart by up to a millisecond."""
        self._stamp = max(round(now * 1e9) + self._shift, self._stamp + 1)
        return f"{objects.name(event.regarding)}.{self._stamp:x}"

    def _combined(self, event: Event, now: float) -> tuple[str, Hashable]:
        """The message and the key of the Event object to which an event belongs."""
        kind = (_subject(event), event.type, event.reason)
        similar = self._similar.get(kind)
        if similar is None or now - similar.last > SIMILAR_SECONDS:
            similar = self._similar.put(kind, _Similar(now))
        similar.last = now
        if event.message in similar.messages or len(similar.messages) < SIMILAR_MAX - 1:
            similar.messages.add(event.message)
            return event.message, (*kind, event.field_path, event.message)
        return COMBINED + event.message, kind

    def _may_tell(self, subject: Hashable, now: float) -> bool:
        bucket = self._buckets.get(subject) or self._buckets.put(subject, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) / REFILL_SECONDS)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _subject(event: Event) -> Hashable:
    obj = event.regarding
    return obj.get("kind", ""), objects.namespace(obj), objects.name(obj), objects.uid(obj), obj.get("apiVersion", "")
