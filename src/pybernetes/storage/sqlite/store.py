"""The default store: durable on one machine, with all live objects in memory.

Rule 1: a revision is assigned on the event loop, judged against what is on its way to the disk; it is published
        and acknowledged only when it is durable. ``view`` never shows anything else.
Rule 2: writes form groups by themselves: what arrives while the thread is at the disk goes there together next.
Rule 3: when a group fails, it and everything judged upon it has not happened, and each writer is told.
Neighbours: ``log.py`` is the file, ``writer.py`` the thread, ``load.py`` the start.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.storage import history
from pybernetes.storage.history import Retention, Step
from pybernetes.storage.port import Mismatch, Record, StoreError, WriteFailed
from pybernetes.storage.sqlite.load import forgotten, load
from pybernetes.storage.sqlite.log import Log, Row, explained, open_log
from pybernetes.storage.sqlite.writer import Writer
from pybernetes.storage.view import View
from pybernetes.storage.viewed import Viewed, judge_delete, judge_write

if TYPE_CHECKING:
    from pybernetes.storage.encrypted.sealing import Sealing

_log: Final = logging.getLogger(__name__)
_ERASE_ROWS: Final = 1000
"""Erased at once: a few milliseconds, so that no group of writes waits long behind it."""
_GROUP_CHANGES: Final = 2000
"""At most this many changes in a group."""

Waiting: TypeAlias = tuple[Step | None, "asyncio.Future[None]"]
"""A step and who waits for it to be durable; no step for who waits for all before it."""


class SqliteStore(Viewed):
    """Opens ``path`` at once; ``sealing`` is for its values. Raises Corrupt, InUse or StoreError, with a remedy."""

    def __init__(
        self, path: Path, clock: Clock | None = None, retention: Retention | None = None,
        sealing: Sealing | None = None,
    ) -> None:  # fmt: skip
        super().__init__(View(clock or SystemClock(), retention))
        self.path = path
        self._log = open_log(path) if sealing is None else _sealed(path, sealing)
        self._garbage = load(path, self._log, self.view)
        """Revisions of rows to erase."""
        self._writer = Writer(f"sqlite {path.name}")
        self._assigned = self.view.revision
        self._ahead: dict[str, Step] = {}
        """The newest step of each key that is on its way to the disk."""
        self._queue: list[Waiting] = []
        self._busy = self._erased_last = self._sweeping = self._closed = False
        self._idle: list[asyncio.Future[None]] = []

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        current = self._current(key)
        try:
            judge_write(key, current, expect)
        except Mismatch:
            await self._settled(key)
            raise
        return await self._enter(history.put(key, value, current, self._assigned + 1))

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        try:
            current = judge_delete(key, self._current(key), expect)
        except Mismatch:
            await self._settled(key)
            raise
        return await self._enter(history.remove(current, self._assigned + 1))

    async def compact(self, revision: int) -> None:
        self._forget(self.view.forget(revision))
        self._sweeping = True
        await self._drained()

    async def close(self) -> None:
        """Make durable what is on its way, then let go of the file."""
        if not self._closed:
            self._closed = True
            await self._drained()
            await self._writer.stop()
            self._log.close()

    async def rest(self) -> bool:
        """Return when nothing is on its way to the disk; was there anything?"""
        if not self._busy:
            return False
        await self._drained()
        return True

    # ── judged upon what is on its way ───────────────────────────────────────────────────────────────────

    def _current(self, key: str) -> Record | None:
        """What the key will be when all that is on its way is durable."""
        step = self._ahead.get(key)
        return step.after if step else self.view.get(key)

    async def _settled(self, key: str) -> None:
        """Wait until what a refusal was judged upon is durable: nobody is told of a state that may not come."""
        if key in self._ahead:
            await self._durable(None)

    async def _enter(self, step: Step) -> int:
        if self._closed:
            raise WriteFailed(f"{self.path} is closed")
        self._assigned = step.change.revision
        self._ahead[step.change.key] = step
        await self._durable(step)
        return step.change.revision

    async def _durable(self, step: Step | None) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((step, future))
        self._wake()
        await future

    # ── groups ───────────────────────────────────────────────────────────────────────────────────────────

    def _wake(self) -> None:
        """Let the thread begin when this turn of the loop has added what it has."""
        if not self._busy:
            self._busy = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Give the thread its next job: a group of writes, or a piece of the garbage, in turns."""
        due = self._sweeping or len(self._garbage) >= _ERASE_ROWS
        if due and not (self._erased_last and self._queue):
            self._erase()
        elif self._queue:
            self._append()
        else:
            self._rest()

    def _append(self) -> None:
        group, self._queue = self._queue[:_GROUP_CHANGES], self._queue[_GROUP_CHANGES:]
        rows = [_row(step) for step, _ in group if step]
        self._erased_last = False
        self._writer.submit(lambda: self._log.append(rows), lambda failure: self._appended(group, failure))

    def _appended(self, group: Sequence[Waiting], failure: Exception | None) -> None:
        if failure is None:
            self._publish([step for step, _ in group if step])
            for _, future in group:
                if not future.done():
                    future.set_result(None)
        else:
            self._fail(group, failure)
        self._next()

    def _publish(self, steps: Sequence[Step]) -> None:
        ahead = self._ahead
        for step in steps:
            if ahead[step.change.key] is step:
                del ahead[step.change.key]
        if steps:
            self._forget(self.view.apply(steps))

    def _fail(self, group: Sequence[Waiting], failure: Exception) -> None:
        """Nothing of the group has happened, nor of what was judged upon it."""
        group, self._queue = [*group, *self._queue], []
        self._ahead.clear()
        self._assigned = self.view.revision
        for _, future in group:
            if not future.done():
                error = WriteFailed(f"{self.path} could not be written: {failure}; check the disk it lies on")
                error.__cause__ = failure
                future.set_exception(error)

    def _erase(self) -> None:
        piece, self._garbage = self._garbage[:_ERASE_ROWS], self._garbage[_ERASE_ROWS:]
        oldest = self.view.oldest
        self._erased_last = True
        self._writer.submit(lambda: self._log.erase(piece, oldest), lambda failure: self._erased(piece, failure))

    def _erased(self, piece: Sequence[int], failure: Exception | None) -> None:
        """A piece that could not be erased only takes room; it is tried again with the next one."""
        if failure is not None:
            _log.warning("%s could not be compacted: %s", self.path, failure)
            self._garbage += piece
            self._sweeping = False
            self._append() if self._queue else self._rest()
        else:
            self._sweeping = self._sweeping and bool(self._garbage)
            self._next()

    def _forget(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._garbage += forgotten(step)

    def _rest(self) -> None:
        self._busy = False
        for future in self._idle:
            if not future.done():
                future.set_result(None)
        self._idle = []

    async def _drained(self) -> None:
        """Return when nothing is on its way any more."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle.append(future)
        self._wake()
        await asyncio.wait((future,))


def _sealed(path: Path, sealing: Sealing) -> Log:
    from pybernetes.storage.encrypted.log import SealedLog

    log = SealedLog(open_log(path).connection, sealing)
    try:
        log.reseal()
    except StoreError:
        log.close()
        raise
    except sqlite3.Error as error:
        log.close()
        raise explained(path, error) from error
    return log


def _row(step: Step) -> Row:
    change = step.change
    return change.revision, change.key, change.created, change.value
