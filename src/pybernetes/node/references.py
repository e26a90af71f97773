"""The ConfigMaps, Secrets and Services that the pods of this node refer to: watched one by one, never polled.

Theory of operation. ``found`` returns what a pod refers to as it is now; the first time it waits until that has been
listed. From then on a change of one of these objects is told to ``changed`` with the uid of every pod that refers to
it, until the pod is released. A node so sees no object that none of its pods names.
Neighbours: ``needs`` is pure; ``environment.Sources`` is the answer's shape.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from pybernetes.client.client import Client
from pybernetes.control.informer import Informer
from pybernetes.control.reflector import Reflector
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks, deadline
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, serviceenv
from pybernetes.node.downward import NodeFacts
from pybernetes.node.environment import Sources

CONFIG_MAPS: Final = "configmaps"
SECRETS: Final = "secrets"
_SYNC_SECONDS: Final = 30.0


class Need(NamedTuple):
    resource: str
    namespace: str
    name: str


class NotSyncedError(Exception):
    """The API has not answered yet; the text is the kubelet's."""


class _Followed(NamedTuple):
    informer: Informer
    task: asyncio.Task[None]
    users: set[str]


class References:
    """``changed`` gets the uid of each pod whose references have changed."""

    def __init__(
        self, client: Client, manager: Manager, clock: Clock, entropy: Entropy, *, facts: NodeFacts,
        changed: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._client, self._manager, self._clock, self._entropy = client, manager, clock, entropy
        self._facts, self._changed = facts, changed
        self._followed: dict[Need, _Followed] = {}
        self._tasks = Tasks()

    async def found(self, pod: Obj, pod_ips: Sequence[str] = ()) -> Sources:
        """What a pod refers to. Raises NotSyncedError where the API does not tell in time."""
        informers = {need: self._follow(need, objects.uid(pod)) for need in needs(pod)}
        services = self._manager.informer("services")
        for resource, informer in [*((n.resource, i) for n, i in informers.items()), ("services", services)]:
            await self._synced(resource, informer)
        got = {need: informer.cache.get(need.namespace, need.name) for need, informer in informers.items()}
        return Sources(
            config_maps={n.name: o for n, o in got.items() if n.resource == CONFIG_MAPS and o is not None},
            secrets={n.name: o for n, o in got.items() if n.resource == SECRETS and o is not None},
            services=serviceenv.of_pod(pod, services.cache.list()),
            node=self._facts,
            pod_ips=tuple(pod_ips),
        )

    def release(self, uid: str) -> None:
        """A pod needs nothing any more."""
        for need, followed in list(self._followed.items()):
            followed.users.discard(uid)
            if not followed.users:
                followed.task.cancel()
                del self._followed[need]

    async def stop(self) -> None:
        await self._tasks.stop()

    def _follow(self, need: Need, uid: str) -> Informer:
        followed = self._followed.get(need) or self._begin(need)
        followed.users.add(uid)
        return followed.informer

    def _begin(self, need: Need) -> _Followed:
        informer = Informer(self._client.kind(need.resource))
        informer.subscribe(lambda _: self._tell(need))
        reflector = Reflector(
            self._client, need.resource, informer, self._clock, self._entropy,
            fields=f"metadata.name={need.name}", namespace=need.namespace,
        )  # fmt: skip
        task = self._tasks.start(reflector.run(), f"watch of {need.resource} {need.namespace}/{need.name}")
        followed = self._followed[need] = _Followed(informer, task, set())
        return followed

    def _tell(self, need: Need) -> None:
        followed = self._followed.get(need)
        if followed is not None and followed.informer.has_synced:  # who waits for the first list asks for it himself
            for uid in tuple(followed.users):
                self._changed(uid)

    async def _synced(self, resource: str, informer: Informer) -> None:
        if informer.has_synced:
            return
        try:
            async with deadline(self._clock, _SYNC_SECONDS):
                await informer.synced()
        except TimeoutError as error:
            kind = resource.removesuffix("s")
            raise NotSyncedError(f"failed to sync {kind} cache: timed out waiting for the condition") from error


# ── what a pod refers to (pure) ──────────────────────────────────────────────────────────────────────────


def needs(pod: Obj) -> frozenset[Need]:
    """Every ConfigMap and Secret that a pod's volumes, environments and image pulls name."""
    namespace = objects.namespace(pod)
    named = [*_of_volumes(pod), *_of_environments(pod)]
    named += [(SECRETS, s.get("name", "")) for s in objects.get(pod, "spec", "imagePullSecrets", default=[])]
    return frozenset(Need(resource, namespace, name) for resource, name in named if name)


def _of_volumes(pod: Obj) -> Iterator[tuple[str, str]]:
    for volume in objects.get(pod, "spec", "volumes", default=[]):
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            if "configMap" in source:
                yield CONFIG_MAPS, source["configMap"].get("name", "")
            if "secret" in source:
                yield SECRETS, source["secret"].get("secretName") or source["secret"].get("name", "")


def _of_environments(pod: Obj) -> Iterator[tuple[str, str]]:
    for container in (*podspec.all_containers(pod), *podspec.ephemeral_containers(pod)):
        sources = [*(container.get("envFrom") or ()), *((e.get("valueFrom") or {}) for e in container.get("env") or ())]
        for source in sources:
            for field, resource in (
                ("configMapRef", CONFIG_MAPS), ("configMapKeyRef", CONFIG_MAPS),
                ("secretRef", SECRETS), ("secretKeyRef", SECRETS),
            ):  # fmt: skip
                if field in source:
                    yield resource, source[field].get("name", "")
