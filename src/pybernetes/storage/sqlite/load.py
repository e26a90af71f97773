"""From the log to the present and the retained past, in one pass over its rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pybernetes.storage.encrypted.providers import SEALED
from pybernetes.storage.history import Step
from pybernetes.storage.port import Change, Record, StoreError
from pybernetes.storage.sqlite.log import Log, explained
from pybernetes.storage.view import View


def load(path: Path, log: Log, view: View) -> list[int]:
    """Fill ``view``; the revisions of rows that a crash left behind though nobody can ask for them any more.

    Raises Corrupt where the file cannot be read, and StoreError where keys are missing.
    """
    try:
        return _load(log, view)
    except sqlite3.Error as error:
        raise explained(path, error) from error


def _load(log: Log, view: View) -> list[int]:
    compacted = revision = log.compacted()
    live: dict[str, Record] = {}
    steps: list[Step] = []
    left: list[int] = []
    for revision, key, created, value in log.rows():
        if value is not None and value.startswith(SEALED):
            raise StoreError(f"{key} lies sealed in the store: give the keys with --encryption-provider-config")
        before = live.get(key)
        after = None if value is None else Record(key, value, revision, created)
        if after is not None:
            live[key] = after
        elif before is not None:
            del live[key]
        if revision > compacted:
            previous = before.value if before else None
            steps.append(Step(Change(key, revision, created, value, previous), before, after))
        else:
            left += forgotten(Step(Change(key, revision, created, value, None), before, after))
    view.restore(live.values(), steps, oldest=compacted, revision=max(revision, compacted))
    return left


def forgotten(step: Step) -> list[int]:
    """The rows that nobody can ask for once ``step`` is compacted: what it replaced, and itself if a deletion."""
    rows = [step.before.revision] if step.before else []
    return rows if step.after else [*rows, step.change.revision]
