"""What must hold at every instant, whatever goes wrong, and what must be so in the end.

1. A pod that has a node keeps it.  2. No node holds more than it has.  3. A rollout and a budget never take more pods
away than they may.  4. What a watcher sees is history, without gaps.  5. After healing, what is asked for is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from pybernetes.client.client import Client
from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo, requests
from pybernetes.testing.cluster import NAMESPACE

READY_MIN = {"rolled": 3, "guarded": 2, "ordered": 2}
ROLLED_MAX = 5


class Invariants:
    """``replicas`` and ``images`` are what users have asked for."""

    def __init__(self) -> None:
        self.replicas: dict[str, int] = {}
        self.images = {"rolled": "web:0", "ordered": "web:0"}
        self._allocatable: dict[str, dict[str, int]] = {}
        self._held: dict[str, dict[str, Obj]] = {}
        self._broken: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_on = False

    def begin(self, found: Mapping[str, Sequence[Obj]]) -> None:
        """From now on, everything is there that was asked for, and bounds hold."""
        self._allocatable = {
            objects.name(node): requests.amounts(node["status"]["allocatable"]) for node in found["nodes"]
        }
        self.check_end(found)
        self._is_on = True

    def follow(self, resource: str, watch: AsyncIterator[Sequence[tuple[str, Obj]]]) -> None:
        task = asyncio.create_task(self._follow(resource, watch))
        self._tasks.add(task)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def raise_what_was_seen(self) -> None:
        for task in self._tasks:
            assert not task.done(), task
        assert not self._broken, "\n".join(self._broken)

    async def _follow(self, resource: str, watch: AsyncIterator[Sequence[tuple[str, Obj]]]) -> None:
        held = self._held.setdefault(resource, {})
        async for batch in watch:
            for kind, obj in batch:
                before = held.pop(objects.uid(obj), None)
                if kind in ("ADDED", "MODIFIED"):
                    held[objects.uid(obj)] = obj
                    self._broken += self._of_pod(before, obj) if resource == "pods" else ()
            if self._is_on:
                self._broken += [*self._capacity(), *self._bounds()]

    def _of_pod(self, before: Obj | None, now: Obj) -> list[str]:
        was, node = ((objects.get(each, "spec", "nodeName") if each else None) for each in (before, now))
        return [f"{objects.name(now)} moved from {was} to {node}"] if was and was != node else []

    def _capacity(self) -> list[str]:
        used: dict[str, int] = {}
        for pod in filter(podinfo.is_placed, self._held.get("pods", {}).values()):
            node = pod["spec"]["nodeName"]
            used[node] = used.get(node, 0) + requests.of_pod(pod).get("cpu", 0)
        return [f"{node} holds {cpu}m" for node, cpu in used.items() if cpu > self._allocatable[node]["cpu"]]

    def _bounds(self) -> list[str]:
        found = []
        for app, least in READY_MIN.items():
            ready = [
                pod for pod in self._of(app) if objects.condition_is(pod, "Ready") and not objects.is_deleting(pod)
            ]
            if len(ready) < least:
                found.append(f"only {len(ready)} pods of {app} are ready")
        sets = self._held.get("replicasets.apps", {}).values()
        asked = sum(each["spec"]["replicas"] for each in sets if objects.labels(each).get("app") == "rolled")
        return [*found, f"the sets of rolled ask for {asked} pods"] if asked > ROLLED_MAX else found

    def _of(self, app: str) -> list[Obj]:
        return [pod for pod in self._held.get("pods", {}).values() if objects.labels(pod).get("app") == app]

    def check_end(self, found: Mapping[str, Sequence[Obj]]) -> None:
        """Is everything as it was asked for?"""
        self.raise_what_was_seen()
        for app, wanted in self.replicas.items():
            pods = [pod for pod in found["pods"] if objects.labels(pod).get("app") == app]
            ready = [pod for pod in pods if objects.condition_is(pod, "Ready")]
            assert len(ready) == len(pods) == wanted, f"{app}: {len(ready)} of {len(pods)} pods, {wanted} wanted"
        for app, image in self.images.items():
            mine = (pod for pod in found["pods"] if objects.labels(pod).get("app") == app)
            assert {pod["spec"]["containers"][0]["image"] for pod in mine} == {image}, app
        (job,) = found["jobs.batch"]
        assert job["status"].get("succeeded") == 4, job["status"]
        assert objects.condition_is(job, "Complete")


class Witness:
    """Follows pods through faults, going on from where it was each time that its watch is cut."""

    def __init__(self, client: Client, clock: VirtualClock) -> None:
        self._client, self._clock = client, clock
        self._seen: list[tuple[str, str, str]] = []
        self._from = ""

    async def follow(self) -> None:
        version = self._from = await self._begin()
        while True:
            try:
                async for batch in self._client.watch("pods", NAMESPACE, resource_version=version):
                    for kind, obj in batch:
                        version = objects.meta(obj)["resourceVersion"]
                        if kind != "BOOKMARK":
                            self._seen.append((kind, objects.name(obj), version))
            except errors.ServiceUnavailable:
                await self._clock.sleep(1)

    async def _begin(self) -> str:
        while True:
            try:
                return str(objects.meta(await self._client.list("pods", NAMESPACE))["resourceVersion"])
            except errors.ServiceUnavailable:
                await self._clock.sleep(1)

    async def check(self, honest: Client, clock: VirtualClock) -> None:
        """What was seen is what has happened since."""
        history: list[tuple[str, str, str]] = []

        async def read() -> None:
            async for batch in honest.watch("pods", NAMESPACE, resource_version=self._from):
                history.extend((k, objects.name(o), objects.meta(o)["resourceVersion"]) for k, o in batch)

        task = asyncio.create_task(read())
        await clock.settle()
        task.cancel()
        assert self._seen == [each for each in history if each[0] != "BOOKMARK"]
