"""What one plan of a Deployment thinks in: its ReplicaSets and conditions as they shall become.

Rule: a draft changes copies; ``actions`` tells the difference between what was read and what was drafted, one write per
object and one event per change of size, in the order in which they must be performed.
Neighbours: everything in this package works on a draft; ``status.py`` makes the last action of its conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, Create, Delete, Event, Update
from pybernetes.controllers.deployment import amounts, revision
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

SETS: Final = "replicasets.apps"
PROGRESSING: Final = "Progressing"


class Draft:
    """``taken`` tells whether a name of a ReplicaSet is in use."""

    def __init__(self, deployment: Obj, sets: Sequence[Obj], now: float, taken: Callable[[str], bool]) -> None:
        self.read = deployment
        self.deployment = deployment
        self.now = now
        self.new = revision.find_new(deployment, sets)
        self.old = sorted((each for each in sets if each is not self.new), key=revision.by_age)
        self.conditions: dict[str, Obj] = {
            c["type"]: c for c in objects.get(deployment, "status", "conditions", default=[])
        }
        self.collisions: int | None = objects.get(deployment, "status", "collisionCount")
        self._taken = taken
        self._before = {objects.name(each): each for each in sets}
        self._deleted: list[Obj] = []

    # ── ReplicaSets ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def all(self) -> list[Obj]:
        return [*self.old, self.new] if self.new is not None else list(self.old)

    def put(self, changed: Obj) -> None:
        """Take ``changed`` in place of the ReplicaSet of its name."""
        name = objects.name(changed)
        if self.new is not None and objects.name(self.new) == name:
            self.new = changed
        else:
            self.old = [changed if objects.name(each) == name else each for each in self.old]

    def scale(self, each: Obj, size: int) -> bool:
        """Give a ReplicaSet a size; False when it has it."""
        if amounts.replicas(each) == size:
            return False
        self.put(revision.sized(self.deployment, each, size))
        return True

    def delete(self, each: Obj) -> None:
        self._deleted.append(each)

    def free_name(self) -> str:
        """The new ReplicaSet's hash; one whose name another template took is avoided and counted."""
        while True:
            hash_ = revision.template_hash(self.deployment["spec"]["template"], self.collisions)
            if not self._taken(f"{objects.name(self.deployment)}-{hash_}"):
                return hash_
            self.collisions = (self.collisions or 0) + 1

    # ── conditions ───────────────────────────────────────────────────────────────────────────────────────

    def set_condition(self, type_: str, status: str, reason: str, message: str) -> None:
        """Set a condition. One of the same status and reason stays as it is."""
        made, current = self.condition(type_, status, reason, message), self.conditions.get(type_)
        if current is not None and (current["status"], current.get("reason")) == (status, reason):
            return
        self.put_condition(made)

    def put_condition(self, made: Obj) -> None:
        """Set a condition as it is, at the end of the list."""
        self.conditions.pop(made["type"], None)
        self.conditions[made["type"]] = made

    def condition(self, type_: str, status: str, reason: str, message: str) -> Obj:
        """A new condition; its time of transition stays while its status does."""
        current, now = self.conditions.get(type_) or {}, times.render(self.now)
        since = current.get("lastTransitionTime", now) if current.get("status") == status else now
        return {
            "type": type_, "status": status, "lastUpdateTime": now, "lastTransitionTime": since,
            "reason": reason, "message": message,
        }  # fmt: skip

    # ── what to do ───────────────────────────────────────────────────────────────────────────────────────

    def actions(self) -> Iterable[Action]:
        """The writes to ReplicaSets, the new one's before the old ones'."""
        for each in filter(None, (self.new, *self.old)):
            before = self._before.get(objects.name(each))
            if before is None:
                yield self._create(each)
            elif each is not before:
                yield Update(SETS, each, event=self._scaled(each, amounts.replicas(before)))
        for gone in self._deleted:
            yield Delete(SETS, objects.namespace(gone), objects.name(gone), uid=objects.uid(gone))

    def _create(self, new: Obj) -> Create:
        message = f'Failed to create new replica set "{objects.name(new)}": {{error}}'
        return Create(
            SETS, new, event=self._scaled(new, 0),
            failure_event=Event(self.read, "Warning", "ReplicaSetCreateError", message),
            on_failure=self._create_failed(message),
        )  # fmt: skip

    def _create_failed(self, message: str) -> Update | None:
        told = self.condition(PROGRESSING, "False", "ReplicaSetCreateError", message)
        before = objects.condition(self.read, PROGRESSING) or {}
        if before.get("reason") == told["reason"] or not has_deadline(self.read):
            return None
        others = [c for c in self.conditions.values() if c["type"] != PROGRESSING]
        failed = objects.evolve(self.read, ("status", "conditions"), [*others, told])
        return Update("deployments.apps", failed, subresource="status")

    def _scaled(self, each: Obj, before: int) -> Event | None:
        after, name = amounts.replicas(each), objects.name(each)
        if after == before:
            return None
        way = "up" if after > before else "down"
        text = f"Scaled {way} replica set {name} from {before} to {after}"
        return Event(self.read, "Normal", "ScalingReplicaSet", text)


def has_deadline(deployment: Obj) -> bool:
    """Does the Deployment ask to be told of a rollout that stands still? The greatest int32 means never."""
    return objects.get(deployment, "spec", "progressDeadlineSeconds") not in (None, 2**31 - 1)
