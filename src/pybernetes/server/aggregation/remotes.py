"""All servers behind this one: which there are, and whether they answer.

Rule 1: from the moment that an APIService with a service is acknowledged its paths are the other server's.
Rule 2: each is looked at when it, its service or its endpoints change, and every ``RESYNC_SECONDS``; where there is
        none, nothing runs but one subscription.
Neighbours: ``remote.py`` is one of them, ``local.py`` has the APIServices of our own groups.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.kinds.table import KindTable
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.aggregation import local
from pybernetes.server.aggregation.endpoint import Unavailable
from pybernetes.server.aggregation.remote import Identity, Remote
from pybernetes.server.live import Live
from pybernetes.storage import codec
from pybernetes.storage.port import Compacted

RESYNC_SECONDS: Final = 30.0


class Remotes:
    """``client`` writes conditions, and the APIServices of our own groups once ``announce`` was called."""

    def __init__(self, live: Live, kinds: KindTable, client: Client, clock: Clock, identity: Identity | None) -> None:
        self._cache, self._live, self._kinds = live.cache, live, kinds
        self._client, self._clock, self._identity = client, clock, identity
        self._tasks = Tasks()
        self._by_version: dict[tuple[str, str], Remote] = {}
        self._watching: dict[tuple[str, str], Tasks] = {}
        self._rows_changed = asyncio.Event()
        self._leave: Callable[[], None] | None = None
        self.generation = 0
        """Grows with whatever a document about all groups would tell."""

    def start(self) -> None:
        """Serve what is stored, and follow from there."""
        revision = self._cache.revision
        for api_service in self._live.list(local.GROUP, local.PLURAL):
            self.take(api_service)
        self._tasks.start(self._follow(revision), "api services")

    async def stop(self) -> None:
        if self._leave is not None:
            self._leave()
        await self._tasks.stop()
        for key in [*self._by_version]:
            await self._drop(key)

    # ── which there are ──────────────────────────────────────────────────────────────────────────────────

    def find(self, path: str) -> Remote | None:
        """The server whose path this is."""
        if not self._by_version or not path.startswith("/apis/"):
            return None
        _, _, group, version = (*path.split("/", 4)[:4], "", "")[:4]
        found = self._by_version.get((group, version))
        if found is None or self._live.get(local.GROUP, local.PLURAL, "", local.name(group, version)) is not None:
            return found
        return None  # deleted, and the follower has not had its turn yet

    def all(self) -> Iterable[Remote]:
        return self._by_version.values()

    def take(self, api_service: Obj) -> None:
        """Hand a group and version to the server that an APIService names, or take it back."""
        spec = api_service.get("spec") or {}
        key = (spec.get("group") or "", spec.get("version") or "")
        known = self._by_version.get(key)
        if spec.get("service") is None or not key[0]:
            if known is not None:
                self._forget(key)
        elif known is None or known.spec != spec:
            if known is not None:
                self._forget(key)
            self._by_version[key] = remote = Remote(api_service, self._live, self._identity, self._clock)
            self._watching[key] = tasks = Tasks()
            self.generation += 1
            tasks.start(self._keep(objects.name(api_service), remote, tasks), f"{objects.name(api_service)}")

    def _forget(self, key: tuple[str, str]) -> None:
        self._tasks.start(self._drop(key), f"end of {local.name(*key)}")

    def _drop(self, key: tuple[str, str]) -> Coroutine[None, None, None]:
        """It is out of the table at once; what is left is to end its watcher and connections."""
        remote, tasks = self._by_version.pop(key), self._watching.pop(key)
        self.generation += 1
        return _ended(remote, tasks)

    async def _follow(self, revision: int) -> None:
        while True:
            changes = self._cache.subscribe(codec.prefix(local.GROUP, local.PLURAL), revision)
            try:
                async for batch in changes:
                    for change in batch:
                        self._look_at(change.key.rpartition("/")[2])
            except Compacted:
                revision = self._cache.revision
                for name in {*map(objects.name, self._live.list(local.GROUP, local.PLURAL)), *self._names()}:
                    self._look_at(name)
            finally:
                changes.close()

    def _names(self) -> list[str]:
        return [local.name(*key) for key in self._by_version]

    def _look_at(self, name: str) -> None:
        api_service = self._live.get(local.GROUP, local.PLURAL, "", name)
        version, _, group = name.partition(".")
        self.take(api_service or {"metadata": {"name": name}, "spec": {"group": group, "version": version}})
        if api_service is not None and (api_service.get("spec") or {}).get("service") is None:
            self._tasks.start(self._tell(name, local.always()), f"condition of {name}")

    # ── whether they answer ──────────────────────────────────────────────────────────────────────────────

    async def _keep(self, name: str, remote: Remote, tasks: Tasks) -> None:
        """Look at one whenever something about it changes."""
        wake, ref = asyncio.Event(), remote.reference
        for plural in ("services", "endpoints"):
            key = codec.key("", plural, ref.namespace, ref.name)
            tasks.start(self._wake(key, wake), f"{plural} of {name}")
        while True:
            wake.clear()
            await self._judge(name, remote)
            timer = self._clock.call_later(RESYNC_SECONDS, wake.set)
            try:
                await wake.wait()
            finally:
                timer.cancel()

    async def _wake(self, key: str, wake: asyncio.Event) -> None:
        while True:
            changes = self._cache.subscribe(key, self._cache.revision)
            try:
                async for _ in changes:
                    wake.set()
            except Compacted:
                wake.set()
            finally:
                changes.close()

    async def _judge(self, name: str, remote: Remote) -> None:
        before = remote.told
        try:
            await remote.look()
            condition = local.condition(True, "Passed", "all checks passed")
        except Unavailable as error:
            remote.told = None
            condition = local.condition(False, error.reason, str(error))
        if remote.told != before:
            self.generation += 1
        await self._tell(name, condition)

    async def _tell(self, name: str, condition: Obj) -> None:
        """Write the condition where it says something else."""
        while (found := self._live.get(local.GROUP, local.PLURAL, "", name)) is not None:
            old = objects.condition(found, local.AVAILABLE) or {}
            if all(old.get(key) == value for key, value in condition.items()):
                return
            turned = old.get("status") != condition["status"]
            since = times.render(self._clock.time()) if turned else old.get("lastTransitionTime")
            new = objects.evolve(found, ("status",), {"conditions": [{**condition, "lastTransitionTime": since}]})
            try:
                await self._client.update(local.RESOURCE, new, subresource="status")
            except errors.Conflict:
                continue
            except errors.NotFound:
                return
            return

    # ── our own ──────────────────────────────────────────────────────────────────────────────────────────

    async def announce(self) -> None:
        """Have an APIService for each group and version of our own, now and as custom ones come and go."""
        self._leave = self._kinds.subscribe(self._rows_changed.set)
        await self._announce()
        self._tasks.start(self._announcing(), "api services of our own groups")

    async def _announcing(self) -> None:
        while True:
            await self._rows_changed.wait()
            self._rows_changed.clear()
            await self._announce()

    async def _announce(self) -> None:
        wanted = local.services(self._kinds)
        present = {objects.name(found): found for found in self._live.list(local.GROUP, local.PLURAL)}
        surplus = [
            name for name, found in present.items()
            if name not in wanted and objects.labels(found).get(local.AUTOMANAGED) == "true"
        ]  # fmt: skip
        missing = [wanted[name] for name in wanted if name not in present]
        await asyncio.gather(*map(self._create, missing), *map(self._delete, surplus))

    async def _create(self, api_service: Obj) -> None:
        try:
            await self._client.create(local.RESOURCE, api_service)
        except errors.AlreadyExists:
            return

    async def _delete(self, name: str) -> None:
        try:
            await self._client.delete(local.RESOURCE, name)
        except errors.NotFound:
            return


async def _ended(remote: Remote, tasks: Tasks) -> None:
    await tasks.stop()
    await remote.close()
