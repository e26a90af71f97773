"""The reading half of the store port for every store whose state lives in this process, and the judge of writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pybernetes.storage.port import ABSENT, Change, Mismatch, Page, Record
from pybernetes.storage.view import View


class Viewed:
    """Reads from ``view``, which holds durable state only."""

    def __init__(self, view: View) -> None:
        self.view = view

    @property
    def revision(self) -> int:
        return self.view.revision

    async def get(self, key: str, *, revision: int = 0) -> Record | None:
        return self.view.get(key, revision)

    async def list(self, prefix: str, *, after: str = "", limit: int = 0, revision: int = 0) -> Page:
        return self.view.page(prefix, after, limit, revision)

    async def watch(self, prefix: str, *, after: int) -> AsyncIterator[Sequence[Change]]:
        subscription = self.view.subscribe(prefix, after)
        try:
            async for batch in subscription:
                yield batch
        finally:
            subscription.close()


def holds(current: Record | None, expect: int | None) -> bool:
    """Does ``expect`` (ABSENT, a revision, or None for anything) hold for what is there?"""
    return expect is None or expect == (current.revision if current else ABSENT)


def judge_write(key: str, current: Record | None, expect: int | None) -> None:
    """Raises Mismatch where the write may not happen."""
    if not holds(current, expect):
        raise Mismatch(key, current)


def judge_delete(key: str, current: Record | None, expect: int | None) -> Record:
    """The record to delete. Raises Mismatch where there is none, or not the expected one."""
    if current is None or not holds(current, expect):
        raise Mismatch(key, current)
    return current
