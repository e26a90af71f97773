"""create: an object that was not there before.

Order (apiserver/pkg/registry/rest.BeforeCreate and the handler before it): decode → who and when → defaults →
mutating admission → prepare → judge → validating admission → allocate → write.
Neighbours: ``update.py`` does the same for what is there; ``hooks.py`` has what single kinds need of the world.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import blank, decode, encode, hooks, judge, managed
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.encode import Stored
from pybernetes.storage import codec
from pybernetes.storage.port import ABSENT, Mismatch

_GENERATED_BASE_MAX: Final = 58
"""Of a name's 63 characters five are chance (names.simpleNameGenerator)."""
_ATTEMPTS: Final = 8
_NOT_THE_CLIENTS: Final = ("selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion")


async def create(call: Call) -> Response:
    """POST to a collection."""
    answer = encode.wanted(call)
    for attempt in range(_ATTEMPTS):
        obj = call.stored_form(decode.body(call))
        generated = _named(call, obj)
        try:
            return encode.stored(call, await insert(call, obj), answer, 201)
        except errors.AlreadyExists:
            if not generated or attempt == _ATTEMPTS - 1:
                raise
            call.name = ""
    raise AssertionError("unreachable")


def _named(call: Call, obj: Obj) -> bool:
    """Put the object where the path says and give it a name; was the name generated? Raises BadRequest."""
    meta = placed(call, obj)
    name, prefix = meta.get("name") or "", meta.get("generateName") or ""
    if not name and prefix:
        name = meta["name"] = prefix[:_GENERATED_BASE_MAX] + call.context.entropy.suffix()
        call.name = name
        return True
    call.name = name
    return False


def placed(call: Call, obj: Obj) -> Obj:
    """The object's metadata, in the namespace of the path (EnsureObjectNamespaceMatchesRequestNamespace)."""
    meta: Obj = obj.get("metadata") or {}
    obj["metadata"] = meta
    told = meta.get("namespace") or ""
    if call.namespace:
        if told not in ("", call.namespace):
            raise errors.BadRequest(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        meta["namespace"] = call.namespace
    elif not call.row.namespaced:
        meta.pop("namespace", None)
    return meta


async def insert(call: Call, obj: Obj) -> Stored:
    """Store a new object of the stored form, which is the caller's own and named. Raises AlreadyExists and others."""
    context, row = call.context, call.row
    strategy = row.strategy
    _stamp(call, obj)
    hooks.before_create(call, obj)
    strategy.default(obj)
    managed.created(call, obj)  # before admission and allocation: what the server adds is nobody's, as upstream
    attributes = call.attributes("create", obj, None)
    await context.admission.admit(attributes)
    strategy.prepare_create(obj)
    blank.give_status(row, context.schemas, obj)
    judge.creation(call, obj)
    try:
        await context.admission.validate(attributes)
        return await _allocated(call, obj)
    finally:
        attributes.release()


async def _allocated(call: Call, obj: Obj) -> Stored:
    taken = hooks.allocate(call, obj, None)
    try:
        return await _write(call, obj)
    except BaseException:
        taken.give_back()
        raise
    finally:
        if call.dry_run:
            taken.give_back()


def _stamp(call: Call, obj: Obj) -> None:
    """What only the server says of a new object (rest.FillObjectMetaSystemFields)."""
    context, strategy, meta = call.context, call.row.strategy, obj["metadata"]
    if meta.get("resourceVersion"):
        raise errors.BadRequest("resourceVersion should not be set on objects to be created")
    for key in _NOT_THE_CLIENTS:
        meta.pop(key, None)
    meta["uid"] = context.entropy.uid()
    meta["creationTimestamp"] = context.timestamp()
    if strategy.has_generation:
        meta["generation"] = 1
    else:
        meta.pop("generation", None)
    if "status" in call.row.subresources and not strategy.create_with_status:
        obj.pop("status", None)


async def _write(call: Call, obj: Obj) -> Stored:
    context = call.context
    value = codec.encode(obj)
    if call.dry_run:
        if context.cache.get(call.key) is not None:
            raise errors.already_exists(call.kind.group, call.kind.plural, call.name)
        return Stored(value, 0, obj)
    context.decoded.put(value, obj)
    try:
        revision = await context.cache.write(call.key, value, expect=ABSENT)
    except Mismatch as mismatch:
        raise errors.already_exists(call.kind.group, call.kind.plural, call.name) from mismatch
    hooks.stored(call, revision, obj, None)
    return Stored(value, revision)
