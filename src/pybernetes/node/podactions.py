"""The words of a plan: what the runtime has of a pod (``Observed``), and what can be asked for (``Action``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pybernetes.node.restart import Backoff
from pybernetes.node.runtime.port import Container, Sandbox


@dataclass(frozen=True, slots=True)
class Prepare:
    """Directories, cgroup and volumes."""


@dataclass(frozen=True, slots=True)
class CreateSandbox:
    attempt: int


@dataclass(frozen=True, slots=True)
class StopSandbox:
    id: str


@dataclass(frozen=True, slots=True)
class RemoveSandbox:
    """Its containers go with it."""

    id: str


@dataclass(frozen=True, slots=True)
class EnsureImage:
    container: str


@dataclass(frozen=True, slots=True)
class Start:
    """Create and start an attempt at a container in a sandbox. ``backoff`` is to be noted: the wait after its end.
    ``target_id`` is the container whose processes it sees."""

    container: str
    attempt: int
    sandbox_id: str
    image_id: str
    backoff: Backoff | None = None
    target_id: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    id: str
    container: str
    grace_seconds: int
    message: str


@dataclass(frozen=True, slots=True)
class Resize:
    """Give a running container the resources that its spec has now."""

    id: str
    container: str


@dataclass(frozen=True, slots=True)
class Remove:
    id: str
    container: str


@dataclass(frozen=True, slots=True)
class Release:
    """Unmount volumes, remove the cgroup."""


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the API that a deleted pod has ended: the last status, then a delete without grace."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove directories and logs; the worker ends."""


Action: TypeAlias = (
    Prepare | CreateSandbox | StopSandbox | RemoveSandbox | EnsureImage
    | Start | Stop | Resize | Remove | Release | Report | Forget
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    actions: tuple[Action, ...] = ()
    wake_at: float | None = None
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the runtime has of one pod, newest first."""

    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[Container, ...] = ()

    def sandbox(self) -> Sandbox | None:
        """The newest sandbox that stands, if the newest one does."""
        newest = self.sandboxes[0] if self.sandboxes else None
        return newest if newest is not None and newest.ready else None

    def latest(self, name: str, sandbox_id: str = "") -> Container | None:
        """The newest attempt at a container (in one sandbox)."""
        return next(
            (c for c in self.containers if c.name == name and (not sandbox_id or c.sandbox_id == sandbox_id)), None
        )

    def live(self) -> list[Container]:
        return [c for c in self.containers if c.state in ("running", "unknown")]


def observe(sandboxes: Sequence[Sandbox], containers: Sequence[Container]) -> Observed:
    """Both in the order that plans rely on."""
    return Observed(
        tuple(sorted(sandboxes, key=lambda s: (s.attempt, s.created_at), reverse=True)),
        tuple(sorted(containers, key=lambda c: (c.attempt, c.created_at), reverse=True)),
    )
