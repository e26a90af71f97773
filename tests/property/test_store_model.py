"""Every store against the simplest model of one: a dict per revision."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from unittest import TestCase

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pybernetes.storage.history import Retention
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.port import Change, Compacted, Mismatch, Record, Store
from pybernetes.storage.sqlite.store import SqliteStore

KEYS = [f"/registry/{g}/{n}" for g in ("core/pods", "core/pods-x", "apps/sets") for n in ("a/1", "a/2", "b/1")]
PREFIXES = ["/registry/", "/registry/core/", "/registry/core/pods/", "/registry/core/pods/a/", KEYS[0]]
keys, prefixes = st.sampled_from(KEYS), st.sampled_from(PREFIXES)


class StoreModel(RuleBasedStateMachine):
    """``past[r]`` is what the store held at revision r."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.past: dict[int, dict[str, Record]] = {0: {}}
        self.changes: list[Change] = []
        self.compacted = 0

    @property
    def revision(self) -> int:
        return max(self.past)

    @property
    def now(self) -> dict[str, Record]:
        return self.past[self.revision]

    def happen(self, key: str, value: bytes | None) -> None:
        before, revision = self.now.get(key), self.revision + 1
        created = before.created if before else revision
        state = dict(self.now)
        if value is None:
            del state[key]
        else:
            state[key] = Record(key, value, revision, created)
        self.past[revision] = state
        self.changes.append(Change(key, revision, created, value, before.value if before else None))

    @rule(key=keys, value=st.binary(max_size=20), off=st.sampled_from([None, 0, 0, 1]))
    def write(self, key: str, value: bytes, off: int | None) -> None:
        before = self.now.get(key)
        expect = None if off is None else (before.revision if before else 0) + off
        try:
            revision = self.loop.run_until_complete(self.store.write(key, value, expect=expect))
        except Mismatch as mismatch:
            assert off == 1
            assert mismatch.actual == before
        else:
            assert off != 1
            self.happen(key, value)
            assert revision == self.revision

    @rule(key=keys, off=st.sampled_from([None, 0, 0, 1]))
    def delete(self, key: str, off: int | None) -> None:
        before = self.now.get(key)
        expect = None if off is None else (before.revision if before else 0) + off
        try:
            revision = self.loop.run_until_complete(self.store.delete(key, expect=expect))
        except Mismatch as mismatch:
            assert off == 1 or before is None
            assert mismatch.actual == before
        else:
            self.happen(key, None)
            assert revision == self.revision

    @rule(pairs=st.lists(st.tuples(keys, st.binary(max_size=5)), max_size=6))
    def write_together(self, pairs: list[tuple[str, bytes]]) -> None:
        async def together() -> list[int]:
            return await asyncio.gather(*(self.store.write(k, v) for k, v in pairs))

        revisions = self.loop.run_until_complete(together())
        for (key, value), revision in zip(pairs, revisions, strict=True):
            self.happen(key, value)
            assert revision == self.revision

    @rule(prefix=prefixes, after=st.sampled_from(["", *KEYS]), limit=st.integers(0, 4), back=st.integers(0, 6))
    def list_pages(self, prefix: str, after: str, limit: int, back: int) -> None:
        revision = self.revision - back
        if revision < 1:
            return
        try:
            page = self.loop.run_until_complete(self.store.list(prefix, after=after, limit=limit, revision=revision))
        except Compacted:
            assert revision < self.compacted
            return
        assert revision >= self.compacted
        state = self.past[revision]
        wanted = [state[k] for k in sorted(state) if k.startswith(prefix) and k > after]
        shown = wanted[:limit] if limit else wanted
        assert (list(page.records), page.revision, page.remaining) == (shown, revision, len(wanted) - len(shown))

    @rule(key=keys, back=st.integers(0, 6))
    def get(self, key: str, back: int) -> None:
        revision = self.revision - back
        if revision >= max(1, self.compacted):
            record = self.loop.run_until_complete(self.store.get(key, revision=revision))
            assert record == self.past[revision].get(key)

    @rule(prefix=prefixes, back=st.integers(1, 8))
    def watch(self, prefix: str, back: int) -> None:
        after = max(self.revision - back, 0)
        wanted = [c for c in self.changes if c.revision > after and c.key.startswith(prefix)]
        if after < self.compacted or not wanted:
            return

        async def first() -> list[Change]:
            watching = self.store.watch(prefix, after=after)
            batch = list(await anext(aiter(watching)))
            await watching.aclose()  # type: ignore[attr-defined]
            return batch

        assert self.loop.run_until_complete(first()) == wanted

    @precondition(lambda self: self.revision > 0)
    @rule(back=st.integers(0, 6))
    def compact(self, back: int) -> None:
        revision = max(self.revision - back, 0)
        self.loop.run_until_complete(self.store.compact(revision))
        self.compacted = max(self.compacted, revision)

    @invariant()
    def it_is_at_the_revision(self) -> None:
        assert self.store.revision == self.revision

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.close()


class MemoryModel(StoreModel):
    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()


class SqliteModel(StoreModel):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.open()

    def open(self) -> None:
        self.store = SqliteStore(Path(self.folder.name) / "store.db", retention=Retention(changes=1000))

    @rule()
    def reopen(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.open()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


def _machine(model: type[StoreModel], examples: int) -> type[TestCase]:
    case = model.TestCase
    case.settings = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    return case


TestMemoryStore = _machine(MemoryModel, 80)
TestSqliteStore = _machine(SqliteModel, 25)
