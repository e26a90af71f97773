"""The watch cache over a store in this process, and over one that it must follow from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.port import Change, Compacted, FutureRevision, Page, Record, Store
from pybernetes.storage.watchcache import WAIT_SECONDS, WatchCache

PODS = "/registry/core/pods/"
A, B = PODS + "default/a", PODS + "default/b"


class Elsewhere:
    """A store that is reached through its port only, as one in another process is."""

    def __init__(self, inner: MemoryStore) -> None:
        self._inner = inner

    @property
    def revision(self) -> int:
        return self._inner.revision

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        return await self._inner.get(key, revision=revision)

    async def list(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        return await self._inner.list(prefix, after=after, limit=limit, revision=revision)

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        return await self._inner.write(key, value, expect=expect)

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        return await self._inner.delete(key, expect=expect)

    def watch(self, prefix: str, *, after: int) -> AsyncIterator[Sequence[Change]]:
        return self._inner.watch(prefix, after=after)

    async def compact(self, revision: int) -> None:
        await self._inner.compact(revision)

    async def close(self) -> None:
        await self._inner.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["within", "elsewhere"])
async def cache(request: pytest.FixtureRequest, clock: VirtualClock) -> AsyncIterator[WatchCache]:
    inner = MemoryStore()
    await inner.write(A, b"before")
    store: Store = inner if request.param == "within" else Elsewhere(inner)
    started = WatchCache(store, clock)
    await started.start()
    yield started
    await started.stop()


async def test_it_starts_with_what_is_stored(cache: WatchCache) -> None:
    records, revision = cache.list(PODS)
    assert [r.value for r in records] == [b"before"]
    assert revision == cache.revision == cache.store.revision


async def test_who_wrote_reads_it_at_once(cache: WatchCache) -> None:
    revision = await cache.write(B, b"new")
    record = cache.get(B)
    assert record is not None
    assert (record.value, record.revision, cache.revision) == (b"new", revision, revision)
    await cache.delete(B, expect=revision)
    assert cache.get(B) is None


async def test_a_subscription_carries_on_from_its_revision(cache: WatchCache) -> None:
    start = cache.revision
    await cache.write(B, b"1")
    subscription = cache.subscribe(PODS, start)
    await cache.write(B, b"2")
    batch = await anext(subscription)
    assert [(c.value, c.previous) for c in batch] == [(b"1", None), (b"2", b"1")]
    assert subscription.revision == cache.revision
    subscription.close()
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)


async def test_a_subscription_to_one_key_sees_keys_that_start_with_it_only(cache: WatchCache) -> None:
    subscription = cache.subscribe(A, cache.revision)
    await cache.write(B, b"x")
    await cache.write(A, b"y")
    assert [c.key for c in await anext(subscription)] == [A]


async def test_waiting_ends_with_the_revision_or_with_patience(cache: WatchCache, clock: VirtualClock) -> None:
    revision = cache.revision + 1
    waiting = asyncio.create_task(cache.wait_for(revision))
    await asyncio.sleep(0)
    await cache.write(B, b"x")
    await waiting
    waiting = asyncio.create_task(cache.wait_for(revision + 1))
    await clock.advance(WAIT_SECONDS)
    with pytest.raises(FutureRevision):
        await waiting


async def test_a_cache_left_behind_lists_again_and_ends_its_watches(clock: VirtualClock) -> None:
    inner = MemoryStore()
    cache = WatchCache(Elsewhere(inner), clock)
    await cache.start()
    subscription = cache.subscribe(PODS, 0)
    for _ in range(25_000):
        await inner.write(A, b"x")
    await cache.wait_for(inner.revision)
    assert cache.oldest == cache.revision
    with pytest.raises(Compacted):
        await anext(subscription)
    with pytest.raises(Compacted):
        cache.subscribe(PODS, 5)
    await cache.stop()
