"""The store of several machines: etcd's v3 API behind the store port.

Rule 1: a revision is etcd's own (mod revision). Every change is a transaction of its own: changes of one transaction
        would share a revision, and a watcher that resumes between two of them would miss the second.
Rule 2: keys lie below ``PREFIX``, so that nothing else that lives in the same etcd is taken for ours.
Rule 3: changes of one key go out one after the other, in the order in which they were asked for.
Rule 4: an attempt that failed may have happened. A compare-and-swap that is refused after one, by exactly what it was
        to write, has succeeded.
Neighbours: ``link.py`` is the way there, ``storage/watchcache.py`` follows this store for all readers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.meta.objects import Obj
from pybernetes.storage.etcd.link import Answer, Link, LinkError
from pybernetes.storage.etcd.messages import CREATE, DELETED, EQUAL, GREATER, MOD
from pybernetes.storage.port import (
    Change,
    Compacted,
    FutureRevision,
    Mismatch,
    Page,
    Record,
    StoreError,
    WriteFailed,
)

PREFIX: Final = "/pybernetes"
COMPACT_SECONDS: Final = 300.0
"""How much of the past is kept (upstream's --etcd-compaction-interval)."""
_PAUSE_SECONDS: Final = 0.2
_NEVER: Final = -1
"""No key's revision."""
_log: Final = logging.getLogger(__name__)


class EtcdStore:
    """``endpoints`` are ``host:port``; made on a running loop, connects when first used."""

    def __init__(self, endpoints: Sequence[str], clock: Clock | None = None, *, prefix: str = PREFIX) -> None:
        self._clock = clock or SystemClock()
        self._link = Link(endpoints, self._clock)
        self._prefix = prefix
        self._revision = 0
        self._turns: dict[str, asyncio.Future[None]] = {}
        """The last change of each key that is on its way."""

    @property
    def revision(self) -> int:
        return self._revision

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        answer = await self._read({"key": self._outer(key), "revision": revision}, revision)
        return next((self._record(kv) for kv in answer.body.get("kvs", ())), None)

    async def list(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        start = self._outer(after) + b"\0" if after >= prefix else self._outer(prefix)
        request = {"key": start, "range_end": _end(self._outer(prefix)), "limit": limit, "revision": revision}
        answer = await self._read(request, revision)
        records = [self._record(kv) for kv in answer.body.get("kvs", ())]
        return Page(records, revision or answer.revision, answer.body.get("count", 0) - len(records))

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        compare = [] if expect is None else [self._is_at(key, expect)]
        put = {"request_put": {"key": self._outer(key), "value": value}}
        answer = await self._in_turn(key, lambda: self._txn(key, compare, put))
        if answer.body.get("succeeded"):
            return answer.revision
        actual = self._actual(answer)
        if answer.attempts > 1 and actual is not None and actual.value == value:
            return actual.revision
        raise Mismatch(key, actual)

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        there = {"result": GREATER, "target": CREATE, "key": self._outer(key)}
        compare = [there] if expect is None else [self._is_at(key, expect or _NEVER)]
        remove = {"request_delete_range": {"key": self._outer(key)}}
        answer = await self._in_turn(key, lambda: self._txn(key, compare, remove))
        actual = None if answer.body.get("succeeded") else self._actual(answer)
        if answer.body.get("succeeded") or (answer.attempts > 1 and actual is None):
            return answer.revision
        raise Mismatch(key, actual)

    async def watch(self, prefix: str, *, after: int) -> AsyncIterator[Sequence[Change]]:
        while True:
            try:
                async for batch in self._watch_once(prefix, after):
                    after = batch[-1].revision
                    yield batch
            except LinkError as error:
                _log.info("a watch is opened again: %s", error)
            await self._clock.sleep(_PAUSE_SECONDS)

    async def compact(self, revision: int) -> None:
        try:
            answer = await self._link.call("KV", "Compact", "Compaction", {"revision": revision})
        except LinkError as error:
            if error.code != "OUT_OF_RANGE":
                raise StoreError(str(error)) from error
        else:
            self._saw(answer)

    async def keep_compacted(self) -> None:
        """Forget, for ever, what is older than ``COMPACT_SECONDS``. That several processes do so is no harm."""
        while True:
            revision = self._revision
            await self._clock.sleep(COMPACT_SECONDS)
            try:
                await self.compact(revision)
            except StoreError as error:
                _log.warning("history could not be compacted: %s", error)

    async def close(self) -> None:
        await self._link.close()

    # ── one exchange ─────────────────────────────────────────────────────────────────────────────────────

    async def _read(self, request: Obj, revision: int) -> Answer:
        try:
            answer = await self._link.call("KV", "Range", "Range", request)
        except LinkError as error:
            if error.code == "OUT_OF_RANGE":
                gone = "compacted" in str(error)
                raise (
                    Compacted(revision, revision + 1) if gone else FutureRevision(revision, self._revision)
                ) from error
            raise StoreError(str(error)) from error
        return self._saw(answer)

    async def _txn(self, key: str, compare: Sequence[Obj], change: Obj) -> Answer:
        look = {"request_range": {"key": self._outer(key)}}
        request = {"compare": compare, "success": [change], "failure": [look]}
        try:
            return self._saw(await self._link.call("KV", "Txn", "Txn", request))
        except LinkError as error:
            raise WriteFailed(str(error)) from error

    async def _in_turn(self, key: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        before, mine = self._turns.get(key), asyncio.get_running_loop().create_future()
        self._turns[key] = mine
        try:
            if before is not None:
                await asyncio.wait((before,))
            return await work()
        finally:
            mine.set_result(None)
            if self._turns.get(key) is mine:
                del self._turns[key]

    async def _watch_once(self, prefix: str, after: int) -> AsyncIterator[Sequence[Change]]:
        key = self._outer(prefix)
        create = {"key": key, "range_end": _end(key), "start_revision": after + 1, "prev_kv": True}
        async for answer in self._link.stream({"create_request": create}):
            if oldest := answer.get("compact_revision", 0):
                raise Compacted(after, oldest)
            if answer.get("canceled"):
                raise LinkError("CANCELLED", answer.get("cancel_reason", "etcd ended it"))
            if events := answer.get("events"):
                changes = [self._change(event) for event in events]
                self._revision = max(self._revision, changes[-1].revision)
                yield changes

    # ── etcd's words and ours ────────────────────────────────────────────────────────────────────────────

    def _outer(self, key: str) -> bytes:
        return (self._prefix + key).encode()

    def _is_at(self, key: str, revision: int) -> Obj:
        return {"result": EQUAL, "target": MOD, "key": self._outer(key), "mod_revision": revision}

    def _record(self, kv: Obj) -> Record:
        key = kv["key"][len(self._prefix) :].decode()
        return Record(key, kv.get("value", b""), kv["mod_revision"], kv["create_revision"])

    def _actual(self, answer: Answer) -> Record | None:
        found: list[Any] = answer.body["responses"][0].get("response_range", {}).get("kvs", [])
        return self._record(found[0]) if found else None

    def _change(self, event: Obj) -> Change:
        kv, before = event["kv"], event.get("prev_kv", {})
        key, revision = kv["key"][len(self._prefix) :].decode(), kv["mod_revision"]
        if event.get("type") != DELETED:
            return Change(key, revision, kv["create_revision"], kv.get("value", b""), before.get("value"))
        if not before:
            # What was deleted is forgotten already: whoever needs to know it reads all again.
            raise Compacted(revision - 1, revision)
        return Change(key, revision, before["create_revision"], None, before.get("value", b""))

    def _saw(self, answer: Answer) -> Answer:
        self._revision = max(self._revision, answer.revision)
        return answer


def _end(prefix: bytes) -> bytes:
    """The first key after all that start with ``prefix``."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))
