"""So many pods of one template: the plan that ReplicaSets and ReplicationControllers share.

Theory of operation. Claim the pods, make or delete the difference, write the status of what was seen. Creations are
performed in order and stop at the first refusal, so a quota is asked once and not five hundred times; the refusal
becomes an event and the condition ReplicaFailure, which the next plan that succeeds takes away.
Neighbours: ``replicaset.py`` and ``replication.py`` (the rows), ``ranking.py`` (who goes first), ``replicastatus.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.control import ownership
from pybernetes.control.actions import Action, After, Delete, Event, Plan, Update
from pybernetes.control.controller import Key, KeysOf, Snapshot
from pybernetes.controllers import keys, pods, podtemplate, ranking, replicastatus
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

BURST: Final = 500
"""Most pods that one plan makes or deletes."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """One of the two kinds: where they differ."""

    resource: str
    api_version: str
    kind: str
    plain_selector: bool = False
    """Is ``spec.selector`` a plain map of labels?"""

    def selector(self, owner: Obj) -> Obj:
        """The owner's selector as a metav1.LabelSelector."""
        selector = objects.get(owner, "spec", "selector", default={})
        return {"matchLabels": selector} if self.plain_selector else selector

    def keys_of_pod(self) -> KeysOf:
        """A pod wakes its controller, and every possible one while it has none."""
        return keys.of_controlled(self.resource, self.kind, self.selector)

    def plan(self, snapshot: Snapshot, key: Key, now: float) -> Plan:
        found = snapshot.get(self.resource, key.namespace, key.name)
        if found is None:
            return ()
        owner = {**found, "apiVersion": self.api_version, "kind": self.kind}
        mine, patches = ownership.claim(snapshot, "pods", owner, self.selector(owner), pods.is_active)
        return [*patches, *self._settle(snapshot, owner, mine, now)]

    def _settle(self, snapshot: Snapshot, owner: Obj, mine: Sequence[Obj], now: float) -> Iterable[Action]:
        seen = replicastatus.of(owner, mine, self._terminating(snapshot, owner), now)
        if not objects.is_deleting(owner):
            yield from self._manage(snapshot, owner, mine, seen, now)
        if replicastatus.differs(owner, seen):
            yield self._status(owner, seen)
        wait = pods.next_available(mine, min_ready_seconds(owner), now)
        if wait is not None:
            yield After(wait)

    def _manage(self, snapshot: Snapshot, owner: Obj, mine: Sequence[Obj], seen: Obj, now: float) -> Iterable[Action]:
        missing = objects.get(owner, "spec", "replicas", default=1) - len(mine)
        if missing > 0:
            failed = self._failed(owner, seen, "FailedCreate", now)
            template = owner["spec"].get("template") or {}
            for _ in range(min(missing, BURST)):
                yield podtemplate.create(owner, podtemplate.pod(owner, template), failed)
        elif missing < 0:
            failed = self._failed(owner, seen, "FailedDelete", now)
            related = self._related(snapshot, owner)
            for pod in ranking.first_to_go(mine, related, now)[: min(-missing, BURST)]:
                yield delete(owner, pod, failed)

    def _failed(self, owner: Obj, seen: Obj, reason: str, now: float) -> Update | None:
        """What to write should the API refuse, unless it says so already."""
        status = replicastatus.failed(owner, seen, reason, now)
        return self._status(owner, status) if replicastatus.differs(owner, status) else None

    def _terminating(self, snapshot: Snapshot, owner: Obj) -> int:
        return sum(map(pods.is_terminating, snapshot.owned("pods", objects.uid(owner))))

    def _related(self, snapshot: Snapshot, owner: Obj) -> Iterable[Obj]:
        """Pods of the owner and of its siblings under one controller: a Deployment's other ReplicaSets."""
        above = objects.controller_of(owner)
        siblings = snapshot.owned(self.resource, above["uid"]) if above else [owner]
        for sibling in siblings:
            yield from snapshot.owned("pods", objects.uid(sibling))

    def _status(self, owner: Obj, status: Obj) -> Update:
        return Update(self.resource, {**owner, "status": status}, subresource="status")


def min_ready_seconds(owner: Obj) -> int:
    return int(objects.get(owner, "spec", "minReadySeconds", default=0))


def delete(owner: Obj, pod: Obj, on_failure: Update | None = None) -> Delete:
    """Delete a pod and tell of it in the owner's events."""
    name = objects.name(pod)
    return Delete(
        "pods", objects.namespace(pod), name, uid=objects.uid(pod),
        event=Event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}"),
        failure_event=Event(owner, "Warning", "FailedDelete", "Error deleting: {error}"),
        on_failure=on_failure,
    )  # fmt: skip
