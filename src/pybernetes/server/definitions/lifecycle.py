"""Follows the stored definitions: names and conditions, serving, and the end.

Rule 1: every change of a definition is looked at once, in order; whether names are free may change with any other one,
        so those that wait for a name are looked at with each change.
Rule 2: one that is being deleted is served for reading and deleting until the last of its objects is gone; then its
        finalizer goes, and with it the definition.
Rule 3: what a write has changed in an established definition is served before the writer is answered (``serve``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from pybernetes.client.client import Client
from pybernetes.kinds.custom import acceptance
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.definitions.register import Register
from pybernetes.server.live import Live
from pybernetes.storage import codec
from pybernetes.storage.port import Compacted
from pybernetes.storage.watchcache import WatchCache

GROUP: Final = "apiextensions.k8s.io"
PLURAL: Final = "customresourcedefinitions"
RESOURCE: Final = f"{PLURAL}.{GROUP}"
Change: TypeAlias = Callable[[Obj], Obj]


class Definitions:
    """``client`` writes statuses and deletes objects."""

    def __init__(self, cache: WatchCache, live: Live, register: Register, client: Client, clock: Clock) -> None:
        self._cache, self._live, self._register = cache, live, register
        self._client, self._clock = client, clock
        self._tasks = Tasks()
        self._ending: set[str] = set()

    def start(self) -> None:
        """Serve what is stored and established, and follow from there."""
        revision = self._cache.revision
        for crd in self._all():
            self.serve(crd)
        self._tasks.start(self._run(revision), "custom resource definitions")

    async def stop(self) -> None:
        await self._tasks.stop()

    def _all(self) -> Sequence[Obj]:
        return self._live.list(GROUP, PLURAL)

    async def _run(self, revision: int) -> None:
        await self._look(objects.name(crd) for crd in self._all())
        while True:
            changes = self._cache.subscribe(codec.prefix(GROUP, PLURAL), revision)
            try:
                async for batch in changes:
                    waiting = [objects.name(crd) for crd in self._all() if not _is_accepted(crd)]
                    await self._look([*dict.fromkeys(change.key.rpartition("/")[2] for change in batch), *waiting])
            except Compacted:
                revision = self._cache.revision
                await self._look({*self._register.names(), *(objects.name(crd) for crd in self._all())})
            finally:
                changes.close()

    async def _look(self, names: Iterable[str]) -> None:
        for name in names:
            crd = self._live.get(GROUP, PLURAL, "", name)
            if crd is None:
                self._register.forget(name)
            else:
                await self._settle(crd)

    async def _settle(self, crd: Obj) -> None:
        name = objects.name(crd)
        others = [other for other in self._all() if objects.name(other) != name]
        judged = crd if objects.is_deleting(crd) else acceptance.judged(crd, others, self._now())
        self.serve(judged)
        if objects.is_deleting(crd) and acceptance.FINALIZER in objects.finalizers(crd) and name not in self._ending:
            self._ending.add(name)
            self._tasks.start(self._end(name), f"end of {name}")
        if judged is not crd:
            await self._write_status(judged)

    def serve(self, crd: Obj) -> None:
        """Serve what a definition says now, if it is established and its objects are not gone."""
        if acceptance.is_emptied(crd):
            self._register.forget(objects.name(crd))
        elif acceptance.is_true(crd, acceptance.ESTABLISHED):
            self._register.serve(crd)

    async def _write_status(self, crd: Obj) -> None:
        """What is not written now because somebody was faster is judged again with what they wrote."""
        try:
            await self._client.update(RESOURCE, crd, subresource="status")
        except (errors.Conflict, errors.NotFound):
            return

    def _now(self) -> str:
        return times.render(self._clock.time())

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────

    async def _end(self, name: str) -> None:
        try:
            await self._change(name, lambda crd: self._terminating(crd, True, acceptance.IN_PROGRESS))
            await self._empty(name)
            await self._change(name, lambda crd: self._terminating(crd, False, acceptance.COMPLETED))
            await self._release(name)
        finally:
            self._ending.discard(name)

    def _terminating(self, crd: Obj, status: bool, told: tuple[str, str]) -> Obj:
        return acceptance.with_condition(crd, acceptance.TERMINATING, status, told, self._now())

    async def _change(self, name: str, change: Change) -> None:
        """Write a condition, again if somebody was faster."""
        while (crd := self._live.get(GROUP, PLURAL, "", name)) is not None:
            changed = change(crd)
            if changed is crd:
                return
            self.serve(changed)
            try:
                await self._client.update(RESOURCE, changed, subresource="status")
            except errors.NotFound:
                return
            except errors.Conflict:
                continue
            return

    async def _empty(self, name: str) -> None:
        """Return when no object is left."""
        crd = self._live.get(GROUP, PLURAL, "", name)
        if crd is None:
            return
        prefix = codec.prefix(crd["spec"]["group"], crd["spec"]["names"]["plural"])
        changes = self._cache.subscribe(prefix, self._cache.revision)
        try:
            await self._delete_all(name, prefix)
            while self._cache.list(prefix)[0]:
                await anext(changes)
        finally:
            changes.close()

    async def _delete_all(self, name: str, prefix: str) -> None:
        records = self._cache.list(prefix)[0]
        row = self._register.row(name)
        if row is None:  # no version is served: nobody can be asked
            for record in records:
                await self._cache.delete(record.key, expect=record.revision)
            return
        namespaces = {record.key.split("/")[-2] if row.namespaced else "" for record in records}
        for namespace in sorted(namespaces):
            await self._client.delete_collection(row.resource, namespace)

    async def _release(self, name: str) -> None:
        while (crd := self._live.get(GROUP, PLURAL, "", name)) is not None:
            left = [one for one in objects.finalizers(crd) if one != acceptance.FINALIZER]
            try:
                await self._client.update(RESOURCE, objects.evolve(crd, ("metadata", "finalizers"), left))
            except errors.Conflict:
                continue
            except errors.NotFound:
                return
            return


def _is_accepted(crd: Obj) -> bool:
    return acceptance.is_true(crd, acceptance.ACCEPTED)
