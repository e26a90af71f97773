"""Leader election by a Lease: of several processes that could do the same work one does it (client-go leaderelection).

Rule 1: who holds the Lease renews it; who does not takes it when it was not renewed for its whole duration. How long
        that was each measures by itself, so clocks may differ.
Rule 2: a leader that could not renew for two thirds of the duration leads no longer, since another may soon.
Rule 3: a process that comes back under its own name goes on at once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from pybernetes.client.client import Client
from pybernetes.control.actions import Event
from pybernetes.control.events import Recorder
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj

LEASE_SECONDS: Final = 15
RENEW_SECONDS: Final = 5.0
_RENEWED_WITHIN_SECONDS: Final = 10.0
_LEASES: Final = "leases.coordination.k8s.io"
_NAMESPACE: Final = "kube-system"
_log = log.Log("control.leader")


class Elector:
    """``name`` is the Lease's (``kube-scheduler``), ``identity`` the process's own."""

    def __init__(self, client: Client, clock: Clock, name: str, identity: str) -> None:
        self._client, self._clock, self._name, self._identity = client, clock, name, identity
        self._recorder = Recorder(client, clock, name)
        self._seen: tuple[str, float] = ("", clock.monotonic())
        """The last renewal that was seen of another, and when."""

    async def run(self, lead: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Lead whenever it is our turn, until cancelled; ``lead`` is cancelled when it is no longer."""
        while True:
            while not await self._tried():
                await self._clock.sleep(RENEW_SECONDS)
            work = Tasks()
            work.start(lead(), f"work of the leader {self._name}")
            try:
                await self._renew_while_we_may()
            finally:
                await work.stop()
                await self._recorder.stop()

    async def _renew_while_we_may(self) -> None:
        renewed = self._clock.monotonic()
        while self._clock.monotonic() - renewed < _RENEWED_WITHIN_SECONDS:
            await self._clock.sleep(RENEW_SECONDS)
            if await self._tried():
                renewed = self._clock.monotonic()
        _log.warning("another may lead now", lease=self._name)

    async def _tried(self) -> bool:
        """Is the Lease ours, after we tried to have it?"""
        try:
            lease = await self._client.find(_LEASES, self._name, _NAMESPACE)
            if lease is None:
                await self._tell(await self._client.create(_LEASES, self._lease(None)))
            elif self._may_take(lease):
                ours = objects.get(lease, "spec", "holderIdentity") == self._identity
                taken = await self._client.update(_LEASES, self._lease(lease))
                await self._tell(None if ours else taken)
            else:
                return False
        except (errors.Conflict, errors.AlreadyExists):
            return False
        except errors.ApiError as error:
            _log.info("a lease could not be had", lease=self._name, why=error.message)
            return False
        return True

    def _may_take(self, lease: Obj) -> bool:
        spec, now = lease.get("spec") or {}, self._clock.monotonic()
        if spec.get("holderIdentity") in (None, "", self._identity):
            return True
        renewal = f"{spec.get('holderIdentity')}/{spec.get('renewTime')}"
        if renewal != self._seen[0]:
            self._seen = renewal, now
        return now - self._seen[1] >= (spec.get("leaseDurationSeconds") or LEASE_SECONDS)

    def _lease(self, held: Obj | None) -> Obj:
        """The Lease as ours; ``held`` is how it was."""
        now, before = times.render_micro(self._clock.time()), (held or {}).get("spec") or {}
        ours = before.get("holderIdentity") == self._identity
        spec = {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "acquireTime": before.get("acquireTime") or now if ours else now,
            "renewTime": now,
            "leaseTransitions": (before.get("leaseTransitions") or 0) + (held is not None and not ours),
        }
        metadata = {"name": self._name, "namespace": _NAMESPACE}
        made: Obj = held or {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
        return {**made, "spec": spec}

    async def _tell(self, taken: Obj | None) -> None:
        if taken is not None:
            self._recorder.emit(Event(taken, "Normal", "LeaderElection", f"{self._identity} became leader"))
