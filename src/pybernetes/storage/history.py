"""The recent past: the steps by which the present came about, bounded in number, bytes and age.

It answers watches that resume, lists that continue at an earlier revision, and compare-and-swap errors.
What falls out of it at the far end is compacted; a durable store then forgets the rows behind those steps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pybernetes.storage.port import Change, Record

_MARK_SECONDS = 15.0


@dataclass(slots=True)
class Step:
    """A change with the records on both sides of it."""

    change: Change
    before: Record | None
    after: Record | None


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the past is kept; whichever bound is met first."""

    changes: int = 100_000
    bytes: int = 32 << 20
    """Of superseded values, which only the history keeps in memory."""
    seconds: float = 3600.0


def put(key: str, value: bytes, before: Record | None, revision: int) -> Step:
    """The step that sets ``key``."""
    created = before.created if before else revision
    after = Record(key, value, revision, created)
    return Step(Change(key, revision, created, value, before.value if before else None), before, after)


def remove(before: Record, revision: int) -> Step:
    """The step that deletes a record."""
    return Step(Change(before.key, revision, before.created, None, before.value), before, None)


class History:
    """Steps in order of their revision; ``oldest`` is the revision after which they begin."""

    def __init__(self, retention: Retention, oldest: int = 0) -> None:
        self.oldest = oldest
        self._retention = retention
        self._steps: list[Step] = []
        self._start = 0
        self._bytes = 0
        self._marks: deque[tuple[float, int]] = deque()

    def __len__(self) -> int:
        return len(self._steps) - self._start

    def extend(self, steps: Iterable[Step], now: float) -> None:
        """Append what just happened. ``now`` is in monotonic seconds."""
        for step in steps:
            self._steps.append(step)
            if step.before is not None:
                self._bytes += len(step.before.value)
        if len(self) and (not self._marks or now - self._marks[-1][0] >= _MARK_SECONDS):
            self._marks.append((now, self._steps[-1].change.revision))

    def since(self, revision: int) -> Sequence[Step]:
        """Steps after ``revision``, which must not be older than ``oldest``."""
        return self._steps[self._position(revision) :]

    def before(self, revision: int, prefix: str) -> dict[str, Record | None]:
        """Keys under ``prefix`` changed after ``revision``, with what each was at ``revision``."""
        was: dict[str, Record | None] = {}
        for step in self.since(revision):
            if step.change.key.startswith(prefix):
                was.setdefault(step.change.key, step.before)
        return was

    def excess(self, now: float) -> int:
        """The revision up to which the bounds ask to forget; ``oldest`` when nothing needs to go."""
        position, held = max(self._start, len(self._steps) - self._retention.changes), self._bytes
        for step in self._steps[self._start : position]:
            held -= len(step.before.value) if step.before else 0
        while held > self._retention.bytes:
            before = self._steps[position].before
            held -= len(before.value) if before else 0
            position += 1
        revision = self._steps[position - 1].change.revision if position > self._start else self.oldest
        while self._marks and self._marks[0][0] < now - self._retention.seconds:
            revision = max(revision, self._marks.popleft()[1])
        return revision

    def forget(self, revision: int) -> Sequence[Step]:
        """Drop the steps up to and including ``revision`` and hand them over."""
        end = self._position(revision)
        gone = self._steps[self._start : end]
        self._bytes -= sum(len(step.before.value) for step in gone if step.before)
        self._start, self.oldest = end, max(self.oldest, revision)
        if self._start > len(self._steps) // 2:
            del self._steps[: self._start]
            self._start = 0
        return gone

    def _position(self, revision: int) -> int:
        return bisect_right(self._steps, revision, lo=self._start, key=lambda step: step.change.revision)
