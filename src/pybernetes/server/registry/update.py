"""update: what is there becomes something else, or stays as it is and nothing is written.

Order: read → the new object → version → defaults → mutating admission → the door's prepare → judge → validating
admission → allocate → write, expecting the revision that was read (rest.BeforeUpdate, Store.Update).
Rule 1: a client that names a resourceVersion gets a Conflict if it is not the current one; one that names none is
        tried again when somebody else was faster.
Rule 2: a write that would change nothing is not made, so resourceVersions and watches stay quiet.
Rule 3: an object that is being deleted is gone with its last finalizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybernetes.kinds.strategy import objectmeta
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import create, decode, encode, hooks, managed
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.doors import OBJECT, Door
from pybernetes.server.registry.encode import Stored
from pybernetes.storage import codec
from pybernetes.storage.port import Mismatch, Record

ATTEMPTS: Final = 100
"""Of a hundred writers of one object each gets its turn; whoever waits longer is told of a conflict."""
Change = Callable[[Record], Obj]
"""From what is stored to the new object of the stored form, which belongs to the caller down to its last dict."""


async def update(call: Call, door: Door = OBJECT) -> Response:
    """PUT."""
    answer = encode.wanted(call)
    first: Obj | None = _replacement(call)
    if door is OBJECT and call.row.strategy.allow_create_on_update and call.context.cache.get(call.key) is None:
        assert first is not None
        first["metadata"].pop("resourceVersion", None)
        return encode.stored(call, await create.insert(call, first), answer, 201)

    def replaced(_: Record) -> Obj:
        nonlocal first
        obj, first = first if first is not None else _replacement(call), None
        return obj

    return encode.stored(call, await modify(call, replaced, door), answer)


def _replacement(call: Call) -> Obj:
    """The body, which must be about the object of the path (checkName). Raises BadRequest."""
    obj = call.stored_form(decode.body(call))
    meta: Obj = obj.get("metadata") or {}
    obj["metadata"] = meta
    if (name := meta.get("name") or call.name) != call.name:
        raise errors.BadRequest(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    if (namespace := meta.get("namespace") or call.namespace) != call.namespace:
        raise errors.BadRequest(
            f"the namespace of the object ({namespace}) does not match the namespace on the request ({call.namespace})"
        )
    meta["name"] = name
    if namespace:
        meta["namespace"] = namespace
    return obj


async def modify(call: Call, change: Change, door: Door = OBJECT) -> Stored:
    """Change the named object. Raises NotFound, Conflict, Invalid and whatever ``change`` raises."""
    for _ in range(ATTEMPTS):
        record = call.context.cache.get(call.key)
        if record is None:
            raise call.not_found()
        new = change(record)
        _check_identity(call, new, record)
        try:
            return await _replace(call, door, record, new)
        except Mismatch:
            continue  # somebody was faster: the version check above decides whether that matters
    raise call.conflict()


def _check_identity(call: Call, new: Obj, record: Record) -> None:
    """Is the write about this object, as it is now? Raises Conflict and Invalid."""
    meta = new["metadata"]
    version = str(meta.get("resourceVersion") or "")
    if version in ("", "0"):
        if not call.row.strategy.unconditional_update:
            wrong = errors.FieldError(
                "FieldValueInvalid", "metadata.resourceVersion",
                "Invalid value: 0x0: must be specified for an update",
            )  # fmt: skip
            raise call.invalid([wrong])
    elif not version.isdecimal():
        raise call.invalid([errors.invalid("metadata.resourceVersion", version, "must be a number")])
    elif int(version) != record.revision:
        raise call.conflict()
    uid = call.context.decoded.record(record)["metadata"].get("uid", "")
    if meta.get("uid") and meta["uid"] != uid:
        raise call.conflict(f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {uid}")


async def _replace(call: Call, door: Door, record: Record, new: Obj) -> Stored:
    """One attempt. Raises Mismatch where the record is not the current one any more."""
    context = call.context
    old = context.decoded.record(record)
    objectmeta.prepare_update(new, old)
    call.row.strategy.default(new)
    attributes = call.attributes("update", new, old)
    await context.admission.admit(attributes)
    door.prepare(call.row, new, old)
    door.judge(call, new, old)
    try:
        await context.admission.validate(attributes)
        new["metadata"]["resourceVersion"] = str(record.revision)
        if managed.updated(call, new, old) and new == old:
            return Stored.of(record)
        return await _allocated(call, record, new, old)
    finally:
        attributes.release()


async def _allocated(call: Call, record: Record, new: Obj, old: Obj) -> Stored:
    taken = hooks.allocate(call, new, old)
    try:
        return await _write(call, record, new, old)
    except BaseException:
        taken.give_back()
        raise
    finally:
        if call.dry_run:
            taken.give_back()


async def _write(call: Call, record: Record, new: Obj, old: Obj) -> Stored:
    context = call.context
    value = codec.encode(new)
    if call.dry_run:
        return Stored(value, record.revision, new)
    if is_finished(new):
        revision = await context.cache.delete(call.key, expect=record.revision)
        hooks.deleted(call, old)
        return Stored(value, revision)
    context.decoded.put(value, new)
    revision = await context.cache.write(call.key, value, expect=record.revision)
    hooks.stored(call, revision, new, old)
    return Stored(value, revision)


def is_finished(obj: Obj) -> bool:
    """Is there nothing left that keeps a deleted object (ShouldDeleteDuringUpdate)?"""
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp") or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return not (obj.get("kind") == "Namespace" and (obj.get("spec") or {}).get("finalizers"))
