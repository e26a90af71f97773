"""Runs controllers: one informer per resource shared by all, and a worker per ``Controller`` row.

Rule 1: an informer is made when first asked for and follows its resource from then on; asking again answers the same.
Rule 2: whoever wants only metadata is content with a whole informer where there is one, so the whole ones come first.
Rule 3: a controller begins when all its inputs are known, so that no plan takes an empty cache for an empty world.
Neighbours: ``informer.py``, ``worker.py``; the scheduler, the node agent and the network use the informers alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pybernetes.client.client import Client
from pybernetes.control.cache import Cache
from pybernetes.control.controller import Controller, Snapshot
from pybernetes.control.informer import Informer
from pybernetes.control.reflector import Reflector
from pybernetes.control.snapshot import CacheSnapshot
from pybernetes.control.worker import Worker
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks


class _Followed(NamedTuple):
    resource: str
    fields: str
    namespace: str
    metadata_only: bool


class Manager:
    """Use it inside a running event loop. ``client`` is the one that lists and watches."""

    def __init__(self, client: Client, clock: Clock, entropy: Entropy) -> None:
        self._client, self._clock, self._entropy = client, clock, entropy
        self._informers: dict[_Followed, Informer] = {}
        self._caches: dict[str, Cache] = {}
        self._added: list[tuple[Controller, Client | None]] = []
        self._workers: list[Worker] = []
        self._tasks = Tasks()
        self._reflecting: dict[_Followed, asyncio.Task[None]] = {}
        self._adapting = False
        self._end_of_kinds: Callable[[], None] | None = None
        self._started = False
        self.snapshot: Snapshot = CacheSnapshot(self._caches)
        """Over the informers of whole resources."""

    def informer(
        self, resource: str, *, fields: str = "", namespace: str = "", metadata_only: bool = False
    ) -> Informer:
        """The shared informer of a resource. Raises NotFound for a resource that is not known."""
        asked = _Followed(resource, fields, namespace, metadata_only)
        found = self._informers.get(asked._replace(metadata_only=False)) or self._informers.get(asked)
        return found if found is not None else self._follow(asked)

    def add(self, controller: Controller, client: Client | None = None) -> None:
        """Run a controller, which writes as ``client``; at ``start``, or at once when that has been."""
        if self._started:
            self._tasks.start(self._worker(controller, client).start(), f"start of {controller.name}")
        else:
            self._added.append((controller, client))

    async def start(self) -> None:
        """Return when all controllers know their inputs and work."""
        self._started = True
        for controller, _ in self._added:
            for row in controller.inputs:
                if not row.metadata_only:
                    self.informer(row.resource, fields=row.fields)
        await asyncio.gather(*(self._worker(*added).start() for added in self._added))
        self._added.clear()
        self._end_of_kinds = self._client.kinds.subscribe(self._kinds_changed)
        self._adapt()

    async def stop(self) -> None:
        """End the controllers, then the informers."""
        if self._end_of_kinds is not None:
            self._end_of_kinds()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        await self._tasks.stop()

    def _worker(self, controller: Controller, client: Client | None) -> Worker:
        followed = [
            (row, self.informer(row.resource, fields=row.fields, metadata_only=row.metadata_only))
            for row in controller.inputs
        ]
        worker = Worker(controller, followed, client or self._client, self._clock)
        self._workers.append(worker)
        return worker

    def _follow(self, asked: _Followed) -> Informer:
        informer = Informer(self._client.kind(asked.resource), metadata_only=asked.metadata_only)
        self._informers[asked] = informer
        if not asked.fields and not asked.namespace:
            whole = self._informers.get(asked._replace(metadata_only=False)) or informer
            self._caches[asked.resource] = whole.cache
        reflector = Reflector(
            self._client, asked.resource, informer, self._clock, self._entropy,
            fields=asked.fields, namespace=asked.namespace,
        )  # fmt: skip
        self._reflecting[asked] = self._tasks.start(reflector.run(), f"informer of {asked.resource}")
        return informer

    # ── kinds that come and go ───────────────────────────────────────────────────────────────────────────

    def _kinds_changed(self) -> None:
        """Rows are replaced one by one: look when all of this turn are there."""
        if not self._adapting:
            self._adapting = True
            asyncio.get_running_loop().call_soon(self._adapt)

    def _adapt(self) -> None:
        """Give controllers the inputs that have come, and take away those of kinds that are gone."""
        self._adapting = False
        for worker in self._workers:
            if worker.controller.more is None:
                continue
            wanted = {row.resource: row for row in worker.controller.more()}
            for resource in [one for one in worker.more if one not in wanted]:
                worker.unfollow(resource)
            for resource, row in wanted.items():
                if resource not in worker.more:
                    worker.follow(row, self.informer(resource, fields=row.fields, metadata_only=row.metadata_only))
        for followed in [one for one in self._informers if self._client.kinds.by_resource(one.resource) is None]:
            self._reflecting.pop(followed).cancel()
            del self._informers[followed]
            self._caches.pop(followed.resource, None)
