"""The file: an append-only log of revisions in one SQLite table, and what may be said to it.

A row per change: its revision, key, the revision that created the key, and the value (NULL for a deletion).
``compacted`` in ``state`` is the revision up to which history is forgotten; rows that no reader can ask for any
more are erased in pieces. Read from the start, the log gives the present and the retained past.
WAL with synchronous=FULL: a statement that returned survives a crash of the machine. The exclusive lock keeps a
second process out and spares the shared-memory file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from pybernetes.storage.port import Corrupt, InUse, StoreError

Row: TypeAlias = tuple[int, str, int, bytes | None]
"""(revision, key, created, value)"""
SCHEMA_VERSION: Final = 1
_APPLICATION_ID: Final = 0x70796265
_ROWS_PER_STATEMENT: Final = 64
_SCHEMA: Final = f"""
    CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, value BLOB) STRICT;
    CREATE TABLE state (compacted INTEGER NOT NULL) STRICT;
    INSERT INTO state VALUES (0);
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {SCHEMA_VERSION};
"""
_INSERT: Final = tuple("INSERT INTO log VALUES " + ",".join(["(?,?,?,?)"] * n) for n in range(_ROWS_PER_STATEMENT + 1))
_ERASE: Final = "DELETE FROM log WHERE revision IN (SELECT value FROM json_each(?))"


@dataclass(slots=True)
class Log:
    """An open file. Its methods block; each is one durable transaction. Raises sqlite3.Error."""

    connection: sqlite3.Connection

    def rows(self) -> Iterator[Row]:
        """Every row in order of its revision."""
        return self.connection.execute("SELECT revision, key, created, value FROM log ORDER BY revision")

    def compacted(self) -> int:
        """The revision up to which history is forgotten."""
        return int(self.connection.execute("SELECT compacted FROM state").fetchone()[0])

    def append(self, rows: Sequence[Row]) -> None:
        """Make rows durable, all or none.

        One statement of many rows holds the interpreter's lock only while its values are bound: the event loop
        runs on while SQLite works and the disk syncs.
        """
        if len(rows) <= _ROWS_PER_STATEMENT:
            self._insert(rows)
            return
        with self._transaction():
            for start in range(0, len(rows), _ROWS_PER_STATEMENT):
                self._insert(rows[start : start + _ROWS_PER_STATEMENT])

    def erase(self, revisions: Sequence[int], compacted: int) -> None:
        """Forget rows, and that history reaches back to before ``compacted``."""
        with self._transaction():
            self.connection.execute(_ERASE, (f"[{','.join(map(str, revisions))}]",))
            self.connection.execute("UPDATE state SET compacted = max(compacted, ?)", (compacted,))

    def close(self) -> None:
        self.connection.close()

    def _insert(self, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.execute(_INSERT[len(rows)], [field for row in rows for field in row])

    def _transaction(self) -> _Transaction:
        return _Transaction(self.connection)


class _Transaction:
    """BEGIN … COMMIT, rolled back by any exception."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")


def open_log(path: Path) -> Log:
    """Open or create the file. Raises Corrupt, InUse, or StoreError for a file that cannot be opened."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep_private(path)
        log = Log(_connect(path))
    except (sqlite3.Error, OSError) as error:
        raise explained(path, error) from error
    try:
        _prepare(path, log.connection)
    except sqlite3.Error as error:
        log.close()
        raise explained(path, error) from error
    except StoreError:
        log.close()
        raise
    return log


def explained(path: Path, error: Exception) -> StoreError:
    """A failure to open or read, as a sentence that names the file and the remedy."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return InUse(f"{path} is in use by another process: stop that one first, or choose another data directory")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or type(error) is sqlite3.DatabaseError:
        return damaged(path, str(error))
    return StoreError(f"{path} cannot be opened: {error}; check that the directory exists and may be written to")


def damaged(path: Path, why: str) -> Corrupt:
    return Corrupt(
        f"{path} is damaged ({why}): put a backup in its place, "
        f"or move it and {path.name}-wal away to start with an empty cluster"
    )


def _keep_private(path: Path) -> None:
    """Have the file, for its owner's eyes only: Secrets are in it. SQLite gives the files beside it the same rights."""
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.exists() and file.stat().st_mode & 0o077:
            file.chmod(0o600)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 16777216")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not tables:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
    elif owner != _APPLICATION_ID:
        raise damaged(path, "it is a database of something else")
    elif version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by another version of pybernetes (schema {version}, this one reads "
            f"{SCHEMA_VERSION}): use that version, or move the file away to start with an empty cluster"
        )
    connection.execute("COMMIT")
