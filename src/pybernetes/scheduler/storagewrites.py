"""Makes true what a decision has chosen for a pod's claims, and waits until they are bound: before the pod itself is.

Rule 1: a volume that is there gets the claim as its ``claimRef``; for one that is to be made the claim is told the
        node. The volume controller does the rest.
Rule 2: waiting costs nothing: the claims' informer wakes whoever waits. After ten minutes, or when a provisioner takes
        the node back, the pod is scheduled anew.
Neighbours: ``plugins/volumes.py`` chooses, ``scheduler.py`` calls between decision and binding.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pybernetes.client.client import Client
from pybernetes.control.informer import Informer
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import deadline
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler.storage import Choice

BIND_SECONDS: Final = 600.0


class NotBoundError(Exception):
    """Volumes were not bound; the text is upstream's."""


class StorageWrites:
    def __init__(self, client: Client, claims: Informer, clock: Clock) -> None:
        self._client, self._claims, self._clock = client, claims, clock

    async def bind(self, choice: Choice) -> None:
        """Return when all claims are bound. Raises NotBoundError, or ApiError where the server refuses a write."""
        for claim, volume in choice.static:
            if volumes.claim_ref(volume).get("uid") != objects.uid(claim):
                await self._client.update(volumes.VOLUMES, volumes.with_claim(volume, claim))
        for claim in choice.provision:
            if objects.annotations(claim).get(volumes.SELECTED_NODE) != choice.node:
                await self._select(claim, choice.node)
        await self._all_bound(choice)

    async def _select(self, claim: Obj, node: str) -> None:
        patch = {"metadata": {"uid": objects.uid(claim), "annotations": {volumes.SELECTED_NODE: node}}}
        await self._client.patch(volumes.CLAIMS, objects.name(claim), patch, namespace=objects.namespace(claim))

    async def _all_bound(self, choice: Choice) -> None:
        changed = asyncio.Event()
        end = self._claims.subscribe(lambda _: changed.set())
        try:
            async with deadline(self._clock, BIND_SECONDS):
                seen: set[str] = set()
                while not all(self._is_bound(claim, seen) for claim in choice.claims()):
                    changed.clear()
                    await changed.wait()
        except TimeoutError as error:
            raise NotBoundError("binding volumes: timed out waiting for the condition") from error
        finally:
            end()

    def _is_bound(self, claim: Obj, seen: set[str]) -> bool:
        """``seen``: uids of claims that were seen with their node. Raises NotBoundError where there is no hope."""
        found = self._claims.cache.get(objects.namespace(claim), objects.name(claim))
        if found is None or objects.uid(found) != objects.uid(claim):
            raise NotBoundError(f'binding volumes: persistentvolumeclaim "{objects.name(claim)}" not found')
        if volumes.is_bound(found):
            return True
        if volumes.SELECTED_NODE in objects.annotations(found):
            seen.add(objects.uid(found))
        elif objects.uid(found) in seen:
            raise NotBoundError(f'binding volumes: selectedNode annotation reset for PVC "{objects.name(claim)}"')
        return False
