"""Live records in key order, filed by resource so that one list never walks over another's keys.

A bucket is everything up to the slash after the plural (``/registry/apps/deployments/``). Keys of a bucket lie
in one sorted list: a namespace is a slice of it, and a page starts where a bisection says.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.storage.port import Record

_LAST: Final = "\U0010ffff"
"""Sorts after every character of a key."""
_DEPTH: Final = 4
"""Slashes in a bucket's name."""


def bucket_of(key: str) -> str:
    """``/registry/<group>/<plural>/`` of a key; the whole text up to its last slash where that is shorter."""
    end = 0
    for _ in range(_DEPTH):
        at = key.find("/", end)
        if at < 0:
            break
        end = at + 1
    return key[:end]


class Index:
    """All live records. ``put`` and ``remove`` take time by the logarithm of a bucket's size."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._keys: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: str) -> Record | None:
        return self._records.get(key)

    def put(self, record: Record) -> None:
        key = record.key
        if key not in self._records:
            insort(self._keys.setdefault(bucket_of(key), []), key)
        self._records[key] = record

    def remove(self, key: str) -> None:
        if self._records.pop(key, None) is not None:
            keys = self._keys[bucket_of(key)]
            del keys[bisect_left(keys, key)]

    def fill(self, records: Iterable[Record]) -> None:
        """Put many at once: sorted once at the end, which is what makes a start fast."""
        for record in records:
            if record.key not in self._records:
                self._keys.setdefault(bucket_of(record.key), []).append(record.key)
            self._records[record.key] = record
        for keys in self._keys.values():
            keys.sort()

    def keys(self, prefix: str, after: str = "") -> Sequence[str]:
        """Keys in order that start with ``prefix`` and sort after ``after``."""
        whole = prefix.count("/") >= _DEPTH
        keys = self._keys.get(bucket_of(prefix), []) if whole else self._scattered(prefix)
        start = bisect_left(keys, prefix)
        if after:
            start = max(start, bisect_right(keys, after))
        return keys[start : bisect_left(keys, prefix + _LAST)]

    def records(self, keys: Iterable[str]) -> list[Record]:
        found = self._records
        return [found[key] for key in keys]

    def _scattered(self, prefix: str) -> list[str]:
        """Keys under a prefix that is no bucket's: rare, so they are gathered and sorted."""
        return sorted(key for key in self._records if key.startswith(prefix))
