"""Conveniences over any store, derived once from its six verbs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from pybernetes.storage.port import ABSENT, Mismatch, Record, Store


async def create(store: Store, key: str, value: bytes) -> int:
    """Write a key that must not exist yet. Raises Mismatch."""
    return await store.write(key, value, expect=ABSENT)


async def modify(store: Store, key: str, change: Callable[[bytes | None], bytes], *, attempts: int = 10) -> Record:
    """Read, change, compare-and-swap, again for whoever comes in between; Mismatch after ``attempts``.

    ``change`` gets the current value, or None where there is none, and may be called more than once.
    """
    current = await store.get(key)
    while True:
        value = change(current.value if current else None)
        try:
            revision = await store.write(key, value, expect=current.revision if current else ABSENT)
        except Mismatch as mismatch:
            attempts -= 1
            if attempts <= 0:
                raise
            current = mismatch.actual
        else:
            return Record(key, value, revision, current.created if current else revision)


async def pages(store: Store, prefix: str, size: int = 500) -> AsyncIterator[Sequence[Record]]:
    """All records under ``prefix`` as of one revision, page by page. Raises Compacted if that takes too long."""
    page = await store.list(prefix, limit=size)
    yield page.records
    while page.remaining:
        page = await store.list(prefix, after=page.records[-1].key, limit=size, revision=page.revision)
        yield page.records
