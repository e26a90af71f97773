"""Changes in the informers' caches, taken into the snapshot and the queue, and pods woken whom they may help. Pure.

Rule 1: a pod is placed, waits for us, or is none of our business; each change puts it where it now belongs.
Rule 2: a pod that is being bound stays assumed until the watch tells that it is placed or gone.
Rule 3: a batch wakes the queue once, however much it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pybernetes.control.cache import Delta
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import changes, nominations, podinfo, snapshot
from pybernetes.scheduler.nominations import Nominations
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.queue import Queue
from pybernetes.scheduler.snapshot import Snapshot


class Intake:
    """The informers' subscribers."""

    def __init__(self, snapshot: Snapshot, queue: Queue, nominations: Nominations, scheduler_name: str) -> None:
        self._snapshot, self._queue, self._nominations = snapshot, queue, nominations
        self._scheduler_name = scheduler_name

    def wants_node(self, pod: Obj) -> bool:
        """Is it for us to find it a node now?"""
        return podinfo.is_waiting(pod, self._scheduler_name)

    def nodes(self, deltas: Sequence[Delta]) -> None:
        """Nodes changed: (old, new)."""
        happened: set[Change] = set()
        for old, new in deltas:
            if new is not None:
                after = snapshot.node_info(new)
                happened.update(changes.of_node(self._snapshot.put_node(after), after))
            elif old is not None:
                self._snapshot.remove_node(objects.name(old))
        self._queue.wake(happened)

    def namespaces(self, deltas: Sequence[Delta]) -> None:
        """Namespaces changed: (old, new)."""
        for old, new in deltas:
            if new is not None:
                self._snapshot.namespaces[objects.name(new)] = objects.labels(new)
            elif old is not None:
                self._snapshot.namespaces.pop(objects.name(old), None)
        self._queue.wake((Change.POD_PLACED,))

    def claims(self, deltas: Sequence[Delta]) -> None:
        """Claims changed: (old, new). A claim wakes the pods that use it."""
        names = {(objects.namespace(new), objects.name(new)) for old, new in deltas if new and _helps(old, new)}
        if names:
            self._queue.wake((Change.CLAIM,), lambda pod: any((pod.namespace, name) in names for name in pod.claims))

    def volumes(self, deltas: Sequence[Delta]) -> None:
        """Volumes changed: (old, new). One that is nobody's may be what a pod waits for."""
        if any(new and volumes.phase(new) == "Available" for _, new in deltas):
            self._queue.wake((Change.VOLUME,))

    def csi_nodes(self, deltas: Sequence[Delta]) -> None:
        """CSINodes changed: (old, new)."""
        for old, new in deltas:
            if new is not None:
                self._snapshot.storage.limit(new)
            elif old is not None:
                self._snapshot.storage.limits.pop(objects.name(old), None)
        self._queue.wake((Change.CSI_NODE,))

    def classes(self, deltas: Sequence[Delta]) -> None:
        """Storage classes changed: (old, new)."""
        self._queue.wake((Change.STORAGE_CLASS,))

    def pods(self, deltas: Sequence[Delta]) -> None:
        """Pods changed: (old, new)."""
        happened: set[Change] = set()
        for old, new in deltas:
            if old is not None and (new is None or podinfo.identity(old) != podinfo.identity(new)):
                happened.update(self._left(podinfo.identity(old)))
            if new is not None:
                happened.update(self._pod(old, new))
        self._queue.wake(happened)

    def _pod(self, old: Obj | None, new: Obj) -> Iterator[Change]:
        uid = podinfo.identity(new)
        if podinfo.is_placed(new):
            yield from self._placed(old, new, uid)
        elif objects.get(new, "spec", "nodeName"):
            yield from self._left(uid)
        elif self._snapshot.is_assumed(uid):
            return
        elif self.wants_node(new):
            self._nominate(old, new, uid)
            self._queue.put(new)
        else:
            yield from self._left(uid)

    def _placed(self, old: Obj | None, new: Obj, uid: str) -> Iterator[Change]:
        known = self._snapshot.pod(uid)
        if known is not None and old is not None and not podinfo.differs(old, new):
            return
        self._queue.remove(uid)
        self._nominations.remove(uid)
        if self._snapshot.is_assumed(uid):
            yield Change.POD_PLACED
        after = known if known is not None and podinfo.is_as_assumed(old, new, known) else podinfo.of(new)
        yield from changes.of_placed(self._snapshot.put_pod(after), after)

    def _left(self, uid: str) -> Iterator[Change]:
        """A pod is gone, has ended, or wants no node now; a room that was kept for it is free as well."""
        self._queue.remove(uid)
        if self._nominations.remove(uid):
            yield Change.POD_GONE
        yield from changes.of_placed(self._snapshot.remove_pod(uid), None)

    def _nominate(self, old: Obj | None, new: Obj, uid: str) -> None:
        """What a pod says of its nomination counts where it says anything; ours is known before the pod says it."""
        named = nominations.of(new)
        if named:
            self._nominations.put(podinfo.of(new), named)
        elif old is not None and nominations.of(old):
            self._nominations.remove(uid)


def _helps(old: Obj | None, claim: Obj) -> bool:
    """Is a claim new, or bound since?"""
    return old is None or objects.uid(old) != objects.uid(claim) or volumes.is_bound(old) != volumes.is_bound(claim)
