"""The file whose rows are sealed: the log of ``sqlite/log.py`` with plain values above it.

Rule: when the file is opened, what lies there under another key than the first is sealed anew, so a key may go once the
cluster has been started with its successor; nothing of the old form stays in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pybernetes.storage.encrypted.sealing import Sealing
from pybernetes.storage.sqlite.log import Log, Row


@dataclass(slots=True)
class SealedLog(Log):
    sealing: Sealing

    def rows(self) -> Iterator[Row]:
        """As ``Log.rows``. Raises Corrupt for a value that no key opens."""
        for revision, key, created, value in Log.rows(self):
            yield revision, key, created, None if value is None else self.sealing.unseal(key, value)[0]

    def append(self, rows: Sequence[Row]) -> None:
        seal = self.sealing.seal
        sealed = [(r, key, created, None if value is None else seal(key, value)) for r, key, created, value in rows]
        Log.append(self, sealed)

    def reseal(self) -> None:
        """Seal what is stale by the first key. Raises Corrupt and sqlite3.Error."""
        stale = [
            (self.sealing.seal(key, value), revision)
            for revision, key, _, sealed in Log.rows(self)
            if sealed is not None
            for value, old in (self.sealing.unseal(key, sealed),)
            if old
        ]
        if not stale:
            return
        self.connection.execute("PRAGMA secure_delete = ON")
        with self._transaction():
            self.connection.executemany("UPDATE log SET value = ? WHERE revision = ?", stale)
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
