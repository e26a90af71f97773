"""The node's signs of life: its Lease every ten seconds, its status on every change and at least every five minutes.

Rules: what counts as a change is the difference to what the API holds, for controllers write there too: a node that
was not heard for a while was called Unknown, and says at its next beat that it is Ready. A runtime that does not answer
makes the node not Ready and stops nothing else; an API that does not answer is tried again at the next beat.
Neighbours: ``nodestatus.py`` has the content, ``agent.py`` hurries it when the runtime's events break off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.log import Log
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import nodestatus
from pybernetes.node.config import Config
from pybernetes.node.nodestatus import RuntimeState
from pybernetes.node.runtime.port import Runtime, RuntimeFailure
from pybernetes.node.sysinfo import Machine

_log = Log("node.heartbeat")
BEAT_SECONDS: Final = 10.0
LEASE_SECONDS: Final = 40
STATUS_SECONDS: Final = 300.0
_REGISTER_SECONDS: Final = 1.0
LEASES: Final = "leases.coordination.k8s.io"
LEASE_NAMESPACE: Final = "kube-node-lease"


class Heartbeat:
    """``pressures`` answers with the conditions of shortage that the node is in."""

    def __init__(  # noqa: PLR0917 (everything that it tells of)
        self, config: Config, machine: Machine, client: Client, runtime: Runtime, clock: Clock,
        pressures: Callable[[], Collection[str]],
    ) -> None:  # fmt: skip
        self._pressures = pressures
        self._config, self._machine, self._client = config, machine, client
        self._runtime, self._clock = runtime, clock
        self._hurried = asyncio.Event()
        self._node: Obj = {}
        self._sent: Obj | None = None
        self._sent_at = 0.0

    async def register(self) -> None:
        """Have the Node; returns when the API has it, and knows its status."""
        while True:
            try:
                self._node = await self._registered()
                return await self._tell_status()
            except errors.ApiError as error:
                _log.warning("the node waits to be registered", node=self._config.node, why=error)
                await self._clock.sleep(_REGISTER_SECONDS)

    @property
    def node_uid(self) -> str:
        """The uid of the registered Node."""
        return objects.uid(self._node)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            for beat in (self._renew_lease, self._tell_status):
                try:
                    await beat()
                except errors.ApiError as error:
                    _log.warning("a sign of life did not reach the API", node=self._config.node, why=error)
            timer = self._clock.call_later(BEAT_SECONDS, self._hurried.set)
            await self._hurried.wait()
            timer.cancel()
            self._hurried.clear()

    def hurry(self) -> None:
        """Beat now: something is different."""
        self._hurried.set()

    # ── the Node ─────────────────────────────────────────────────────────────────────────────────────────

    async def _registered(self) -> Obj:
        wanted = nodestatus.node(self._config, self._machine)
        try:
            return await self._client.create("nodes", wanted)
        except errors.AlreadyExists:
            patch: Obj = {"metadata": {"labels": wanted["metadata"]["labels"]}}
            known = await self._client.get("nodes", self._config.node)
            if not objects.get(known, "spec", "podCIDR"):
                patch["spec"] = wanted["spec"]
            return await self._client.patch("nodes", self._config.node, patch, kind="strategic")

    async def _tell_status(self) -> None:
        now = self._clock.time()
        runtime = await self._runtime_state()
        self._node = await self._client.get("nodes", self._config.node)
        status = nodestatus.status(self._config, self._machine, runtime, self._node, now, self._pressures())
        plain = nodestatus.without_times(status)
        known = plain == self._sent and nodestatus.holds(self._node, status)
        if known and now < self._sent_at + STATUS_SECONDS:
            return
        self._node = await self._client.patch(
            "nodes", self._config.node, {"status": status}, kind="strategic", subresource="status"
        )
        self._sent, self._sent_at = plain, now

    async def _runtime_state(self) -> RuntimeState:
        try:
            version, conditions, images = await asyncio.gather(
                self._runtime.version(), self._runtime.conditions(), self._runtime.images()
            )
        except RuntimeFailure as failure:
            return RuntimeState(problem=failure.description)
        return RuntimeState(version, conditions, images)

    # ── the Lease ────────────────────────────────────────────────────────────────────────────────────────

    async def _renew_lease(self) -> None:
        name, now = self._config.node, times.render_micro(self._clock.time())
        spec = {"holderIdentity": name, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": now}
        try:
            await self._client.patch(LEASES, name, {"spec": spec}, namespace=LEASE_NAMESPACE)
        except errors.NotFound:
            owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": objects.uid(self._node)}
            metadata = {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]}
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            await self._client.create(LEASES, lease)
