"""What one agent remembers of a pod beyond API and runtime: failures, pulls, back-offs, and how far it has got.

Rule: losing it (a restarted agent) costs nothing but patience: everything here is found out again by trying.
Neighbours: ``podplan.py`` and ``podstatus.py`` read it, ``podworker.py`` writes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.node.restart import Backoff

ERR_IMAGE_PULL: Final = "ErrImagePull"
ERR_IMAGE_PULL_SECONDS: Final = 2.0
"""How long a failed pull shows as such before it shows as waiting for the next one."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step did not succeed, and from when on it may be tried again (Unix seconds)."""

    reason: str
    message: str
    at: float
    retry_at: float
    tries: int = 1


def failed(
    before: Failure | None, reason: str, message: str, now: float, *, first_seconds: float, most_seconds: float
) -> Failure:
    """One more failure of a step: the wait doubles from ``first_seconds`` up to ``most_seconds``."""
    tries = before.tries + 1 if before else 1
    wait = min(first_seconds * 2 ** min(tries - 1, 30), most_seconds)
    return Failure(reason, message, now, now + wait, tries)


@dataclass(frozen=True, slots=True)
class Pulling:
    """The image of a container's next attempt is being fetched."""


@dataclass(frozen=True, slots=True)
class Present:
    """The image is on the node; ``id`` is what the runtime knows it by."""

    id: str
    user: str = ""


ImageNote: TypeAlias = Pulling | Present | Failure


@dataclass(frozen=True, slots=True)
class Health:
    """What probes have proven of one running container."""

    started: bool = True
    ready: bool = True
    """Of its own accord; it counts only once the container has started."""
    failed: str = ""
    """The probe (``liveness``, ``startup``) for whose sake the container is to end."""


@dataclass(frozen=True, slots=True)
class Room:
    """Of a node, by ``cpu`` (milli) and ``memory`` (bytes): all it has for pods, and what the other pods ask for."""

    capacity: Mapping[str, int]
    used: Mapping[str, int]


HookState: TypeAlias = Literal["running", "failed"]
"""Of the ``postStart`` hook of one running container; one that is done has none."""


@dataclass(slots=True)
class Notes:
    prepared: bool = False
    """Directories, cgroup and volumes are in place."""
    step: Failure | None = None
    """Why preparing or the sandbox failed."""
    images: dict[str, ImageNote] = field(default_factory=dict)
    """By container, for its next attempt."""
    starts: dict[str, Failure] = field(default_factory=dict)
    """By container: why its next attempt did not come to life."""
    backoffs: dict[str, Backoff] = field(default_factory=dict)
    """By container: the crash-loop back-off."""
    health: dict[str, Health] = field(default_factory=dict)
    """By container id."""
    hooks: dict[str, HookState] = field(default_factory=dict)
    """By container id."""
    resources: dict[str, Obj] = field(default_factory=dict)
    """By container id: what it was given, as ``resources`` of its spec."""
    room: Room | None = None
    """Looked at only while a container is to have other resources."""
    resize_error: str = ""
    """Why the last try to change resources failed."""
    resize_at: float = 0.0
    """When it may be tried again."""
    started_at: float = 0.0
    """When the agent first saw the pod, for ``status.startTime``."""
    cleaned: bool = False
    """Volumes and cgroup are gone again."""
    reported: bool = False
    """The API has been asked to drop the deleted pod."""
    ended: tuple[str, str] | None = None
    """Reason and message, where the node has ended the pod, or has not taken it."""
    gone: bool = False
    """The API no longer has the pod."""

    def keep_only(self, ids: Collection[str]) -> None:
        """Forget what was noted of containers that are no more."""
        self.health = {id: health for id, health in self.health.items() if id in ids}
        self.resources = {id: given for id, given in self.resources.items() if id in ids}
        self.hooks = {id: state for id, state in self.hooks.items() if id in ids}
