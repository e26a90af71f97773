"""Who is woken by a change of a claim, a volume or a class. Pure.

Rule: a volume wakes its claim and the claim its volumes; only a volume that is free wakes claims that look for one, and
only those of its class.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.control.controller import Key, Snapshot
from pybernetes.controllers import keys
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def nobody(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The plan looks, but a change alone is no reason for one."""
    return ()


def by_claim(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The claim, the volume that it names, and all that name it."""
    claim = new or old or {}
    found = {keys.of(claim): None}
    if name := objects.get(claim, "spec", "volumeName"):
        found[Key("", name)] = None
    if new is None or old is None or _names(old) != _names(new):
        for volume in snapshot.list(volumes.VOLUMES):
            ref = volumes.claim_ref(volume)
            if (ref.get("namespace"), ref.get("name")) == (objects.namespace(claim), objects.name(claim)):
                found[keys.of(volume)] = None
    return found


def _names(claim: Obj) -> str:
    return str(objects.get(claim, "spec", "volumeName", default=""))


def by_volume(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The volume, the claim that it names, and those that name it or may take it."""
    volume = new or old or {}
    found = {keys.of(volume): None}
    for each in (old, new):
        ref = volumes.claim_ref(each) if each is not None else {}
        if ref:
            found[Key(ref.get("namespace", ""), ref.get("name", ""))] = None
    if new is None or not volumes.claim_ref(new):
        found |= {keys.of(claim): None for claim in snapshot.list(volumes.CLAIMS) if _may_care(claim, volume)}
    return found


def _may_care(claim: Obj, volume: Obj) -> bool:
    named = objects.get(claim, "spec", "volumeName")
    if named:
        return bool(named == objects.name(volume))
    return volumes.class_of(claim) == volumes.class_of(volume)


def by_class(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """Claims of the class that have no volume, and those without a class where it is the default one now."""
    if new is None:
        return ()
    name, is_default = objects.name(new), volumes.is_default_class(new)
    return [
        keys.of(claim)
        for claim in snapshot.list(volumes.CLAIMS)
        if not objects.get(claim, "spec", "volumeName")
        and (volumes.class_of(claim) == name or (is_default and claim["spec"].get("storageClassName") is None))
    ]
