"""The store as the server sees it: six verbs over (key, bytes, revision). Everything else is derived.

Rule 1: one revision counter for the whole store; every write and delete takes the next one (etcd's mod revision).
Rule 2: a value is opaque bytes and never holds its own revision; ``storage/codec.py`` splices it in on reading.
Rule 3: ``write`` and ``delete`` return when the change is durable, and a watcher sees a change no earlier.
Rule 4: history after ``compact(revision)`` is gone: reading or watching from before it raises ``Compacted``.
Keys are ``/registry/<group or core>/<plural>/<namespace or nothing>/<name>``; see ``storage/codec.py``.
Adapters: ``memory``, ``sqlite/`` and later ``etcd/``; ``tests/suites/store.py`` holds what each must do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

ABSENT: Final = 0
"""As ``expect``: the key must not exist."""


@dataclass(frozen=True, slots=True)
class Record:
    key: str
    value: bytes
    revision: int
    """Revision of the last change of this key."""
    created: int
    """Revision at which this key was created."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records in key order, as of ``revision``; ``remaining`` counts those after the page."""

    records: Sequence[Record]
    revision: int
    remaining: int


@dataclass(frozen=True, slots=True)
class Change:
    """One step of history. ``value`` is None for a deletion; ``previous`` is the value before, if there was one."""

    key: str
    revision: int
    created: int
    value: bytes | None
    previous: bytes | None


class StoreError(Exception):
    """A store's refusal."""


class Mismatch(StoreError):
    """``expect`` did not hold; ``actual`` is the record that is there now, or None."""

    def __init__(self, key: str, actual: Record | None) -> None:
        super().__init__(f"{key}: expected another revision than {actual.revision if actual else 'absent'}")
        self.key, self.actual = key, actual


class Compacted(StoreError):
    """The asked revision is older than the retained history, which begins after ``oldest``."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"revision {revision} is compacted; the oldest one kept is {oldest}")
        self.revision, self.oldest = revision, oldest


class FutureRevision(StoreError):
    """The asked revision has not happened yet."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is in the future; the current one is {current}")
        self.revision, self.current = revision, current


class Corrupt(StoreError):
    """The data on disk cannot be read; the message names the file and the remedy."""


class InUse(StoreError):
    """The data on disk belongs to another process that is running."""


class WriteFailed(StoreError):
    """The change could not be made durable and has not happened; the message names the file and the cause."""


class Store(Protocol):
    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        """The record at ``revision`` (0: now)."""
        ...

    async def list(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        """Records whose key starts with ``prefix`` and sorts after ``after``; at most ``limit`` (0: all)."""
        ...

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        """Set ``key``; the new revision. ``expect``: ABSENT, a revision, or None for whatever is there.

        Raises Mismatch, having changed nothing, when ``expect`` does not hold.
        """
        ...

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        """Remove ``key``; the deletion's revision. Raises Mismatch (actual None when it is not there)."""
        ...

    def watch(self, prefix: str, *, after: int) -> AsyncIterator[Sequence[Change]]:
        """All changes with a revision greater than ``after``, in order, in batches, for ever.

        Raises Compacted when history no longer reaches back that far, also in mid-stream for a slow reader.
        """
        ...

    async def compact(self, revision: int) -> None:
        """Forget history up to and including ``revision``; current values stay."""
        ...

    @property
    def revision(self) -> int:
        """The revision of the last durable change."""
        ...

    async def close(self) -> None: ...
