"""The life of pods in a ``World``: bound, running and ready, gone when deleted; each change is a step of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.testing.world import Step, World

NODE = "n1"


class PodLife:
    """``is_healthy`` tells which pods ever become ready, ``node_of`` where each is bound."""

    def __init__(
        self, is_healthy: Callable[[Obj], bool] = lambda pod: True, node_of: Callable[[Obj], str] = lambda pod: NODE
    ) -> None:
        self._is_healthy, self._node_of = is_healthy, node_of

    def steps(self, world: World) -> Iterable[Step]:
        for pod in world.api.objects.list("pods"):
            if objects.is_deleting(pod):
                yield partial(self._end, world, pod)
            elif not objects.get(pod, "spec", "nodeName"):
                yield partial(world.api.update, "pods", objects.evolve(pod, ("spec", "nodeName"), self._node_of(pod)))
            elif not objects.condition_is(pod, "Ready") and self._is_healthy(pod):
                yield partial(self._become_ready, world, pod)

    def _become_ready(self, world: World, pod: Obj) -> None:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": times.render(world.now)}
        number = objects.meta(pod)["uid"].removeprefix("uid-")
        status = {"phase": "Running", "podIP": f"10.{int(number) // 250 % 250}.0.{int(number) % 250}"}
        world.api.update("pods", {**pod, "status": {**status, "conditions": [ready]}}, "status")

    def _end(self, world: World, pod: Obj) -> None:
        namespace, name = objects.namespace(pod), objects.name(pod)
        world.api.delete("pods", namespace, name, uid=objects.uid(pod), grace_period_seconds=0)
