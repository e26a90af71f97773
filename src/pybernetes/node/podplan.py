"""The heart of the node: what to do next for one pod, as a pure function of what is wanted, seen and remembered.

Theory of operation. ``plan`` looks at the pod (API), the observed sandboxes and containers (runtime), the agent's
notes and the time, and returns the next batch of actions and when to look again if nothing happens before. The
worker performs them, observes, and plans again until there is nothing to do. So a plan never needs to remember
where it was: an agent that starts among running containers gets the same answer as the one that started them.

A pod is in one of three families, each with its function below or in ``containerplan.py``:
  running   prepare → sandbox → init containers one by one → main containers; restart what ended
  finished  every container ended for good: stop sidecars and sandbox, release volumes; the logs stay
  ending    deleted or past its deadline: stop main containers, then sidecars, then the sandbox, release, report

Neighbours: ``podactions.py`` (the words), ``containerplan.py`` (the containers of a running pod), ``podends.py`` (when
it is over), ``podstatus.py`` (what to say of it), ``podworker.py`` (performs).
"""

from __future__ import annotations

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podends, podspec
from pybernetes.node.containerplan import Containers, earliest, stop
from pybernetes.node.podactions import (
    Action,
    CreateSandbox,
    Forget,
    Observed,
    Plan,
    Prepare,
    Release,
    RemoveSandbox,
    Report,
    StopSandbox,
)
from pybernetes.node.podnotes import Notes


def plan(pod: Obj, observed: Observed, notes: Notes, now: float) -> Plan:
    """The next actions for a pod; none and no ``wake_at`` when all is as it should be."""
    if notes.gone or objects.is_deleting(pod):
        return _ending(pod, observed, notes, podends.deletion_grace_seconds(pod, now))
    if notes.ended is not None:
        return _finished(pod, observed, notes, grace_seconds=1)
    if podends.cut_short(pod, notes, now):
        return _finished(pod, observed, notes)
    if podends.is_finished(pod, observed, notes):
        return _finished(pod, observed, notes)
    planned = _running(pod, observed, notes, now)
    deadline = podends.deadline(pod, notes)
    return planned if deadline is None else Plan(planned.actions, earliest(planned.wake_at, deadline))


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────


def _running(pod: Obj, observed: Observed, notes: Notes, now: float) -> Plan:
    if notes.step is not None and notes.step.retry_at > now:
        return Plan(wake_at=notes.step.retry_at)
    if not notes.prepared:
        return Plan((Prepare(),))
    sandbox = observed.sandbox()
    stale = [c for c in observed.live() if sandbox is None or c.sandbox_id != sandbox.id]
    if stale:
        return Plan(tuple(stop(c, podspec.grace_seconds(pod), f"Stopping container {c.name}") for c in stale))
    if sandbox is None:
        attempt = observed.sandboxes[0].attempt + 1 if observed.sandboxes else 0
        return Plan((CreateSandbox(attempt),))
    return Containers(pod, sandbox, observed, notes, now).plan()


# ── finished and ending ──────────────────────────────────────────────────────────────────────────────────


def _finished(pod: Obj, observed: Observed, notes: Notes, grace_seconds: int | None = None) -> Plan:
    stops = _stops(pod, observed, podspec.grace_seconds(pod) if grace_seconds is None else grace_seconds)
    if stops:
        return Plan(stops)
    if not notes.cleaned:
        return Plan((Release(),))
    return Plan()


def _ending(pod: Obj, observed: Observed, notes: Notes, grace_seconds: int) -> Plan:
    stops = _stops(pod, observed, grace_seconds)
    if stops:
        return Plan(stops)
    if not notes.cleaned:
        return Plan((Release(),))
    if not notes.gone:
        return Plan() if notes.reported else Plan((Report(),))
    return Plan((*(RemoveSandbox(s.id) for s in observed.sandboxes), Forget()))


def _stops(pod: Obj, observed: Observed, grace_seconds: int) -> tuple[Action, ...]:
    """The next to stop: main containers together, then sidecars from the last to the first, then sandboxes."""
    live = observed.live()
    order = [c["name"] for c in podspec.init_containers(pod) if podspec.is_sidecar(c)]
    first = [c for c in live if c.name not in order] or sorted(live, key=lambda c: order.index(c.name))[-1:]
    if first:
        return tuple(stop(c, grace_seconds, f"Stopping container {c.name}") for c in first)
    return tuple(StopSandbox(s.id) for s in observed.sandboxes if s.ready)
