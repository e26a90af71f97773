"""The heart of the node: what to do next for one pod, as a pure function of what is wanted, seen and remembered.

Theory of operation. ``plan`` looks at the pod (API), the observed sandboxes and containers (runtime), the agent's
notes and the time, and returns the next batch of actions and when to look again if nothing happens before. The
worker performs them, observes, and plans again until there is nothing to do. So a plan never needs to remember
where it was: an agent that starts among running containers gets the same answer as the one that started them.

A pod is in one of three families, each with its function below:
  running   prepare → sandbox → init containers one by one → main containers; restart what ended
  finished  every container ended for good: stop sidecars and sandbox, release volumes; the logs stay
  ending    deleted or past its deadline: stop main containers, then sidecars, then the sandbox, release, report

Neighbours: ``podactions.py`` (the words), ``restart.py`` (when to run again), ``podstatus.py`` (what to say of it),
``podworker.py`` (performs).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, restart
from pybernetes.node.podactions import (
    Action,
    CreateSandbox,
    EnsureImage,
    Forget,
    Observed,
    Plan,
    Prepare,
    Release,
    Remove,
    RemoveSandbox,
    Report,
    Start,
    Stop,
    StopSandbox,
)
from pybernetes.node.podnotes import ERR_IMAGE_PULL, ERR_IMAGE_PULL_SECONDS, Failure, Notes, Present, Pulling
from pybernetes.node.restart import Backoff
from pybernetes.node.runtime.port import CONTAINER_HASH, Container, Sandbox


def plan(pod: Obj, observed: Observed, notes: Notes, now: float) -> Plan:
    """The next actions for a pod; none and no ``wake_at`` when all is as it should be."""
    if notes.gone or objects.is_deleting(pod):
        return _ending(pod, observed, notes, deletion_grace_seconds(pod, now))
    if past_deadline(pod, notes, now):
        return _finished(pod, observed, notes)
    if is_finished(pod, observed):
        return _finished(pod, observed, notes)
    planned = _running(pod, observed, notes, now)
    deadline = _deadline(pod, notes)
    return planned if deadline is None else Plan(planned.actions, _earliest(planned.wake_at, deadline))


# ── when a pod is over ───────────────────────────────────────────────────────────────────────────────────


def is_finished(pod: Obj, observed: Observed) -> bool:
    """Whether no container will ever run (again): every main one ended for good, or an init one failed for good."""
    if objects.get(pod, "status", "phase") in ("Succeeded", "Failed"):
        return True
    if any(_ended_for_good(pod, c, observed, failed_only=True) for c in podspec.init_containers(pod)):
        return True
    return all(_ended_for_good(pod, c, observed) for c in podspec.main_containers(pod))


def _ended_for_good(pod: Obj, spec: Obj, observed: Observed, *, failed_only: bool = False) -> bool:
    container = observed.latest(spec["name"])
    if container is None or container.state != "exited" or (failed_only and container.exit_code == 0):
        return False
    return not restart_wanted(pod, spec, container)


def restart_wanted(pod: Obj, spec: Obj, container: Container) -> bool:
    """Whether an ended container of a pod that goes on is to run again."""
    recorded = container.annotations.get(CONTAINER_HASH, "")
    return restart.wanted(container, podspec.restart_policy(pod, spec), podspec.container_hash(spec), recorded)


def past_deadline(pod: Obj, notes: Notes, now: float) -> bool:
    deadline = _deadline(pod, notes)
    return deadline is not None and now >= deadline


def _deadline(pod: Obj, notes: Notes) -> float | None:
    seconds = objects.get(pod, "spec", "activeDeadlineSeconds")
    return None if seconds is None else started_at(pod, notes) + seconds


def started_at(pod: Obj, notes: Notes) -> float:
    """When this node took the pod on: as the API has it, or as this agent noted it."""
    text = objects.get(pod, "status", "startTime")
    return times.parse(text) if text else notes.started_at


def deletion_grace_seconds(pod: Obj, now: float) -> int:
    """What is left of the grace of a deleted pod, at least one second."""
    metadata = objects.meta(pod)
    grace = metadata.get("deletionGracePeriodSeconds")
    if grace is None:
        grace = podspec.grace_seconds(pod)
    ends = metadata.get("deletionTimestamp")
    left = ceil(times.parse(ends) - now) if ends else grace
    return max(1, min(int(grace), left))


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────


def _running(pod: Obj, observed: Observed, notes: Notes, now: float) -> Plan:
    if notes.step is not None and notes.step.retry_at > now:
        return Plan(wake_at=notes.step.retry_at)
    if not notes.prepared:
        return Plan((Prepare(),))
    sandbox = observed.sandbox()
    stale = [c for c in observed.live() if sandbox is None or c.sandbox_id != sandbox.id]
    if stale:
        return Plan(tuple(_stop(c, podspec.grace_seconds(pod), f"Stopping container {c.name}") for c in stale))
    if sandbox is None:
        attempt = observed.sandboxes[0].attempt + 1 if observed.sandboxes else 0
        return Plan((CreateSandbox(attempt),))
    return _Containers(pod, sandbox, observed, notes, now).plan()


@dataclass(slots=True)
class _Containers:
    """Plans for the containers of a pod whose sandbox stands."""

    pod: Obj
    sandbox: Sandbox
    observed: Observed
    notes: Notes
    now: float
    actions: list[Action] = field(default_factory=list)
    wake_at: float | None = None

    def plan(self) -> Plan:
        if self._initialise():
            for spec in podspec.main_containers(self.pod):
                self._keep(spec, self.observed.latest(spec["name"]))
        self.actions.extend(_garbage(self.observed, self.sandbox))
        return Plan(tuple(self.actions), self.wake_at)

    def _initialise(self) -> bool:
        """Plan for the init containers; True when the main containers may run. What an init container did in an
        earlier sandbox does not count."""
        mains = podspec.main_containers(self.pod)
        passed = any(self.observed.latest(c["name"], self.sandbox.id) for c in mains)
        for spec in podspec.init_containers(self.pod):
            container = self.observed.latest(spec["name"], self.sandbox.id)
            if podspec.is_sidecar(spec):
                self._keep(spec, container)
                if not passed and (container is None or container.state != "running"):
                    return False
            elif not passed and not succeeded(container):
                self._keep(spec, container)
                return False
        return True

    def _keep(self, spec: Obj, container: Container | None) -> None:
        """Have a container running, once its back-off allows."""
        name = spec["name"]
        if container is None:
            self._begin(spec, None)
        elif container.state == "created":
            self.actions.append(Remove(container.id, name))
        elif container.state != "exited":
            self._replace_if_changed(spec, container)
        elif restart_wanted(self.pod, spec, container):
            before = self.notes.backoffs.get(name)
            wait = restart.remaining(before, container.finished_at, self.now)
            if wait > 0:
                self._wake(self.now + wait)
            else:
                self._begin(spec, restart.following(before, container.finished_at, self.now))

    def _begin(self, spec: Obj, backoff: Backoff | None) -> None:
        """The image, then the next attempt, unless one of them has just failed."""
        name = spec["name"]
        image, failure = self.notes.images.get(name), self.notes.starts.get(name)
        if isinstance(image, Failure):
            failure = image
        if failure is not None and failure.retry_at > self.now:
            self._wait_for(failure)
        elif isinstance(image, Present):
            attempt = _attempt(self.pod, name, self.observed)
            self.actions.append(Start(name, attempt, self.sandbox.id, image.id, backoff))
        elif not isinstance(image, Pulling):
            self.actions.append(EnsureImage(name))

    def _replace_if_changed(self, spec: Obj, container: Container) -> None:
        recorded = container.annotations.get(CONTAINER_HASH, "")
        if recorded and recorded != podspec.container_hash(spec):
            text = f"Container {container.name} definition changed, will be restarted"
            self.actions.append(_stop(container, podspec.grace_seconds(self.pod), text))

    def _wait_for(self, failure: Failure) -> None:
        """Until it may be tried again, or until it shows differently."""
        turn = failure.at + ERR_IMAGE_PULL_SECONDS
        shows = failure.reason == ERR_IMAGE_PULL and self.now < turn < failure.retry_at
        self._wake(turn if shows else failure.retry_at)

    def _wake(self, at: float) -> None:
        self.wake_at = _earliest(self.wake_at, at)


def succeeded(container: Container | None) -> bool:
    return container is not None and container.state == "exited" and container.exit_code == 0


def _earliest(one: float | None, other: float | None) -> float | None:
    return min((t for t in (one, other) if t is not None), default=None)


def _attempt(pod: Obj, name: str, observed: Observed) -> int:
    """One more than what the runtime still has or, where it has lost all, than what the API was told."""
    latest = observed.latest(name)
    if latest is not None:
        return latest.attempt + 1
    reported = reported_status(pod, name)
    ran = any(objects.get(reported, s, k) for s in ("state", "lastState") for k in ("running", "terminated"))
    return int(objects.get(reported, "restartCount", default=0)) + 1 if ran else 0


def reported_status(pod: Obj, name: str) -> Obj | None:
    """What the API was last told of a container."""
    status = pod.get("status") or {}
    entries = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return next((e for e in entries if e.get("name") == name), None)


def _garbage(observed: Observed, sandbox: Sandbox) -> Iterator[Action]:
    """Of each container the newest attempt and the one before stay (its logs are ``--previous``); of the sandboxes
    the newest, and those that hold something that stays."""
    kept: dict[str, int] = {}
    homes = {sandbox.id}
    for container in observed.containers:
        kept[container.name] = kept.get(container.name, 0) + 1
        if kept[container.name] <= 2:
            homes.add(container.sandbox_id)
        elif container.state == "exited":
            yield Remove(container.id, container.name)
    yield from (RemoveSandbox(s.id) for s in observed.sandboxes if s.id not in homes and not s.ready)


# ── finished and ending ──────────────────────────────────────────────────────────────────────────────────


def _finished(pod: Obj, observed: Observed, notes: Notes) -> Plan:
    stops = _stops(pod, observed, podspec.grace_seconds(pod))
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
        return tuple(_stop(c, grace_seconds, f"Stopping container {c.name}") for c in first)
    return tuple(StopSandbox(s.id) for s in observed.sandboxes if s.ready)


def _stop(container: Container, grace_seconds: int, message: str) -> Stop:
    return Stop(container.id, container.name, grace_seconds, message)
