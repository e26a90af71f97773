"""Stored values as dicts, decoded once for everybody in this process.

Rule 1: a dict that has come out of here is shared and never changed.
Rule 2: a value is known by the very bytes object that the watch cache holds, so nothing can be out of date: what a
        writer leaves here before its write is what informers, admission and the next update find.
At most ``KEPT`` values are held; the oldest goes first.
"""

from __future__ import annotations

from typing import Final

import orjson

from pybernetes.meta.objects import Obj
from pybernetes.storage import codec
from pybernetes.storage.port import Record

KEPT: Final = 4096


class Decoded:
    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._values: dict[int, tuple[bytes, Obj]] = {}

    def record(self, record: Record) -> Obj:
        """The object of a record, with its resourceVersion."""
        return self.value(record.value, record.revision)

    def value(self, value: bytes, revision: int) -> Obj:
        """The object of a stored value that was written at ``revision``."""
        found = self._values.get(id(value))
        if found is not None and found[0] is value:
            obj = found[1]
            if "resourceVersion" not in obj["metadata"]:
                obj["metadata"]["resourceVersion"] = str(revision)
            return obj
        obj = codec.decode(value, revision)
        self._keep(value, obj)
        return obj

    def before(self, value: bytes) -> Obj:
        """The object of a superseded value, for comparing: its resourceVersion may be missing."""
        found = self._values.get(id(value))
        return found[1] if found is not None and found[0] is value else orjson.loads(value)

    def put(self, value: bytes, obj: Obj) -> None:
        """Leave the dict that ``value`` was encoded from, without a resourceVersion; nobody changes it any more."""
        obj["metadata"].pop("resourceVersion", None)
        self._keep(value, obj)

    def _keep(self, value: bytes, obj: Obj) -> None:
        values = self._values
        if len(values) >= self._kept:
            del values[next(iter(values))]
        values[id(value)] = (value, obj)
