"""What the SQLite store does beyond the port: it survives, it guards its file, it says what is wrong with it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.storage.history import Retention
from pybernetes.storage.port import Compacted, Corrupt, InUse, Mismatch, StoreError, WriteFailed
from pybernetes.storage.sqlite.store import SqliteStore

PODS = "/registry/core/pods/"
A, B = PODS + "default/a", PODS + "default/b"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "store.db"


def rows(path: Path) -> int:
    connection = sqlite3.connect(path)
    count: int = connection.execute("SELECT count(*) FROM log").fetchone()[0]
    connection.close()
    return count


async def test_objects_revisions_and_history_outlive_the_process(path: Path) -> None:
    store = SqliteStore(path)
    first = await store.write(A, b"one")
    await store.write(B, b"two")
    await store.delete(B)
    last = await store.write(A, b"three")
    await store.close()
    again = SqliteStore(path)
    assert again.revision == last
    record = await again.get(A)
    assert record is not None
    assert (record.value, record.created) == (b"three", first)
    past = await again.list(PODS, revision=first + 1)
    assert [r.value for r in past.records] == [b"one", b"two"]
    changes = await anext(aiter(again.watch(PODS, after=first)))
    assert [(c.key, c.value, c.previous) for c in changes] == [
        (B, b"two", None),
        (B, None, b"two"),
        (A, b"three", b"one"),
    ]
    assert await again.write(B, b"four") == last + 1
    await again.close()


async def test_a_deletion_that_was_last_still_counts_after_compaction(path: Path) -> None:
    store = SqliteStore(path)
    await store.write(A, b"one")
    last = await store.delete(A)
    await store.compact(last)
    await store.close()
    assert rows(path) == 0
    again = SqliteStore(path)
    assert again.revision == last
    with pytest.raises(Compacted):
        await again.list(PODS, revision=last - 1)
    await again.close()


async def test_old_revisions_are_erased_by_themselves(path: Path) -> None:
    store = SqliteStore(path, retention=Retention(changes=100))
    for _ in range(100):
        await asyncio.gather(*(store.write(f"{PODS}default/{i}", b"x" * 100) for i in range(50)))
    await store.close()
    assert rows(path) < 50 + 100 + 1000
    again = SqliteStore(path, retention=Retention(changes=100))
    assert len((await again.list(PODS)).records) == 50
    await again.close()


async def test_history_ends_with_its_age(path: Path) -> None:
    clock = VirtualClock()
    store = SqliteStore(path, clock, Retention(seconds=60))
    first = await store.write(A, b"one")
    await clock.advance(30)
    second = await store.write(A, b"two")
    await clock.advance(50)
    await store.write(A, b"three")
    assert store.view.oldest == first
    await clock.advance(20)
    await store.write(A, b"four")
    assert store.view.oldest == second
    await store.close()


async def test_a_second_process_is_told_that_the_file_is_in_use(path: Path) -> None:
    store = SqliteStore(path)
    await store.write(A, b"one")
    with pytest.raises(InUse, match=r"store\.db is in use by another process"):
        SqliteStore(path)
    await store.close()


@pytest.mark.parametrize("damage", ["header", "middle", "foreign", "garbage"])
async def test_a_damaged_file_is_named_with_the_remedy(path: Path, damage: str) -> None:
    store = SqliteStore(path)
    await asyncio.gather(*(store.write(f"{PODS}default/{i}", b"x" * 5000) for i in range(100)))
    await store.close()
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:100] = b"\xff" * 100
    elif damage == "middle":
        content[8192 * 3 : 8192 * 20] = b"\xa5" * (8192 * 17)
    elif damage == "garbage":
        content = bytearray(b"not a database, but long enough to be taken for one" * 1000)
    if damage == "foreign":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA application_id = 1")
        connection.close()
    else:
        path.write_bytes(content)
    with pytest.raises(Corrupt, match=r"store\.db is damaged .*put a backup in its place"):
        SqliteStore(path)


async def test_a_file_of_another_schema_is_left_alone(path: Path) -> None:
    await SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="schema 99, this one reads 1"):
        SqliteStore(path)


async def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteStore(tmp_path / "file" / "store.db")


async def test_a_full_disk_fails_the_writes_and_loses_nothing(path: Path) -> None:
    store = SqliteStore(path)
    revision = await store.write(A, b"one")
    pages = store._log.connection.execute("PRAGMA page_count").fetchone()[0]
    store._log.connection.execute(f"PRAGMA max_page_count = {pages}")
    writes = [store.write(f"{PODS}default/{i}", b"x" * 5000, expect=0) for i in range(100)]
    outcomes = await asyncio.gather(*writes, store.write(A, b"two"), return_exceptions=True)
    assert all(isinstance(o, WriteFailed) for o in outcomes)
    assert "store.db could not be written" in str(outcomes[0])
    record = await store.get(A)
    assert record is not None
    assert (record.value, store.revision) == (b"one", revision)
    store._log.connection.execute("PRAGMA max_page_count = 1000000")
    assert await store.write(A, b"three", expect=revision) == revision + 1
    await store.close()
    with pytest.raises(WriteFailed, match="is closed"):
        await store.write(A, b"four")


async def test_a_refusal_waits_for_what_it_was_judged_upon(path: Path) -> None:
    store = SqliteStore(path)
    creating = asyncio.create_task(store.write(A, b"one", expect=0))
    await asyncio.sleep(0)
    assert store.view.get(A) is None
    with pytest.raises(Mismatch) as refused:
        await store.write(A, b"two", expect=0)
    assert refused.value.actual == store.view.get(A)
    assert await creating == store.revision
    await store.close()


async def test_a_writer_that_gives_up_waiting_disturbs_nobody(path: Path) -> None:
    store = SqliteStore(path)
    tasks = [asyncio.create_task(store.write(f"{PODS}default/{i}", b"x")) for i in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(o) for o in outcomes] == [int, asyncio.CancelledError, int]
    await store.close()


async def test_the_files_are_for_their_owners_eyes_only_because_secrets_are_in_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    store = SqliteStore(path)
    await store.write(A, b"one")
    assert {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {
        "store.db": 0o600, "store.db-wal": 0o600,
    }  # fmt: skip
    await store.close()
