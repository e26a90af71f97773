"""What single kinds need of the world around a write: an address, the caller's name.

Rule: strategies are pure; whatever a kind wants from the server's state is called from here, and only from here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.server.registry import services
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.context import Context
from pybernetes.storage import codec

DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"
EVENTS: Final = "events"
SERVICES: Final = "services"
SIGNING_REQUESTS: Final = "certificatesigningrequests.certificates.k8s.io"


@dataclass(slots=True)
class Taken:
    """What a write has been given, until it is given back."""

    give_back: Callable[[], None]


_NOTHING: Final = Taken(lambda: None)


def before_create(call: Call, obj: Obj) -> None:
    """Write down what only the server knows of a new object."""
    if call.row.resource == SIGNING_REQUESTS:
        _note_requester(call, obj)


def before_delete(call: Call, obj: Obj) -> Obj:
    """What becomes of an object first when its deletion is asked for."""
    if call.row.resource == DEFINITIONS and not obj["metadata"].get("deletionTimestamp"):
        from pybernetes.kinds.custom import acceptance

        return acceptance.marked(obj, call.context.timestamp())
    return obj


def allocate(call: Call, new: Obj, old: Obj | None) -> Taken:
    """Take for ``new`` what it needs beyond ``old``. Raises Invalid."""
    if call.row.resource != SERVICES:
        return _NOTHING
    allocator = allocator_of(call.context)
    try:
        held = allocator.allocate(new, old)
    except services.Refused as refused:
        raise call.invalid([refused.error]) from refused
    return Taken(lambda: allocator.give_back(held))


def stored(call: Call, revision: int, new: Obj, old: Obj | None) -> None:
    """``new`` has been stored, in the place of ``old`` if there was one."""
    if call.row.resource == EVENTS:
        call.context.expiry.wrote(call.key, revision)
    elif call.row.resource == DEFINITIONS:
        call.context.defined(new)
    elif call.row.resource == SERVICES and old is not None:
        allocator_of(call.context).release(old, new)


def deleted(call: Call, old: Obj) -> None:
    """``old`` is gone."""
    if call.row.resource == SERVICES:
        allocator_of(call.context).release(old)


def allocator_of(context: Context) -> services.Allocator:
    """The one allocator; it begins with what the stored Services hold."""
    if context.allocator is None:
        context.allocator = services.Allocator(context.service_network, context.entropy)
        records, _ = context.cache.list(codec.prefix("", "services"))
        context.allocator.occupy([context.decoded.record(record) for record in records])
    return context.allocator


def _note_requester(call: Call, obj: Obj) -> None:
    """Who asks for a certificate is whoever the server knows the caller to be."""
    spec = obj.get("spec") or {}
    user = call.user
    for key in ("username", "uid", "groups", "extra"):
        spec.pop(key, None)
    spec["username"] = user.name
    if user.uid:
        spec["uid"] = user.uid
    if user.groups:
        spec["groups"] = list(user.groups)
    if user.extra:
        spec["extra"] = {key: list(values) for key, values in user.extra.items()}
    obj["spec"] = spec
