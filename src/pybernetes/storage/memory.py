"""The store that forgets at exit: for tests, simulations and clusters made to be thrown away."""

from __future__ import annotations

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.storage import history
from pybernetes.storage.history import Retention
from pybernetes.storage.view import View
from pybernetes.storage.viewed import Viewed, judge_delete, judge_write


class MemoryStore(Viewed):
    def __init__(self, clock: Clock | None = None, retention: Retention | None = None) -> None:
        super().__init__(View(clock or SystemClock(), retention))

    def copy(self, clock: Clock | None = None) -> MemoryStore:
        """Another store, which begins with what this one holds now, without its past."""
        made = MemoryStore(clock)
        records, revision = self.view.list("")
        made.view.restore(records, (), oldest=revision, revision=revision)
        return made

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        current = self.view.get(key)
        judge_write(key, current, expect)
        return self._apply(history.put(key, value, current, self.view.revision + 1))

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        current = judge_delete(key, self.view.get(key), expect)
        return self._apply(history.remove(current, self.view.revision + 1))

    async def compact(self, revision: int) -> None:
        self.view.forget(revision)

    async def close(self) -> None:
        """Nothing is held beyond memory."""

    def _apply(self, step: history.Step) -> int:
        self.view.apply((step,))
        return step.change.revision
