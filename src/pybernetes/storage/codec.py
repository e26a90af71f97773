"""Keys and values as the store keeps them.

Rule 1: a key is ``/registry/<group or core>/<plural>/[<namespace>/]<name>``; nothing else parses or builds one.
Rule 2: a stored value is compact JSON that opens with apiVersion, kind and metadata and holds no resourceVersion,
        because the revision is known only after the write; ``splice`` puts it into the bytes on their way out,
        so an object is encoded once for the log, the answer, lists and watch events.
Rule 3: stored bytes are right-sized: orjson's own result keeps a buffer of several KB behind each small object.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj
from pybernetes.storage.port import Record

ROOT: Final = "/registry/"
_METADATA: Final = b'"metadata":{'
_FIRST: Final = ("apiVersion", "kind", "metadata")


def prefix(group: str, plural: str, namespace: str = "") -> str:
    """Where a resource's objects lie (in one namespace): ends with a slash."""
    inner = f"{namespace}/" if namespace else ""
    return f"{ROOT}{group or 'core'}/{plural}/{inner}"


def key(group: str, plural: str, namespace: str, name: str) -> str:
    """The key of one object; ``namespace`` is empty for cluster-scoped kinds."""
    return prefix(group, plural, namespace) + name


def encode(obj: Obj) -> bytes:
    """The stored form of an object, which is left as it is. Raises ValueError where it has no metadata."""
    metadata = obj.get("metadata")
    if not metadata:
        raise ValueError("an object without metadata cannot be stored")
    if "resourceVersion" in metadata:
        metadata = {k: v for k, v in metadata.items() if k != "resourceVersion"}
    ordered: dict[str, Any] = {"apiVersion": obj.get("apiVersion", ""), "kind": obj.get("kind", "")}
    ordered["metadata"] = metadata
    ordered.update((k, v) for k, v in obj.items() if k not in _FIRST)
    return bytes(memoryview(orjson.dumps(ordered)))


def splice(value: bytes, revision: int) -> bytes:
    """A stored value with its resourceVersion, ready for the wire.

    The first ``"metadata":{`` is the object's own: only two plain strings stand before it, and a quote inside a
    string is escaped. Raises ValueError for bytes that ``encode`` did not make.
    """
    spliced = value.replace(_METADATA, b'"metadata":{"resourceVersion":"%d",' % revision, 1)
    if len(spliced) == len(value):
        raise ValueError("a stored value has no metadata; only bytes made by codec.encode can be spliced")
    return spliced


def decode(value: bytes, revision: int) -> Obj:
    """The object of a stored value, as a dict of the caller's own, with its resourceVersion."""
    obj: Obj = orjson.loads(value)
    obj["metadata"]["resourceVersion"] = str(revision)
    return obj


def decode_record(record: Record) -> Obj:
    """``decode`` of a record."""
    return decode(record.value, record.revision)
