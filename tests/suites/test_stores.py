"""What every store must do. A new adapter is a row of ``ADAPTERS`` and runs all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from pybernetes.storage import derived
from pybernetes.storage.encrypted import sealing
from pybernetes.storage.encrypted.store import EncryptedStore
from pybernetes.storage.etcd.store import EtcdStore
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.port import ABSENT, Change, Compacted, FutureRevision, Mismatch, Store
from pybernetes.storage.sqlite.store import SqliteStore
from pybernetes.testing import etcd

SEALING: Final = sealing.parse(
    {
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["*.*"],
                "providers": [{"aesgcm": {"keys": [{"name": "one", "secret": "MDEyMzQ1Njc4OWFiY2RlZg=="}]}}],
            }
        ],
    }
)
ADAPTERS: Final[dict[str, Callable[[Path, str], Store]]] = {
    "memory": lambda folder, endpoint: MemoryStore(),
    "sqlite": lambda folder, endpoint: SqliteStore(folder / "store.db"),
    "sealed sqlite": lambda folder, endpoint: SqliteStore(folder / "store.db", sealing=SEALING),
    "encrypted": lambda folder, endpoint: EncryptedStore(MemoryStore(), SEALING),
    "etcd": lambda folder, endpoint: EtcdStore([endpoint], prefix=str(folder)),
}
PODS = "/registry/core/pods/"
A, B, C = PODS + "default/a", PODS + "default/b", PODS + "other/c"


@pytest.fixture(scope="module")
def etcd_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One etcd for all tests; each has a prefix of its own there."""
    if not etcd.is_there():
        pytest.skip(etcd.MISSING)
    members = etcd.start(tmp_path_factory.mktemp("etcd"))
    yield members[0].endpoint
    etcd.stop(members)


@pytest.fixture(params=ADAPTERS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    endpoint = request.getfixturevalue("etcd_endpoint") if request.param == "etcd" else ""
    opened = ADAPTERS[request.param](tmp_path, endpoint)
    yield opened
    await opened.close()


async def collect(store: Store, prefix: str, after: int, count: int) -> Sequence[Change]:
    """The first ``count`` changes after a revision."""
    seen: list[Change] = []
    watch = store.watch(prefix, after=after)
    async for batch in watch:
        seen += batch
        if len(seen) >= count:
            break
    return seen


async def test_a_written_value_is_read_back_with_its_revision(store: Store) -> None:
    revision = await store.write(A, b"one")
    record = await store.get(A)
    assert record is not None
    assert (record.key, record.value, record.revision, record.created) == (A, b"one", revision, revision)
    assert store.revision == revision


async def test_a_missing_key_is_none(store: Store) -> None:
    assert await store.get(A) is None


async def test_every_change_takes_the_next_revision_and_keeps_the_creation(store: Store) -> None:
    first = await store.write(A, b"one")
    await store.write(B, b"two")
    third = await store.write(A, b"three")
    record = await store.get(A)
    assert third == first + 2
    assert record is not None
    assert (record.revision, record.created) == (third, first)


async def test_creation_refuses_a_key_that_exists_and_shows_it(store: Store) -> None:
    revision = await derived.create(store, A, b"one")
    with pytest.raises(Mismatch) as refused:
        await derived.create(store, A, b"two")
    assert refused.value.actual is not None
    assert (refused.value.actual.value, refused.value.actual.revision) == (b"one", revision)
    assert store.revision == revision


async def test_compare_and_swap_lets_one_of_many_win(store: Store) -> None:
    revision = await store.write(A, b"0")
    writes = [store.write(A, b"%d" % i, expect=revision) for i in range(10)]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(o, int) for o in outcomes) == 1
    assert sum(isinstance(o, Mismatch) for o in outcomes) == 9
    for outcome in outcomes:
        if isinstance(outcome, Mismatch):
            assert outcome.actual is not None
            assert outcome.actual.revision == store.revision


async def test_deletion_needs_the_expected_record(store: Store) -> None:
    revision = await store.write(A, b"one")
    with pytest.raises(Mismatch):
        await store.delete(A, expect=revision + 5)
    deletion = await store.delete(A, expect=revision)
    assert deletion == revision + 1
    assert await store.get(A) is None
    with pytest.raises(Mismatch) as refused:
        await store.delete(A)
    assert refused.value.actual is None


async def test_a_recreated_key_has_a_new_creation(store: Store) -> None:
    await store.write(A, b"one")
    await store.delete(A)
    revision = await store.write(A, b"two", expect=ABSENT)
    record = await store.get(A)
    assert record is not None
    assert record.created == revision


async def test_concurrent_writes_and_deletes_of_one_key_stay_in_order(store: Store) -> None:
    start = store.revision
    await asyncio.gather(store.write(A, b"1"), store.write(A, b"2"), store.delete(A), store.write(A, b"3"))
    changes = await collect(store, PODS, start, 4)
    assert [c.value for c in changes] == [b"1", b"2", None, b"3"]
    assert [c.previous for c in changes] == [None, b"1", b"2", None]


async def test_a_list_is_in_key_order_and_keeps_to_its_prefix(store: Store) -> None:
    for key in (C, B, A, "/registry/core/podtemplates/default/a", "/registry/core/pods-x/default/a"):
        await store.write(key, b"x")
    assert [r.key for r in (await store.list(PODS)).records] == [A, B, C]
    assert [r.key for r in (await store.list(PODS + "default/")).records] == [A, B]
    assert [r.key for r in (await store.list(PODS + "none/")).records] == []
    assert len((await store.list("/registry/")).records) == 5


async def test_pages_follow_each_other_and_count_what_remains(store: Store) -> None:
    for key in (A, B, C):
        await store.write(key, b"x")
    first = await store.list(PODS, limit=2)
    second = await store.list(PODS, after=first.records[-1].key, limit=2)
    assert ([r.key for r in first.records], first.remaining) == ([A, B], 1)
    assert ([r.key for r in second.records], second.remaining) == ([C], 0)


async def test_pages_show_one_revision_whatever_happens_meanwhile(store: Store) -> None:
    for i in range(6):
        await store.write(f"{PODS}default/{i}", b"old")
    first = await store.list(PODS, limit=2)
    await store.write(PODS + "default/3", b"new")
    await store.delete(PODS + "default/4")
    await store.write(PODS + "default/9", b"new")
    rest = await store.list(PODS, after=first.records[-1].key, revision=first.revision)
    assert [(r.key[-1], r.value) for r in rest.records] == [(str(i), b"old") for i in range(2, 6)]
    keys = [r.key[-1] async for page in derived.pages(store, PODS, 2) for r in page]
    assert keys == ["0", "1", "2", "3", "5", "9"]


async def test_the_past_can_be_read_and_the_future_cannot(store: Store) -> None:
    first = await store.write(A, b"one")
    second = await store.write(A, b"two")
    await store.delete(A)
    old, newer = await store.get(A, revision=first), await store.get(A, revision=second)
    assert old is not None
    assert newer is not None
    assert (old.value, old.revision, newer.value) == (b"one", first, b"two")
    with pytest.raises(FutureRevision):
        await store.get(A, revision=store.revision + 1)


async def test_a_watch_gets_what_happened_since_and_then_what_happens(store: Store) -> None:
    start = await store.write(A, b"before")
    await store.write(A, b"since")
    watching = asyncio.create_task(collect(store, PODS + "default/", start, 3))
    await asyncio.sleep(0)
    await store.write(C, b"elsewhere")
    await store.write(B, b"live")
    await store.delete(A)
    changes = await watching
    assert [(c.key, c.value, c.previous) for c in changes] == [
        (A, b"since", b"before"),
        (B, b"live", None),
        (A, None, b"since"),
    ]
    assert changes[0].created == start


async def test_compaction_forgets_the_past_and_keeps_the_present(store: Store) -> None:
    first = await store.write(A, b"one")
    await store.write(B, b"two")
    third = await store.write(A, b"three")
    await store.compact(third)
    assert [r.value for r in (await store.list(PODS)).records] == [b"three", b"two"]
    with pytest.raises(Compacted):
        await store.get(A, revision=first)
    with pytest.raises(Compacted):
        await collect(store, PODS, first, 1)
    fourth = await store.write(A, b"four")
    assert [c.revision for c in await collect(store, PODS, third, 1)] == [fourth]


async def test_a_watcher_that_falls_too_far_behind_is_told(store: Store) -> None:
    if isinstance(store, EtcdStore):
        pytest.skip("etcd holds back what a slow watcher has not read, for as long as it keeps that history")
    watch = store.watch(PODS, after=store.revision)
    following = asyncio.ensure_future(anext(aiter(watch)))
    await asyncio.sleep(0)
    await store.write(A, b"x")
    assert len(await following) == 1
    for _ in range(25):
        await asyncio.gather(*(store.write(A, b"x") for _ in range(1000)))
    with pytest.raises(Compacted):
        while True:
            await anext(watch)


async def test_modify_is_never_lost_to_another_writer(store: Store) -> None:
    def increment(value: bytes | None) -> bytes:
        return b"%d" % (int(value or 0) + 1)

    await asyncio.gather(*(derived.modify(store, A, increment, attempts=100) for _ in range(20)))
    record = await store.get(A)
    assert record is not None
    assert record.value == b"20"
