"""What the scheduler writes: bindings, why a pod waits, and the end of its victims. Few at a time, in order.

Rule: a condition is written only where it says something new, so a pod that is tried in vain for hours costs one write.
Neighbours: ``scheduler.py`` decides what to write and learns from refusals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from pybernetes.client.client import Client
from pybernetes.lib import log, tasks
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import nominations
from pybernetes.scheduler.podinfo import PodInfo

UNDER_WAY_MAX: Final = 64
"""Writes at the server at the same time; as many more wait, and whoever adds another waits with them."""
Job: TypeAlias = Callable[[], Awaitable[None]]
_log = log.Log("scheduler")


class Writes:
    """A fixed number of workers over a short queue of jobs."""

    def __init__(self) -> None:
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(UNDER_WAY_MAX)
        self._tasks = tasks.Tasks()

    def start(self) -> None:
        for number in range(UNDER_WAY_MAX):
            self._tasks.start(self._work(), f"scheduler-writes-{number}")

    async def add(self, job: Job) -> None:
        """Have ``job`` done; waits for room."""
        await self._jobs.put(job)

    async def stop(self) -> None:
        """End the workers; whoever waits for room goes on, and his job is not done."""
        await self._tasks.stop()
        while not self._jobs.empty():
            self._jobs.get_nowait()

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except Exception as error:  # one pod's fault must not end the work for the others
                _log.error("a write failed", error)


async def bind(client: Client, pod: Obj, node_name: str) -> None:
    """Give ``pod`` its node. Raises ApiError."""
    name, namespace = objects.name(pod), objects.namespace(pod)
    binding: Obj = {
        "apiVersion": "v1", "kind": "Binding",
        "metadata": {"name": name, "namespace": namespace, "uid": objects.uid(pod)},
        "target": {"kind": "Node", "name": node_name},
    }  # fmt: skip
    await client.create("pods", binding, parent=name, subresource="binding", in_namespace=namespace)


async def tell_waiting(
    client: Client, clock: Clock, pod: Obj, reason: str, message: str, *, nominated: str | None = None
) -> None:
    """Write PodScheduled=False and the node where room is being made (empty: nowhere; None: as it is), where either
    differs from what the pod says already."""
    status: Obj = {}
    if (condition := unscheduled(pod, reason, message, clock.time())) is not None:
        status["conditions"] = [condition]
    if nominated is not None and nominated != nominations.of(pod):
        status["nominatedNodeName"] = nominated or None
    if status:
        await _patch_status(client, objects.namespace(pod), objects.name(pod), status)


async def evict(client: Client, clock: Clock, victim: Obj, scheduler_name: str) -> None:
    """Take a pod away for a more important one, with its own grace period (KEP-3329 for the condition)."""
    condition = {
        "type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler",
        "message": f"{scheduler_name}: preempting to accommodate a higher priority pod",
        "lastTransitionTime": times.render(clock.time()),
    }  # fmt: skip
    name, namespace, uid = objects.name(victim), objects.namespace(victim), objects.uid(victim)
    await _patch_status(client, namespace, name, {"conditions": [condition]})
    try:
        await client.delete("pods", name, namespace, uid=uid)
    except (errors.NotFound, errors.Conflict):
        return  # gone already, or another pod has its name
    except errors.ApiError as error:
        _log.warning("could not take a pod away for a more important one", pod=f"{namespace}/{name}", refusal=error)


async def unnominate(client: Client, pod: PodInfo) -> None:
    """No room is kept for a pod any more."""
    await _patch_status(client, pod.namespace, pod.name, {"nominatedNodeName": None})


async def _patch_status(client: Client, namespace: str, name: str, status: Obj) -> None:
    try:
        await client.patch(
            "pods", name, {"status": status}, kind="strategic", namespace=namespace, subresource="status"
        )
    except errors.NotFound:
        return  # deleted meanwhile: nobody is left to be told
    except errors.ApiError as error:
        _log.warning("could not write a pod's status", pod=f"{namespace}/{name}", refusal=error)


def unscheduled(pod: Obj, reason: str, message: str, now: float) -> Obj | None:
    """The condition PodScheduled=False; None where the pod has it in these words."""
    before = objects.condition(pod, "PodScheduled") or {}
    same = before.get("status") == "False"
    if same and (before.get("reason"), before.get("message")) == (reason, message):
        return None
    since = before.get("lastTransitionTime") if same else None
    return {
        "type": "PodScheduled", "status": "False", "reason": reason, "message": message,
        "lastTransitionTime": since or times.render(now),
    }  # fmt: skip
