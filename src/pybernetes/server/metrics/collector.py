"""Asks the nodes what their containers use, when somebody wants to know, and only then.

Rule 1: nothing is asked while nobody asks us. An answer is good for fifteen seconds; several who ask at once share it.
Rule 2: a rate is taken from two looks that are not too far apart. Where the last look is long ago, a first one is
        followed by a second a moment later, and whoever asked waits for it.
Neighbours: ``usage.py`` reckons; ``connect/kubelets.py`` is the way to the nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.connect.kubelets import SIMULATED
from pybernetes.server.live import Live
from pybernetes.server.metrics import usage
from pybernetes.server.metrics.usage import Usage

Stats: TypeAlias = Callable[[str], Awaitable[Obj]]
"""A node's name → its ``/stats/summary``; raises ApiError."""
FRESH_SECONDS: Final = 15.0
_OLD_SECONDS: Final = 90.0
_BETWEEN_SECONDS: Final = 1.0
_log = log.Log("server.metrics")


class Collector:
    """``stats`` None: there are no nodes but simulated ones."""

    def __init__(self, live: Live, stats: Stats | None, clock: Clock) -> None:
        self._live, self._stats, self._clock = live, stats, clock
        self._lock = asyncio.Lock()
        self._looks: dict[str, usage.Look] = {}
        self._found: dict[str, dict[str, dict[str, Usage]]] = {}
        self._looked_at = float("-inf")
        self.window = FRESH_SECONDS
        """Seconds over which the present numbers were taken."""
        self.at = 0.0
        """When (Unix seconds) the present numbers were taken."""

    async def pods(self) -> Mapping[str, Mapping[str, Usage]]:
        """Pod's uid → container → usage, of all pods of which it is known."""
        await self._refresh()
        found: dict[str, Mapping[str, Usage]] = {}
        for pods in self._found.values():
            found |= pods
        return found | {objects.uid(pod): usage.simulated_pod(pod) for pod in self._simulated_pods()}

    async def nodes(self) -> Mapping[str, Usage]:
        """Node → usage, of all nodes of which it is known."""
        await self._refresh()
        found = {
            name: usage.total(used for containers in pods.values() for used in containers.values())
            for name, pods in self._found.items()
        }
        on: dict[str, list[Mapping[str, Usage]]] = {}
        for pod in self._simulated_pods():
            on.setdefault(pod["spec"]["nodeName"], []).append(usage.simulated_pod(pod))
        nodes = {objects.name(node): node for node in self._nodes() if _is_simulated(node)}
        return found | {name: usage.simulated_node(node, on.get(name, ())) for name, node in nodes.items()}

    def _nodes(self) -> list[Obj]:
        return list(self._live.list("", "nodes"))

    def _simulated_pods(self) -> list[Obj]:
        names = {objects.name(node) for node in self._nodes() if _is_simulated(node)}
        return [
            pod for pod in self._live.list("", "pods")
            if objects.get(pod, "spec", "nodeName") in names and objects.get(pod, "status", "phase") == "Running"
        ]  # fmt: skip

    async def _refresh(self) -> None:
        async with self._lock:
            age = self._clock.monotonic() - self._looked_at
            if age < FRESH_SECONDS:
                return
            names = [objects.name(node) for node in self._nodes() if not _is_simulated(node)]
            if not names or self._stats is None:
                self._found, self._looks, self.at = {}, {}, self._clock.time()
                return
            if age > _OLD_SECONDS or not self._looks:
                self._looks = await self._look(names)
                await self._clock.sleep(_BETWEEN_SECONDS)
                age = _BETWEEN_SECONDS
            looks = await self._look(names)
            self._found = {name: usage.between(self._looks.get(name, {}), seen) for name, seen in looks.items()}
            self._looks, self.window, self.at = looks, age, self._clock.time()
            self._looked_at = self._clock.monotonic()

    async def _look(self, names: list[str]) -> dict[str, usage.Look]:
        looks = await asyncio.gather(*map(self._look_at, names))
        return {name: seen for name, seen in zip(names, looks, strict=True) if seen is not None}

    async def _look_at(self, name: str) -> usage.Look | None:
        assert self._stats is not None
        try:
            return usage.look(await self._stats(name))
        except errors.ApiError as error:
            _log.info("a node does not tell what it uses", node=name, why=error.message)
            return None


def _is_simulated(node: Obj) -> bool:
    return objects.labels(node).get(SIMULATED) == "true"
