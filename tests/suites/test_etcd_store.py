"""What only a store of several machines must do: outlive any one of them, and whoever else writes to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.storage.etcd.store import EtcdStore
from pybernetes.storage.port import Mismatch, WriteFailed
from pybernetes.storage.watchcache import WatchCache
from pybernetes.testing import etcd

pytestmark = pytest.mark.skipif(not etcd.is_there(), reason=etcd.MISSING)
PODS = "/registry/core/pods/default/"
SECONDS_WITHOUT_WRITES = 5.0


@pytest.fixture
def members(tmp_path: Path) -> Iterator[list[etcd.Member]]:
    started = etcd.start(tmp_path, 3)
    yield started
    etcd.stop(started)


@pytest.fixture
async def store(members: list[etcd.Member]) -> AsyncIterator[EtcdStore]:
    opened = EtcdStore([member.endpoint for member in members])
    yield opened
    await opened.close()


async def test_no_acknowledged_write_is_lost_whichever_member_dies(
    store: EtcdStore, members: list[etcd.Member]
) -> None:
    acknowledged: dict[str, int] = {}
    longest = 0.0
    stopping = asyncio.Event()

    async def write() -> None:
        nonlocal longest
        while not stopping.is_set():
            began, key = time.monotonic(), f"{PODS}{len(acknowledged)}"
            acknowledged[key] = await store.write(key, b"x", expect=0)
            longest = max(longest, time.monotonic() - began)

    seen: dict[str, int] = {}

    async def watch() -> None:
        async for batch in store.watch("/registry/", after=store.revision):
            seen.update({change.key: change.revision for change in batch})

    await store.write("/registry/core/nodes/first", b"x")
    tasks = [asyncio.ensure_future(write()), asyncio.ensure_future(watch())]
    for member in members:
        await asyncio.to_thread(member.kill)
        count = len(acknowledged)
        while len(acknowledged) < count + 50:
            assert not tasks[0].done(), tasks[0].exception()
            await asyncio.sleep(0.02)
        member.start(members)
        await asyncio.to_thread(etcd.wait_healthy, members)
    stopping.set()
    await tasks[0]
    page = await store.list(PODS)
    assert {r.key: r.revision for r in page.records} == acknowledged
    while not acknowledged.items() <= seen.items():
        await asyncio.sleep(0.02)
    tasks[1].cancel()
    assert longest < SECONDS_WITHOUT_WRITES


async def test_a_write_without_most_members_is_refused_with_a_remedy(
    store: EtcdStore, members: list[etcd.Member]
) -> None:
    await store.write(PODS + "a", b"x")
    etcd.stop(members[:2])
    with pytest.raises(WriteFailed, match="check that most of its members run"):
        await store.write(PODS + "b", b"x")


async def test_two_caches_on_one_etcd_see_each_others_writes_and_refusals(
    store: EtcdStore, members: list[etcd.Member]
) -> None:
    other = EtcdStore([members[1].endpoint])
    caches = [WatchCache(s, SystemClock()) for s in (store, other)]
    for cache in caches:
        await cache.start()
    first = await caches[0].write(PODS + "a", b"one", expect=0)
    with pytest.raises(Mismatch):
        await caches[1].write(PODS + "a", b"two", expect=0)
    record = caches[1].get(PODS + "a")
    assert record is not None
    assert (record.value, record.revision) == (b"one", first)
    second = await caches[1].write(PODS + "a", b"two", expect=first)
    await caches[0].wait_for(second)
    assert caches[0].get(PODS + "a") == caches[1].get(PODS + "a")
    for cache in caches:
        await cache.stop()
    await other.close()
