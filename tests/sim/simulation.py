"""A whole cluster under one seed: the same seed is the same run, with the same faults at the same moments.

Theory of operation. Time is virtual, chance is the seed's, and all is in one thread. Components reach the server
through faults (``faults.py``) and are all started anew now and then; users do not notice any. Each change of the
cluster's history is shown to the invariants at once (``invariants.py``), by a watch that nothing disturbs. At the end
faults stop, and some minutes later everything must be as it was asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from pybernetes.cluster import components
from pybernetes.controllers import table as controller_table
from pybernetes.kinds import table as kind_table
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.storage.watchcache import WatchCache
from pybernetes.testing.cluster import ADMIN, NAMESPACE

from .faults import Faults, SlowStore, faulty
from .invariants import Invariants, Witness

NODES = [f"node-{number}" for number in range(1, 4)]
HEALING_SECONDS = 240.0
SETS = "statefulsets.apps"
DEPLOYMENTS, JOBS, BUDGETS = "deployments.apps", "jobs.batch", "poddisruptionbudgets.policy"
STEP_SECONDS = 0.5


class Simulation:
    def __init__(self, seed: int) -> None:
        self.chance, self.clock, self.entropy = random.Random(seed), VirtualClock(), SeededEntropy(seed)
        self.faults = Faults(
            random.Random(seed + 1), self.clock,
            lost_request=self.chance.uniform(0, 0.1), lost_reply=self.chance.uniform(0, 0.1),
            cut_watch=self.chance.uniform(0, 0.1), slow_write=self.chance.uniform(0, 0.4),
        )  # fmt: skip
        self.invariants = Invariants()
        self._image = 0
        self._components = AsyncExitStack()

    async def run(self, acts: int = 12) -> None:
        """Raises AssertionError at the first moment at which an invariant does not hold."""
        async with AsyncExitStack() as stack:
            await self._begin(stack)
            self.faults.on = True
            for _ in range(acts):
                await self.chance.choice(self._acts())()
                await self._pass(self.chance.uniform(0, 8))
            self.faults.on = False
            await self._pass(HEALING_SECONDS)
            self.invariants.check_end(await self._found())
            await self.witness.check(self.client, self.clock)

    # ── the cluster ──────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self, stack: AsyncExitStack) -> None:
        kinds = kind_table.builtin()
        cache = WatchCache(SlowStore(self.clock, self.faults), self.clock)
        await cache.start()
        stack.push_async_callback(cache.stop)
        self.api = Api(cache, kinds, self.clock, self.entropy, Options())
        await self.api.start()
        stack.push_async_callback(self.api.stop)
        self.client = self.api.client(ADMIN)
        options = controller_table.Options(
            kinds=kinds, root_ca="none", sign=self.api.tokens.sign, started=self.clock.time()
        )
        self._rows = controller_table.controllers(options)
        await components.furnish(self.api, self._rows, "", 0)
        stack.push_async_callback(self._end_components)
        await self._start_components()
        self.witness = Witness(faulty(self.api, self.faults).client(ADMIN), self.clock)
        await self._follow()
        task = asyncio.create_task(self.witness.follow())
        stack.callback(task.cancel)
        stack.callback(self.invariants.stop)
        await self._make_workloads()
        await self._pass(30)
        self.invariants.begin(await self._found())

    async def _start_components(self) -> None:
        self._components = AsyncExitStack()
        await self._meanwhile(
            components.start(
                faulty(self.api, self.faults), self._rows, self.clock, self.entropy, self._components,
                simulated=NODES, pod_cidr=lambda name: f"10.244.{NODES.index(name)}.0/24",
            )
        )  # fmt: skip

    async def _end_components(self) -> None:
        await self._components.aclose()

    async def _follow(self) -> None:
        """Show every change of pods and ReplicaSets to the invariants, in order."""
        for resource in ("pods", "replicasets.apps"):
            version = objects.meta(await self.client.list(resource, NAMESPACE))["resourceVersion"]
            self.invariants.follow(resource, self.client.watch(resource, NAMESPACE, resource_version=version))

    async def _pass(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.clock.settle()
        self.invariants.raise_what_was_seen()

    async def _meanwhile(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let time pass until ``work`` is done."""
        task = asyncio.ensure_future(work)
        await self.clock.settle()
        while not task.done():
            await self.clock.advance(STEP_SECONDS)
        return await task

    # ── what users do ────────────────────────────────────────────────────────────────────────────────────

    def _acts(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        often = [self._roll, self._evict]
        return [*often, *often, self._evict, self._roll_ordered, self._scale, self._restart, self._fail_pod]

    async def _make_workloads(self) -> None:
        spread = {"strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}}
        await self.client.create(DEPLOYMENTS, deployment("rolled", 4, **spread))
        await self.client.create(DEPLOYMENTS, deployment("guarded", 3))
        await self.client.create(DEPLOYMENTS, deployment("scaled", 2))
        await self.client.create(SETS, stateful_set("ordered", 3))
        budget = {"minAvailable": 2, "selector": {"matchLabels": {"app": "guarded"}}}
        head = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": named("guarded")}
        await self.client.create(BUDGETS, {**head, "spec": budget})
        template = pod_template("job", "100m", restartPolicy="Never")
        head = {"apiVersion": "batch/v1", "kind": "Job", "metadata": named("work")}
        await self.client.create(JOBS, {**head, "spec": {"completions": 4, "parallelism": 2, "template": template}})
        self.invariants.replicas = {"rolled": 4, "guarded": 3, "scaled": 2, "ordered": 3}

    async def _roll(self) -> None:
        await self._update(DEPLOYMENTS, "rolled")

    async def _roll_ordered(self) -> None:
        await self._update(SETS, "ordered")

    async def _update(self, resource: str, name: str) -> None:
        self._image += 1
        image = f"web:{self._image}"
        patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
        await self._meanwhile(self.client.patch(resource, name, patch, kind="strategic", namespace=NAMESPACE))
        self.invariants.images[name] = image

    async def _evict(self) -> None:
        """As ``kubectl drain`` asks: what a budget forbids does not happen."""
        pods = (await self.client.list("pods", NAMESPACE, labels="app=guarded"))["items"]
        if not pods:
            return
        name = objects.name(self.chance.choice(pods))
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
        try:
            await self._meanwhile(self.client.create("pods", eviction, parent=name, subresource="eviction"))
        except (errors.TooManyRequests, errors.NotFound, errors.Conflict):
            return

    async def _scale(self) -> None:
        wanted = self.chance.randint(0, 6)
        patch = {"spec": {"replicas": wanted}}
        await self._meanwhile(self.client.patch(DEPLOYMENTS, "scaled", patch, namespace=NAMESPACE))
        self.invariants.replicas["scaled"] = wanted

    async def _fail_pod(self) -> None:
        pods = (await self.client.list("pods", NAMESPACE, labels="app=scaled"))["items"]
        if not pods:
            return
        try:
            await self._meanwhile(self.client.delete("pods", objects.name(self.chance.choice(pods)), NAMESPACE))
        except errors.NotFound:
            return

    async def _restart(self) -> None:
        """Controllers, scheduler and nodes end in the middle of whatever they do, and begin again."""
        await self._meanwhile(self._components.aclose())
        await self._start_components()

    async def _found(self) -> dict[str, list[Obj]]:
        resources = ("pods", "nodes", DEPLOYMENTS, "replicasets.apps", JOBS)
        return {resource: (await self.client.list(resource))["items"] for resource in resources}


def named(name: str) -> Obj:
    return {"name": name, "namespace": NAMESPACE}


def pod_template(app: str, cpu: str, **spec: Any) -> Obj:
    main = {"name": "main", "image": "web:0", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [main], **spec}}


def stateful_set(name: str, replicas: int) -> Obj:
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod_template(name, "500m")}
    head = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": named(name)}
    return {**head, "spec": {**spec, "serviceName": name}}


def deployment(name: str, replicas: int, **spec: Any) -> Obj:
    """Five such pods fill a node, and there are not many more nodes than are needed."""
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template(name, "6"),
        **spec,
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": named(name), "spec": spec}
