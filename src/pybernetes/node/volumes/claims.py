"""The volumes behind a pod's claims: asked of the API when the pod is set up, and kept while it is on this node.

Rule: a bound claim stays with its volume, so what was found once holds as long as the pod does.
Neighbours: ``persistent.py`` mounts what is found here; ``material.py`` carries it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pybernetes.meta import errors, objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.volumes.material import Persistent, VolumeError


class Client(Protocol):
    """The one call of ``client.Client`` that is needed."""

    async def get(self, resource: str, name: str, namespace: str = "") -> Obj: ...


class Claims:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: dict[str, Mapping[str, Persistent]] = {}

    async def of_pod(self, pod: Obj) -> Mapping[str, Persistent]:
        """By the name of the pod's volume. Raises VolumeError for a claim that is not bound."""
        kept = self._kept.get(objects.uid(pod))
        if kept is None:
            named = volumes.claims_of(pod)
            kept = {volume: await self._one(pod, volume, claim) for volume, claim in named.items()}
            self._kept[objects.uid(pod)] = kept
        return kept

    def forget(self, uid: str) -> None:
        self._kept.pop(uid, None)

    async def _one(self, pod: Obj, volume: str, name: str) -> Persistent:
        namespace = objects.namespace(pod)
        about = f"error processing PVC {namespace}/{name}"
        try:
            claim = await self._client.get(volumes.CLAIMS, name, namespace)
            if name in volumes.ephemeral_claims(pod) and not volumes.is_made_for(claim, pod):
                raise VolumeError(volume, f"{about}: PVC was not created for pod (pod is not owner)")
            if objects.is_deleting(claim):
                raise VolumeError(volume, f"{about}: PVC is being deleted")
            if volumes.phase(claim) != "Bound" or not volumes.is_bound(claim):
                raise VolumeError(volume, f"{about}: PVC is not bound")
            found = await self._client.get(volumes.VOLUMES, claim["spec"]["volumeName"])
        except errors.ApiError as error:
            raise VolumeError(volume, f"{about}: failed to fetch PVC from API server: {error}") from error
        if not volumes.is_for(found, claim):
            raise VolumeError(volume, f"{about}: PVC is not bound to the volume {objects.name(found)}")
        return Persistent(claim, found)
