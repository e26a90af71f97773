"""The lifecycle hooks of one pod's containers at work: each once, with its note or event where it fails.

Neighbours: ``hooks.py`` does what a hook asks for, ``podperform.py`` calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks, deadline
from pybernetes.meta.objects import Obj
from pybernetes.node import hooks, podspec
from pybernetes.node.hooks import HookFailed
from pybernetes.node.podevents import Voice
from pybernetes.node.podnotes import Notes
from pybernetes.node.probes.check import Target
from pybernetes.node.workshop import Workshop

_log = Log("node.podhooks")


class PodHooks:
    """``wake`` wakes the pod's worker when a ``postStart`` hook is done."""

    def __init__(self, shop: Workshop, notes: Notes, tasks: Tasks, wake: Callable[[], None]) -> None:
        self._shop, self._notes, self._tasks, self._wake = shop, notes, tasks, wake
        self._before_stop: dict[str, asyncio.Task[None]] = {}

    async def post_start(self, pod: Obj, name: str, id: str, ips: Sequence[str]) -> None:
        """Run the hook of a container that has just been started; the notes tell how it went."""
        spec = podspec.container(pod, name) or {}
        try:
            await hooks.run(podspec.hook(spec, "postStart") or {}, self._target(spec, id, ips))
        except HookFailed as failure:
            _log.warning("a postStart hook failed", pod=podspec.reference(pod), container=name, why=failure)
            Voice(self._shop.recorder, pod, name).say("Warning", "FailedPostStartHook", "PostStartHook failed")
            self._notes.hooks[id] = "failed"
        else:
            self._notes.hooks.pop(id, None)
        self._wake()

    async def pre_stop(self, pod: Obj, name: str, id: str, ips: Sequence[str], ends_at: float) -> bool:
        """Run the hook of a container that is to stop, until ``ends_at`` at the latest; False where it has none. Who
        asks again waits for the same run."""
        spec = podspec.container(pod, name) or {}
        action = podspec.hook(spec, "preStop")
        left = ends_at - self._shop.clock.time()
        if action is None or left <= 0:
            return False
        if id not in self._before_stop:
            work = self._run_before_stop(pod, spec, action, self._target(spec, id, ips))
            self._before_stop[id] = self._tasks.start(work, f"preStop hook of {name} of {podspec.reference(pod)}")
        try:
            async with deadline(self._shop.clock, left):
                await asyncio.shield(self._before_stop[id])
        except TimeoutError:
            _log.info("a preStop hook outlasts the grace period", pod=podspec.reference(pod), container=name)
        return True

    async def _run_before_stop(self, pod: Obj, spec: Obj, action: Obj, target: Target) -> None:
        try:
            await hooks.run(action, target)
        except HookFailed as failure:
            _log.warning("a preStop hook failed", pod=podspec.reference(pod), container=spec["name"], why=failure)
            Voice(self._shop.recorder, pod, spec["name"]).say("Warning", "FailedPreStopHook", "PreStopHook failed")

    def _target(self, spec: Obj, id: str, ips: Sequence[str]) -> Target:
        return Target(self._shop.runtime, self._shop.clock, spec, id, ips[0] if ips else "")
