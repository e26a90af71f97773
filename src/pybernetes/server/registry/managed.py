"""metadata.managedFields: who set which field, kept true by every write.

Rule 1: changes are noted in the stored row's form and apiVersion, an apply in those that were asked for.
Rule 2: a write that changes nothing but resourceVersion notes nothing, so that it stays no write at all.
Rule 3: an object is looked at through the paths that its door may write (ResetFields of the strategies).
Neighbours: ``meta/apply.py`` decides who owns what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import apply
from pybernetes.meta.objects import Obj
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.doors import put

_APPLY: Final = "application/apply-patch"
_STATUS: Final = (("status",),)
_BUT_STATUS: Final = (("spec",), ("metadata", "ownerReferences"))


def created(call: Call, obj: Obj) -> None:
    """Note who created the object with what."""
    if not _is_apply(call):
        put(obj["metadata"], "managedFields", _tracked(call, None, obj) or None)


def updated(call: Call, new: Obj, old: Obj) -> bool:
    """Note what a write has changed; True where it has changed nothing."""
    meta, owners = new["metadata"], old["metadata"].get("managedFields")
    given = meta.get("managedFields")
    if given is None and owners:
        given = meta["managedFields"] = owners
    if new == old:
        return True
    if _is_apply(call):
        return _same_but_times(new, old)
    put(meta, "managedFields", _tracked(call, old, new) or None)
    return False


def applied(call: Call, live: Obj | None, body: Obj) -> Obj:
    """The object after an apply patch, in the asked form. Raises Conflict and BadRequest."""
    kind = call.kind
    return apply.apply(
        call.context.schemas, kind.definition, live, body, manager=call.manager, api_version=kind.api_version,
        subresource=call.subresource, force=call.request.flag("force"), now=call.context.timestamp(),
        ignored=_ignored(call.row, call.subresource),
    )  # fmt: skip


def _tracked(call: Call, old: Obj | None, new: Obj) -> Sequence[Obj]:
    row = call.row
    return apply.track(
        call.context.schemas, row.definition, old, new, manager=call.manager, api_version=row.api_version,
        subresource=call.subresource, now=call.context.timestamp(), ignored=_ignored(row, call.subresource),
    )  # fmt: skip


def _ignored(row: Kind, subresource: str) -> Sequence[Sequence[str]]:
    if subresource == "status":
        return _BUT_STATUS
    return _STATUS if "status" in row.subresources else ()


def _is_apply(call: Call) -> bool:
    """Has ``applied`` noted the owners already?"""
    return call.info.verb == "patch" and call.request.headers.get("content-type", "").startswith(_APPLY)


def _same_but_times(new: Obj, old: Obj) -> bool:
    """Would an apply change nothing but the time at which somebody became an owner?"""
    return _timeless(new) == _timeless(old)


def _timeless(obj: Obj) -> Obj:
    meta = obj["metadata"]
    entries = [{k: v for k, v in entry.items() if k != "time"} for entry in meta.get("managedFields") or ()]
    return {**obj, "metadata": {**meta, "managedFields": entries}}
