"""Keeps the leases of all simulated nodes alive, by one timer.

Rule: each is renewed once in ``RENEW_SECONDS``, in ``_SLOTS`` groups one after the other, so that thousands of them do
not come at once. A lease that is gone is made again as long as its node is there; after that nobody renews it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib import log
from pybernetes.lib.clock import Clock, Timer
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, times
from pybernetes.node.simulated import nodestatus
from pybernetes.node.simulated.nodestatus import LEASE_NAMESPACE
from pybernetes.node.simulated.work import Work

RENEW_SECONDS: Final = 10.0
"""A quarter of a lease's duration, as the kubelet has it."""
_SLOTS: Final = 10
_RESOURCE: Final = "leases.coordination.k8s.io"
_log = log.Log("node.simulated")


class Leases:
    def __init__(self, client: Client, clock: Clock, tasks: Tasks, names: Iterable[str]) -> None:
        self._client, self._clock = client, clock
        self._names = dict.fromkeys(names)
        self._work: Work[str] = Work("simulated lease", tasks, self._renew, width=16)
        self._slot = 0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Renew all now, and from then on in turn."""
        for name in self._names:
            self._work.add(name)
        self._wait(max(1, min(_SLOTS, len(self._names))))

    def add(self, name: str) -> None:
        """One more node to keep alive."""
        self._names[name] = None
        self._work.add(name)

    def discard(self, name: str) -> None:
        """The node is gone."""
        self._names.pop(name, None)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self, slots: int) -> None:
        for name in list(self._names)[self._slot :: slots]:
            self._work.add(name)
        self._slot = (self._slot + 1) % slots
        self._wait(slots)

    def _wait(self, slots: int) -> None:
        self._timer = self._clock.call_later(RENEW_SECONDS / slots, lambda: self._tick(slots))

    async def _renew(self, name: str) -> None:
        patch = {"spec": {"renewTime": times.render_micro(self._clock.time())}}
        try:
            await self._client.patch(_RESOURCE, name, patch, namespace=LEASE_NAMESPACE)
        except errors.NotFound:
            await self._make(name)
        except errors.ApiError as error:
            _log.warning("a lease could not be renewed", node=name, why=error)

    async def _make(self, name: str) -> None:
        try:
            node = await self._client.find("nodes", name)
            if node is None:
                self._names.pop(name, None)
                return
            await self._client.create(_RESOURCE, nodestatus.lease(node, self._clock.time()))
        except errors.AlreadyExists:
            return
        except errors.ApiError as error:
            _log.warning("a lease could not be made", node=name, why=error)
