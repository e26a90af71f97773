"""delete and deletecollection: at once, with grace, or when the last finalizer is gone.

Rule 1: an object with finalizers, or with grace left, stays and says so by its ``deletionTimestamp``; the update that
        takes the last finalizer away removes it (``update.py``).
Rule 2: whoever asks again may only shorten the grace.
Rule 3: how dependents go is told by a finalizer: ``orphan`` or ``foregroundDeletion``; the garbage collector acts.
Rule 4: a namespace becomes Terminating; its controller empties it and takes ``spec.finalizers`` away.
Sources: apiserver/pkg/registry/rest/delete.go, Store.Delete, registry/core/namespace/storage.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from pybernetes.meta import errors, times
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import deleteoptions, encode, hooks, read, selection, update
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.deleteoptions import BACKGROUND, FOREGROUND, ORPHAN, Options
from pybernetes.server.registry.doors import put
from pybernetes.server.registry.encode import Stored
from pybernetes.storage import codec
from pybernetes.storage.port import Mismatch, Record

_AT_ONCE: Final = 64
"""Of a collection so many are deleted together, since a durable store makes them durable together."""
_FINALIZERS: Final = {ORPHAN: "orphan", FOREGROUND: "foregroundDeletion"}
_SHOWN: Final = frozenset(
    (
        "persistentvolumeclaims", "persistentvolumes", "pods", "podtemplates", "resourcequotas", "serviceaccounts",
        "services",
    )
)  # fmt: skip
"""Resources whose deletion answers the object (ReturnDeletedObject); the others answer a Status."""


@dataclass(slots=True)
class Outcome:
    """What became of the object; ``gone`` when it is removed."""

    stored: Stored
    gone: bool


async def delete(call: Call) -> Response:
    answer = encode.wanted(call)
    options = deleteoptions.of(call)
    outcome = await remove(call, options)
    status = 202 if options.propagation == FOREGROUND and not outcome.gone else 200
    if outcome.gone and call.row.resource not in _SHOWN:
        return _success(call, outcome.stored)
    return encode.stored(call, outcome.stored, answer, status)


def _success(call: Call, stored: Stored) -> Response:
    obj = stored.obj if stored.obj is not None else call.context.decoded.value(stored.value, stored.revision)
    details = {"name": call.name, "group": call.kind.group, "kind": call.kind.plural, "uid": obj["metadata"].get("uid")}
    return encode.plain(call, encode.success({key: value for key, value in details.items() if value}))


async def delete_collection(call: Call) -> Response:
    """Every selected object of the path, each as by itself."""
    answer = encode.wanted(call, many=True)
    options, chosen = deleteoptions.of(call), selection.of(call)
    records = read.selected(call, chosen)
    shown: list[Obj] = []
    for start in range(0, len(records), _AT_ONCE):
        group = [_remove_one(call, options, record) for record in records[start : start + _AT_ONCE]]
        shown += [obj for obj in await asyncio.gather(*group) if obj is not None]
    metadata = {"resourceVersion": str(call.context.cache.revision)}
    return encode.many(call, [call.asked_form(obj) for obj in shown], metadata, answer)


async def _remove_one(call: Call, options: Options, record: Record) -> Obj | None:
    """One of a collection, as it is afterwards or was at its end; None if it was gone already, as is wanted."""
    *_, namespace, name = record.key.split("/")
    try:
        outcome = await remove(replace(call, name=name, namespace=namespace if call.row.namespaced else ""), options)
    except errors.NotFound:
        return None
    return call.context.decoded.value(outcome.stored.value, outcome.stored.revision)


async def remove(call: Call, options: Options) -> Outcome:
    """Delete the named object, or begin to. Raises NotFound, Conflict and what admission raises."""
    for _ in range(update.ATTEMPTS):
        record = read.record_of(call)
        obj = call.context.decoded.record(record)
        _check_preconditions(call, options, record, obj)
        attributes = call.attributes("delete", None, obj, options.raw)
        await call.context.admission.admit(attributes)
        await call.context.admission.validate(attributes)
        try:
            return await _remove(call, options, record, obj)
        except Mismatch:
            continue  # changed meanwhile: judge again what is there now
    raise call.conflict()


def _check_preconditions(call: Call, options: Options, record: Record, obj: Obj) -> None:
    uid = obj["metadata"].get("uid", "")
    if options.uid and options.uid != uid:
        raise call.conflict(
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid}). "
            "The object might have been deleted and then recreated"
        )
    if options.resource_version and options.resource_version != str(record.revision):
        raise call.conflict(
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the ResourceVersion "
            f"in record ({record.revision}). The object might have been modified"
        )


async def _remove(call: Call, options: Options, record: Record, obj: Obj) -> Outcome:
    """One attempt. Raises Mismatch."""
    obj = hooks.before_delete(call, obj)
    marked = _namespace_marked(call, obj) if call.row.resource == "namespaces" else _marked(call, options, obj)
    if marked is obj:
        return Outcome(Stored.of(record), gone=False)
    if marked is None:
        if not call.dry_run:
            await call.context.cache.delete(call.key, expect=record.revision)
            hooks.deleted(call, obj)
        return Outcome(Stored.of(record), gone=True)
    value = codec.encode(marked)
    if call.dry_run:
        return Outcome(Stored(value, record.revision, marked), gone=False)
    call.context.decoded.put(value, marked)
    revision = await call.context.cache.write(call.key, value, expect=record.revision)
    return Outcome(Stored(value, revision), gone=False)


def _marked(call: Call, options: Options, obj: Obj) -> Obj | None:
    """What the object becomes: None when it goes now, ``obj`` itself when nothing changes (BeforeDelete)."""
    meta = dict(obj["metadata"])
    marked = {**obj, "metadata": meta}
    now = call.context.clock.time()
    if meta.get("deletionTimestamp") and meta.get("deletionGracePeriodSeconds"):
        if not _shorten(meta, options.grace_period_seconds):
            return obj
    else:
        seconds = call.row.strategy.graceful(obj, options.grace_period_seconds)
        put(meta, "finalizers", _finalizers(call, options, obj) or None)
        if meta.get("deletionTimestamp"):
            seconds = 0
        if not seconds and not meta.get("finalizers"):
            return None
        _mark(meta, now, seconds or 0)
    if not meta["deletionGracePeriodSeconds"] and not meta.get("finalizers"):
        return None
    return obj if marked == obj else marked


def _mark(meta: Obj, now: float, seconds: int) -> None:
    """``deletionTimestamp`` is when the grace ends; the generation grows with the first mark."""
    meta["deletionGracePeriodSeconds"] = seconds
    if meta.get("deletionTimestamp"):
        return
    meta["deletionTimestamp"] = times.render(now + seconds)
    if meta.get("generation"):
        meta["generation"] += 1


def _shorten(meta: Obj, asked: int | None) -> bool:
    """Does the caller ask for less grace than is left to an object that is being deleted already?"""
    given = meta["deletionGracePeriodSeconds"]
    if asked is None or asked >= given:
        return False
    meta["deletionTimestamp"] = times.render(times.parse(meta["deletionTimestamp"]) - given + asked)
    meta["deletionGracePeriodSeconds"] = asked
    return True


def _finalizers(call: Call, options: Options, obj: Obj) -> list[str]:
    """The finalizers with those that tell how dependents go (deletionFinalizersForGarbageCollection)."""
    had: list[str] = obj["metadata"].get("finalizers") or []
    policy = options.propagation or _policy_of(had) or call.row.strategy.default_propagation
    kept = [name for name in had if name not in _FINALIZERS.values()]
    return kept if policy == BACKGROUND else [*kept, _FINALIZERS[policy]]


def _policy_of(finalizers: list[str]) -> str:
    return next((policy for policy, name in _FINALIZERS.items() if name in finalizers), "")


def _namespace_marked(call: Call, obj: Obj) -> Obj | None:
    """A namespace ends with its last finalizer of either kind."""
    meta = obj["metadata"]
    held = bool((obj.get("spec") or {}).get("finalizers"))
    if meta.get("deletionTimestamp"):
        return obj if held or meta.get("finalizers") else None
    if not held and not meta.get("finalizers"):
        return None
    marked = {**meta, "deletionTimestamp": times.render(call.context.clock.time())}
    return {**obj, "metadata": marked, "status": {**(obj.get("status") or {}), "phase": "Terminating"}}
