"""The scheduler alone: how long one decision takes, and how many pods its loop binds against an API that costs nothing.

What a pod costs in a whole cluster is more: its creation, its binding in the store and the watches come on top.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from benchmarks.first_light import Row
from pybernetes.client.client import Client
from pybernetes.client.transport import Query
from pybernetes.control.actions import Event
from pybernetes.control.informer import Informer
from pybernetes.kinds.table import builtin
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo, snapshot
from pybernetes.scheduler.decide import decide
from pybernetes.scheduler.scheduler import Scheduler
from pybernetes.scheduler.snapshot import Snapshot

NODES = (100, 1_000, 5_000)
PODS = 5_000
PEERS = {
    100: "",
    1_000: "upstream 1.20: 210–280 pods/s in a whole cluster",
    5_000: "upstream's gate: 680 pods/s (SchedulingBasic)",
}


def decisions() -> Iterator[Row]:
    """Filters and scores over all nodes, and the winner assumed."""
    for count in NODES:
        made, entropy = Snapshot(), SeededEntropy(1)
        for number in range(count):
            made.put_node(snapshot.node_info(_node(number)))
        times = []
        for number in range(1_000):
            info = podinfo.of(_pod(number))
            begin = time.perf_counter()
            chosen = decide(made, info, entropy.uniform(0.0, 1.0)).node
            made.assume(info, chosen or "")
            times.append(time.perf_counter() - begin)
        yield Row(f"one decision over {count:,} nodes, median", f"{statistics.median(times) * 1e6:,.0f} µs")


def bindings() -> Iterator[Row]:
    """From the watch event of a pod to its binding."""
    for count in NODES:
        seconds = asyncio.run(_bind(count, PODS))
        yield Row(f"{PODS:,} pods bound over {count:,} nodes", f"{PODS / seconds:,.0f} pods/s", PEERS[count])


async def _bind(nodes: int, pods: int) -> float:
    """Seconds until all pods are bound."""
    api = _Api(pods)
    api.tell("nodes", [_node(number) for number in range(nodes)])
    scheduler = Scheduler(api.client, api, SystemClock(), SeededEntropy(1), events=api)
    work = asyncio.ensure_future(scheduler.run())
    await asyncio.sleep(0)
    begin = time.perf_counter()
    for first in range(0, pods, 100):
        api.tell("pods", [_pod(number) for number in range(first, min(first + 100, pods))])
        await asyncio.sleep(0)
    await api.all_bound.wait()
    seconds = time.perf_counter() - begin
    await scheduler.stop()
    await work
    return seconds


class _Api:
    """Informers, a transport that takes every binding, and a listener to events."""

    def __init__(self, pods: int) -> None:
        self._kinds = builtin()
        self.client = Client(self, self._kinds)
        self._informers: dict[str, Informer] = {}
        self._missing = pods
        self.all_bound = asyncio.Event()

    def informer(self, resource: str) -> Informer:
        if resource not in self._informers:
            kind = self._kinds.by_resource(resource)
            assert kind is not None
            self._informers[resource] = Informer(kind)
            self._informers[resource].replaced([], 1)
        return self._informers[resource]

    def tell(self, resource: str, objs: Sequence[Obj]) -> None:
        self.informer(resource).changed([("ADDED", obj) for obj in objs], 1)

    async def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Any:  # fmt: skip
        await asyncio.sleep(0)
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        pod = self.informer("pods").cache.get(namespace, name)
        self.tell("pods", [objects.evolve(pod or {}, ("spec", "nodeName"), body["target"]["name"])])
        self._missing -= 1
        if not self._missing:
            self.all_bound.set()
        return {}

    def watch(self, path: str, *, query: Query | None = None) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        raise NotImplementedError(path)

    async def close(self) -> None:
        return

    def emit(self, event: Event) -> None:
        return

    async def stop(self) -> None:
        return


def _node(number: int) -> Obj:
    labels = {"kubernetes.io/hostname": f"n{number}", "topology.kubernetes.io/zone": f"z{number % 3}"}
    allocatable = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "100Gi", "pods": "110"}
    return {"metadata": {"name": f"n{number}", "labels": labels}, "spec": {}, "status": {"allocatable": allocatable}}


def _pod(number: int) -> Obj:
    requests = {"cpu": f"{100 * (1 + number % 3)}m", "memory": "256Mi"}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"p{number}", "namespace": "default", "uid": f"u{number}", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "web:1", "resources": {"requests": requests}}]},
        "status": {"phase": "Pending"},
    }  # fmt: skip


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "scheduler-decisions": decisions,
    "scheduler-bindings": bindings,
}
