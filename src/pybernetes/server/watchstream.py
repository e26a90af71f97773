"""watch: changes as they happen, encoded once for all who see the same.

Rule 1: without a revision, or with 0, a watch begins with everything there is as ADDED events; with one it begins right
        after it. What cannot be told any more is an ERROR event (410 Expired), and the client lists again.
Rule 2: with a selector an object that begins to match is ADDED and one that ceases to match is DELETED, as it was.
Rule 3: everything that has come since the last turn leaves in one piece: one write, or one batch of (type, object).
Rule 4: a bookmark tells a quiet watcher once a minute how far it is, if that has changed.
Neighbours: ``registry/events.py`` keeps what several watchers share, ``registry/frames.py`` makes bytes of it,
``storage/feed.py`` finds who watches what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from pybernetes.lib.clock import Timer
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import read, selection
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.encode import Stored
from pybernetes.server.registry.events import ADDED, BOOKMARK, DELETED, ERROR, MODIFIED, Event
from pybernetes.server.registry.frames import Frames, bookmark
from pybernetes.server.registry.selection import Selection
from pybernetes.storage import codec
from pybernetes.storage.feed import Subscription
from pybernetes.storage.port import Change, Compacted, FutureRevision

BOOKMARK_SECONDS: Final = 60.0
_SECONDS_MIN: Final = 1800.0
"""A watch that names no timeout ends after this long, or up to twice as long (min-request-timeout)."""
Told: TypeAlias = tuple[str, Event | Stored | Obj]
"""(type, what it is about): a change, a part of the initial state, or a bookmark or Status."""


async def watch(call: Call) -> Response:
    """The answer to a watch. Raises BadRequest and Invalid for what cannot be watched at all."""
    _check_options(call)
    frames = Frames.of(call)
    stream = WatchStream(call, selection.of(call))
    await stream.begin(read.revision_of(call))
    if call.request.in_process:
        return Response(events=_Objects(stream))
    return Response(content_type=frames.answer.stream_media, stream=_Bytes(stream, frames))


def _check_options(call: Call) -> None:
    """validation.ValidateListOptions for a watch."""
    param, path = call.request.param, "resourceVersionMatch"
    match, initial = param(path), bool(param("sendInitialEvents"))
    if match and not initial:
        wrong = errors.field_forbidden(path, f"{path} is forbidden for watch unless sendInitialEvents is provided")
    elif initial and match != "NotOlderThan":
        text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        wrong = errors.field_forbidden(path, text)
    else:
        return
    raise errors.invalid_object("meta.k8s.io", "ListOptions", "", [wrong])


class WatchStream:
    """What one watcher is told, in batches. ``close`` ends it from outside."""

    def __init__(self, call: Call, chosen: Selection) -> None:
        self._call, self._chosen = call, chosen
        exact = chosen.name if call.namespace or not call.row.namespaced else ""
        self._key = codec.key(call.row.group, call.row.plural, call.namespace, exact) if exact else ""
        self._changes: Subscription | None = None
        self._first: list[Told] = []
        self._told = 0
        self._bookmark_due = False
        self._timers: list[Timer] = []

    async def begin(self, revision: int) -> None:
        """Look at the initial state, if it is wanted, and follow from there. What fails here is told as an event."""
        cache, query = self._call.context.cache, self._call.request
        initial = query.param("sendInitialEvents")
        try:
            await cache.wait_for(revision)
            if query.flag("sendInitialEvents") or (not revision and not initial):
                records = read.selected(self._call, self._chosen)
                self._first = [(ADDED, Stored.of(record)) for record in records]
                revision = cache.revision
                if query.flag("sendInitialEvents"):
                    self._first.append((BOOKMARK, bookmark(self._call.kind, revision, initial_end=True)))
            revision = self._told = revision or cache.revision
            self._changes = cache.subscribe(self._key or self._call.prefix, revision)
        except Compacted as gone:
            self._first = [(ERROR, too_old(gone).status())]
        except FutureRevision as future:
            self._first = [(ERROR, read.too_large(future).status())]
        else:
            self._start_timers(self._changes)

    def _start_timers(self, changes: Subscription) -> None:
        context, request = self._call.context, self._call.request
        seconds: float = read.number(request.param("timeoutSeconds"), "timeoutSeconds")
        if not seconds and not request.in_process:
            seconds = context.entropy.uniform(_SECONDS_MIN, 2 * _SECONDS_MIN)
        if seconds:
            self._timers.append(context.clock.call_later(seconds, changes.close))
        if request.flag("allowWatchBookmarks"):
            self._timers.append(context.clock.call_later(BOOKMARK_SECONDS, self._tick))

    def _tick(self) -> None:
        """A minute is over."""
        changes = self._changes
        assert changes is not None
        self._timers[-1] = self._call.context.clock.call_later(BOOKMARK_SECONDS, self._tick)
        if changes.revision > self._told:
            self._bookmark_due = True
            changes.nudge()

    async def next(self) -> Sequence[Told]:
        """The next batch, never empty. Raises StopAsyncIteration at the end."""
        if self._first:
            batch, self._first = self._first, []
            return batch
        if self._changes is None:
            raise StopAsyncIteration
        while True:
            try:
                changes = await anext(self._changes)
            except Compacted as gone:
                self.close()
                self._changes = None
                return [(ERROR, too_old(gone).status())]
            told = self._tell(changes)
            if self._bookmark_due:
                told.append(self._bookmark(self._changes.revision))
            if told:
                return told

    def _tell(self, changes: Sequence[Change]) -> list[Told]:
        events, key = self._call.context.events, self._key
        found = [events.of(change) for change in changes if not key or change.key == key]
        if not self._chosen:
            return [(event.type, event) for event in found]
        return [(type_, event) for event in found if (type_ := self._seen_as(event))]

    def _seen_as(self, event: Event) -> str:
        """The type that a change has to one who sees only what is selected; empty where it does not see it."""
        now, before = event.now, event.before
        matches = now is not None and self._chosen.matches(now)
        matched = before is not None and self._chosen.matches(before)
        if matches:
            return MODIFIED if matched else ADDED
        return DELETED if matched else ""

    def _bookmark(self, revision: int) -> Told:
        self._bookmark_due, self._told = False, revision
        return BOOKMARK, bookmark(self._call.kind, revision, initial_end=False)

    def object(self, type_: str, what: Event | Stored | Obj) -> Obj:
        """What an in-process watcher gets of it."""
        if isinstance(what, Event):
            return self._call.asked_form(what.shown(type_))
        if isinstance(what, Stored):
            return self._call.asked_form(self._call.context.decoded.value(what.value, what.revision))
        return what

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._changes is not None:
            self._changes.close()


class _Bytes:
    """The stream over HTTP: a batch is one piece."""

    def __init__(self, stream: WatchStream, frames: Frames) -> None:
        self._stream, self._frames = stream, frames

    def __aiter__(self) -> _Bytes:
        return self

    async def __anext__(self) -> bytes:
        return b"".join([self._frame(type_, what) for type_, what in await self._stream.next()])

    def _frame(self, type_: str, what: Event | Stored | Obj) -> bytes:
        if isinstance(what, Event):
            return self._frames.event(what, type_)
        return self._frames.stored(type_, what) if isinstance(what, Stored) else self._frames.object(type_, what)

    async def aclose(self) -> None:
        self._stream.close()


class _Objects:
    """The stream in process: batches of (type, object)."""

    def __init__(self, stream: WatchStream) -> None:
        self._stream = stream

    def __aiter__(self) -> _Objects:
        return self

    async def __anext__(self) -> Sequence[tuple[str, Obj]]:
        return [(type_, self._stream.object(type_, what)) for type_, what in await self._stream.next()]

    async def aclose(self) -> None:
        self._stream.close()


def too_old(gone: Compacted) -> errors.Expired:
    return errors.Expired(f"too old resource version: {gone.revision} ({gone.oldest})")
