"""What to do next for the containers of a pod whose sandbox stands. Pure.

Init containers run one by one, sidecars among them stay; then the main containers run, and run again by restart policy
and back-off; ephemeral ones start whenever they come, once. A container that is not as wanted or not well is stopped,
and what follows from that is the next plan's.
Neighbours: ``podplan.py`` calls it; ``podends.py`` knows what ended for good, ``restart.py`` when to run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podends, podspec, resize, restart
from pybernetes.node.podactions import Action, EnsureImage, Observed, Plan, Remove, RemoveSandbox, Resize, Start, Stop
from pybernetes.node.podnotes import ERR_IMAGE_PULL, ERR_IMAGE_PULL_SECONDS, Failure, Notes, Present, Pulling
from pybernetes.node.restart import Backoff
from pybernetes.node.runtime.port import CONTAINER_HASH, Container, Sandbox


@dataclass(slots=True)
class Containers:
    """Plans for the containers of a pod whose sandbox stands."""

    pod: Obj
    sandbox: Sandbox
    observed: Observed
    notes: Notes
    now: float
    actions: list[Action] = field(default_factory=list)
    wake_at: float | None = None

    def plan(self) -> Plan:
        """What is to be done for them now."""
        for spec in podspec.ephemeral_containers(self.pod):
            container = self.observed.latest(spec["name"])
            if container is None or container.state == "created":
                self._keep(spec, container)
        if self._initialise():
            for spec in podspec.main_containers(self.pod):
                container = self.observed.latest(spec["name"])
                self._keep(spec, container)
                if self._is_hooking(spec, container):
                    break  # the next container starts when the hook of this one is done
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
                if not passed and not self._has_started(container):
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
            self._end_if_unfit(spec, container)
        elif podends.restart_wanted(self.pod, spec, container, self.notes):
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
            self.actions.append(Start(name, attempt, self.sandbox.id, image.id, backoff, self._target_id(spec)))
        elif not isinstance(image, Pulling):
            self.actions.append(EnsureImage(name))

    def _target_id(self, spec: Obj) -> str:
        """The running container that an ephemeral one is to look at."""
        target = self.observed.latest(spec.get("targetContainerName") or "", self.sandbox.id)
        return target.id if target is not None and target.state == "running" else ""

    def _has_started(self, sidecar: Container | None) -> bool:
        """Whether a sidecar is so far that the next container may start: running, its hook done, its startup proven."""
        if sidecar is None or sidecar.state != "running" or sidecar.id in self.notes.hooks:
            return False
        health = self.notes.health.get(sidecar.id)
        return health is None or health.started

    def _is_hooking(self, spec: Obj, container: Container | None) -> bool:
        """Whether its ``postStart`` hook is at work, or will be once this plan is done."""
        starts = bool(self.actions) and isinstance(self.actions[-1], Start)
        if starts and podspec.hook(spec, "postStart"):
            return True
        return container is not None and self.notes.hooks.get(container.id) == "running"

    def _end_if_unfit(self, spec: Obj, container: Container) -> None:
        """Stop a container that is not as wanted or not well; what comes after it is another plan's business."""
        recorded = container.annotations.get(CONTAINER_HASH, "")
        health = self.notes.health.get(container.id)
        grace = podspec.grace_seconds(self.pod)
        if recorded and recorded != podspec.container_hash(spec):
            text = f"Container {container.name} definition changed, will be restarted"
        elif self.notes.hooks.get(container.id) == "failed":
            text = "FailedPostStartHook"
        elif health is not None and health.failed:
            text = f"Container {container.name} failed {health.failed} probe{self._restarted(spec)}"
            own = objects.get(spec, f"{health.failed}Probe", "terminationGracePeriodSeconds")
            grace = grace if own is None else int(own)
        elif self._resize(spec, container):
            text = f"Container {container.name} resize requires restart"
        else:
            return
        self.actions.append(stop(container, grace, text))

    def _resize(self, spec: Obj, container: Container) -> bool:
        """Plan a change of resources in place where one is wanted and possible; True where it takes a restart."""
        kinds = resize.differing(spec, resize.applied(self.pod, spec, container, self.notes))
        if not kinds:
            return False
        if resize.refusal(self.pod, self.notes.room) is not None:
            self._wake(self.now + resize.LOOK_AGAIN_SECONDS)
            return False
        if resize.needs_restart(spec, kinds):
            return True
        if self.notes.resize_at > self.now:
            self._wake(self.notes.resize_at)
        else:
            self.actions.append(Resize(container.id, container.name))
        return False

    def _restarted(self, spec: Obj) -> str:
        return "" if podspec.restart_policy(self.pod, spec) == "Never" else ", will be restarted"

    def _wait_for(self, failure: Failure) -> None:
        """Until it may be tried again, or until it shows differently."""
        turn = failure.at + ERR_IMAGE_PULL_SECONDS
        shows = failure.reason == ERR_IMAGE_PULL and self.now < turn < failure.retry_at
        self._wake(turn if shows else failure.retry_at)

    def _wake(self, at: float) -> None:
        self.wake_at = earliest(self.wake_at, at)


def succeeded(container: Container | None) -> bool:
    """Whether an attempt ran to a good end."""
    return container is not None and container.state == "exited" and container.exit_code == 0


def earliest(one: float | None, other: float | None) -> float | None:
    """The earlier of two times, either of which may be missing."""
    return min((t for t in (one, other) if t is not None), default=None)


def _attempt(pod: Obj, name: str, observed: Observed) -> int:
    """One more than what the runtime still has or, where it has lost all, than what the API was told."""
    latest = observed.latest(name)
    if latest is not None:
        return latest.attempt + 1
    reported = podspec.reported_status(pod, name)
    ran = any(objects.get(reported, s, k) for s in ("state", "lastState") for k in ("running", "terminated"))
    return int(objects.get(reported, "restartCount", default=0)) + 1 if ran else 0


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


def stop(container: Container, grace_seconds: int, message: str) -> Stop:
    """The action that ends a container; ``message`` is its event's."""
    return Stop(container.id, container.name, grace_seconds, message)
