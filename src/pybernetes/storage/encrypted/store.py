"""A store around another one, in which values lie sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from pybernetes.storage.encrypted.sealing import Sealing
from pybernetes.storage.port import Change, Mismatch, Page, Record, Store


class EncryptedStore:
    """As ``Store``; ``close`` closes the other one. Reads raise Corrupt for what no key opens."""

    def __init__(self, store: Store, sealing: Sealing) -> None:
        self._store, self._sealing = store, sealing

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        return self._plain(await self._store.get(key, revision=revision))

    async def list(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        page = await self._store.list(prefix, after=after, limit=limit, revision=revision)
        return replace(page, records=[self._opened(record) for record in page.records])

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        try:
            return await self._store.write(key, self._sealing.seal(key, value), expect=expect)
        except Mismatch as error:
            raise Mismatch(key, self._plain(error.actual)) from error

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        try:
            return await self._store.delete(key, expect=expect)
        except Mismatch as error:
            raise Mismatch(key, self._plain(error.actual)) from error

    async def watch(self, prefix: str, *, after: int) -> AsyncIterator[Sequence[Change]]:
        async for changes in self._store.watch(prefix, after=after):
            yield [
                replace(c, value=self._value(c.key, c.value), previous=self._value(c.key, c.previous)) for c in changes
            ]

    async def compact(self, revision: int) -> None:
        await self._store.compact(revision)

    @property
    def revision(self) -> int:
        return self._store.revision

    async def close(self) -> None:
        await self._store.close()

    def _plain(self, record: Record | None) -> Record | None:
        return None if record is None else self._opened(record)

    def _opened(self, record: Record) -> Record:
        value, _ = self._sealing.unseal(record.key, record.value)
        return replace(record, value=value)

    def _value(self, key: str, value: bytes | None) -> bytes | None:
        return None if value is None else self._sealing.unseal(key, value)[0]
