"""Adoption and release: which objects belong to a controller's owner, and what must be written to make it so.

Rule: an object is the owner's when its controller reference says so by uid and the selector matches. One whose labels
no longer match is let go; one without a controller whose labels match is taken in. An owner that is being deleted does
neither, and no object that is being deleted is taken in (pkg/controller.ControllerRefManager).
Neighbours: the plans in ``controllers``, which put the patches before whatever else they do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pybernetes.control.actions import Patch
from pybernetes.control.controller import Snapshot
from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector


class Claimed(NamedTuple):
    """The owner's objects, those just taken in among them, and the patches that make the claim true."""

    objects: Sequence[Obj]
    patches: Sequence[Patch]


def claim(
    snapshot: Snapshot, resource: str, owner: Obj, selector: Obj, eligible: Callable[[Obj], bool] = lambda obj: True
) -> Claimed:
    """Claim objects of ``resource`` in the owner's namespace; ``eligible`` narrows what is looked at."""
    matcher = selectors.from_label_selector(selector)
    mine: list[Obj] = []
    patches: list[Patch] = []
    for obj in filter(eligible, candidates(snapshot, resource, owner, selector)):
        patch = _patch(resource, owner, obj, matcher)
        if patch is not None:
            patches.append(patch)
        if _stays(owner, obj, matcher):
            mine.append(obj)
    return Claimed(mine, patches)


def candidates(snapshot: Snapshot, resource: str, owner: Obj, selector: Obj) -> Iterable[Obj]:
    """Objects that refer to the owner or match its selector, each once, in order of their names."""
    found = {objects.name(o): o for o in snapshot.owned(resource, objects.uid(owner))}
    found |= {objects.name(o): o for o in snapshot.select(resource, objects.namespace(owner), selector)}
    return (found[name] for name in sorted(found))


def is_controlled_by(obj: Obj, owner: Obj) -> bool:
    """Does the object's controller reference name this very owner?"""
    reference = objects.controller_of(obj)
    return reference is not None and reference.get("uid") == objects.uid(owner)


def _stays(owner: Obj, obj: Obj, matcher: LabelSelector) -> bool:
    if not matcher.matches(objects.labels(obj)):
        return False
    return is_controlled_by(obj, owner) or _may_adopt(owner, obj)


def _may_adopt(owner: Obj, obj: Obj) -> bool:
    orphan = objects.controller_of(obj) is None
    return orphan and not objects.is_deleting(owner) and not objects.is_deleting(obj)


def _patch(resource: str, owner: Obj, obj: Obj, matcher: LabelSelector) -> Patch | None:
    matches = matcher.matches(objects.labels(obj))
    if matches and _may_adopt(owner, obj):
        return _owners_patch(resource, obj, objects.owner_reference(owner))
    if not matches and is_controlled_by(obj, owner) and not objects.is_deleting(owner):
        return _owners_patch(resource, obj, {"$patch": "delete", "uid": objects.uid(owner)})
    return None


def _owners_patch(resource: str, obj: Obj, reference: Obj) -> Patch:
    """A patch of one owner reference that fails if another object has taken the name meanwhile."""
    return Patch(
        resource, objects.namespace(obj), objects.name(obj),
        {"metadata": {"uid": objects.uid(obj), "ownerReferences": [reference]}},
        kind="strategic", ok_if_missing=True,
    )  # fmt: skip
