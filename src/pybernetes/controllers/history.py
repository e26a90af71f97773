"""ControllerRevisions: the templates that a DaemonSet or a StatefulSet has had (pkg/controller/history).

Rule: the revision of the template as it is now bears the highest number; one that becomes so again, after an undo, gets
a new number. What no pod needs any more is kept up to ``revisionHistoryLimit``.
Neighbours: ``daemonset`` and ``statefulset``, whose pods bear the revision as a label.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, Create, Delete, Update
from pybernetes.control.controller import Input, Output, Snapshot
from pybernetes.controllers import hashing, keys
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

REVISIONS: Final = "controllerrevisions.apps"
HASH: Final = "controller-revision-hash"
"""The pods' label."""
OUTPUT: Final = Output(REVISIONS, ("create", "update", "patch", "delete"))


@dataclass(frozen=True, slots=True)
class History:
    """``writes`` make it true, and come before all that counts on it."""

    current: Obj
    """The revision of the template as it is now."""
    others: Sequence[Obj]
    """The eldest first."""
    collisions: int | None
    writes: Sequence[Action]


def input_of(resource: str, kind: str, selector: Callable[[Obj], Obj]) -> Input:
    """A revision wakes its owner."""
    return Input(REVISIONS, keys.of_controlled(resource, kind, selector))


def of(snapshot: Snapshot, owner: Obj, mark: str) -> History:
    """The owner's history; ``mark`` is the label by which a revision tells its hash."""
    claimed = ownership.claim(snapshot, REVISIONS, owner, objects.get(owner, "spec", "selector", default={}))
    ordered = sorted(claimed.objects, key=_by_age)
    wanted = hashing.bare(owner["spec"]["template"])
    same = [each for each in ordered if hashing.bare(template(each)) == wanted]
    number = _number(ordered[-1]) + 1 if ordered else 1
    collisions = objects.get(owner, "status", "collisionCount")
    writes: list[Action] = [*claimed.patches]
    if same:
        current = same[-1]
        others = [each for each in ordered if each is not current]
        if current is not ordered[-1]:
            current = {**current, "revision": number}
            writes.append(Update(REVISIONS, current))
        return History(current, others, collisions, writes)
    hash_, collisions = _free(snapshot, owner, collisions)
    current = _made(owner, hash_, number, mark)
    return History(current, ordered, collisions, [*writes, Create(REVISIONS, current)])


def template(revision: Obj) -> Obj:
    """The template that a revision keeps."""
    kept: Obj = objects.get(revision, "data", "spec", "template", default={})
    return {key: value for key, value in kept.items() if key != "$patch"}


def surplus(owner: Obj, others: Iterable[Obj], used: Collection[str], name: Callable[[Obj], str]) -> Iterable[Delete]:
    """The eldest revisions beyond the limit; ``used`` are the names, as ``name`` tells them, that pods bear."""
    idle = [each for each in others if name(each) not in used]
    limit = objects.get(owner, "spec", "revisionHistoryLimit", default=10)
    for gone in idle[: max(0, len(idle) - limit)]:
        yield Delete(REVISIONS, objects.namespace(gone), objects.name(gone), uid=objects.uid(gone))


def _free(snapshot: Snapshot, owner: Obj, collisions: int | None) -> tuple[str, int | None]:
    """A hash whose name is free, and how many were not by now."""
    while True:
        hash_ = hashing.of(owner["spec"]["template"], collisions)
        if snapshot.get(REVISIONS, objects.namespace(owner), f"{objects.name(owner)}-{hash_}") is None:
            return hash_, collisions
        collisions = (collisions or 0) + 1


def _made(owner: Obj, hash_: str, number: int, mark: str) -> Obj:
    kept = owner["spec"]["template"]
    metadata = {
        "name": f"{objects.name(owner)}-{hash_}",
        "namespace": objects.namespace(owner),
        "labels": {**objects.labels(kept), mark: hash_},
        "annotations": dict(objects.annotations(owner)),
        "ownerReferences": [objects.owner_reference(owner)],
    }
    data = {"spec": {"template": {**kept, "$patch": "replace"}}}
    return {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "data": data,
            "revision": number}  # fmt: skip


def _number(revision: Obj) -> int:
    return int(revision.get("revision", 0))


def _by_age(revision: Obj) -> tuple[int, str, str]:
    return _number(revision), objects.meta(revision).get("creationTimestamp") or "~", objects.name(revision)
