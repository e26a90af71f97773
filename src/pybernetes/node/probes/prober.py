"""The probes of one pod at work: a timer for each, a short task when it rings, and a verdict in the notes.

Theory of operation. ``keep`` compares the probes that should run now (``rule.wanted``) with those that do, whenever the
pod's worker has looked; a probe of a container that is no more ends with it. A verdict that changes something wakes the
worker, which plans and tells. Nothing runs between two tries.
Neighbours: ``rule.py`` decides, ``check.py`` tries, ``podworker.py`` calls ``keep``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from pybernetes.lib.clock import Timer
from pybernetes.lib.tasks import Tasks
from pybernetes.meta.objects import Obj
from pybernetes.node import containerstatus, podspec, podstatus
from pybernetes.node.podactions import Observed
from pybernetes.node.podevents import Voice
from pybernetes.node.podnotes import Notes
from pybernetes.node.probes import check, rule
from pybernetes.node.probes.check import Target
from pybernetes.node.probes.rule import Outcome, Streak
from pybernetes.node.runtime.port import Container
from pybernetes.node.workshop import Workshop

_TRIES_MAX: Final = 3
_Key: TypeAlias = tuple[str, str]
"""Container id and the probe's field."""


class Probers:
    """``pod`` answers with the pod as last seen; ``wake`` wakes its worker."""

    def __init__(self, shop: Workshop, notes: Notes, pod: Callable[[], Obj], wake: Callable[[], None]) -> None:
        self._shop, self._notes, self._pod, self._wake = shop, notes, pod, wake
        self._running: dict[_Key, _Prober] = {}
        self._tasks = Tasks()

    def keep(self, observed: Observed, *, ending: bool) -> None:
        """Have exactly those probes at work that ``observed`` and the notes call for."""
        pod = self._pod()
        live = {c.id: (spec, c) for spec in podspec.all_containers(pod) if (c := _running(spec, observed))}
        for id, (spec, container) in live.items():
            if id not in self._notes.health:
                reported = podspec.reported_status(pod, spec["name"]) or {}
                first = rule.first_health(spec, containerstatus.container_id(container), reported)
                self._notes.health[id] = first
        wanted: dict[_Key, tuple[Obj, Container]] = {}
        for id, (spec, container) in live.items():
            if id not in self._notes.hooks:
                kinds = rule.wanted(spec, self._notes.health[id], ending=ending)
                wanted |= {(id, kind): (spec, container) for kind in kinds}
        self._change_to(wanted, observed)

    async def stop(self) -> None:
        for prober in self._running.values():
            prober.stop()
        self._running.clear()
        await self._tasks.stop()

    def _change_to(self, wanted: dict[_Key, tuple[Obj, Container]], observed: Observed) -> None:
        for key in [k for k in self._running if k not in wanted]:
            self._running.pop(key).stop()
        for key, (spec, container) in wanted.items():
            if key not in self._running:
                ips = podstatus.pod_ips(self._pod(), observed, (self._shop.config.ip,))
                target = Target(self._shop.runtime, self._shop.clock, spec, container.id, ips[0] if ips else "")
                self._running[key] = _Prober(self, key[1], target, container.started_at)

    # ── for each of them ─────────────────────────────────────────────────────────────────────────────────

    def begin_try(self, prober: _Prober) -> None:
        self._tasks.start(prober.attempt(), f"{rule.NAMES[prober.kind]} probe of {prober.target.spec['name']}")

    def tell(self, prober: _Prober, outcome: Outcome) -> None:
        """The event of an outcome, in the kubelet's words; good ones need none."""
        name = rule.NAMES[prober.kind]
        voice = Voice(self._shop.recorder, self._pod(), prober.target.spec["name"])
        if outcome.succeeded is None:
            voice.say("Warning", "Unhealthy", f"{name} probe errored and resulted in unknown state: {outcome.output}")
        elif not outcome.succeeded:
            voice.say("Warning", "Unhealthy", f"{name} probe failed: {outcome.output}")
        elif outcome.warned:
            voice.say("Warning", "ProbeWarning", f"{name} probe warning: {outcome.output}")

    def judge(self, prober: _Prober, succeeded: bool) -> None:
        id = prober.target.container_id
        before = self._notes.health[id]
        after = rule.proven(before, prober.kind, succeeded)
        if after != before:
            self._notes.health[id] = after
            self._wake()


class _Prober:
    """One probe of one running container, from ``started_at`` (Unix seconds) until it is stopped."""

    def __init__(self, home: Probers, kind: str, target: Target, started_at: float) -> None:
        self.kind, self.target = kind, target
        self._home, self._probe = home, target.spec[kind]
        self._streak = Streak()
        self._stopped = False
        self._timer: Timer
        self._set(started_at + rule.number(self._probe, "initialDelaySeconds"))

    async def attempt(self) -> None:
        """Try, judge, and set the timer for the next time."""
        clock = self.target.clock
        began = clock.time()
        outcome = await self._outcome()
        if self._stopped:
            return
        self._home.tell(self, outcome)
        if outcome.succeeded is not None:
            self._streak = self._streak.after(outcome.succeeded)
            verdict = self._streak.proves(self._probe)
            if verdict is not None:
                self._home.judge(self, verdict)
        self._set(began + rule.number(self._probe, "periodSeconds"))

    def stop(self) -> None:
        self._stopped = True
        self._timer.cancel()

    async def _outcome(self) -> Outcome:
        """What cannot be told is tried again at once, a few times."""
        outcome = Outcome(None)
        for _ in range(_TRIES_MAX):
            outcome = await check.check(self._probe, self.target)
            if outcome.succeeded is not None:
                break
        return outcome

    def _set(self, at: float) -> None:
        clock = self.target.clock
        self._timer = clock.call_later(at - clock.time(), lambda: self._home.begin_try(self))


def _running(spec: Obj, observed: Observed) -> Container | None:
    container = observed.latest(spec["name"])
    return container if container is not None and container.state == "running" else None
