"""What a plan may ask for. A plan returns these; ``control/perform.py`` alone carries them out.

``resource`` is a kind's ``plural.group`` name (``pods``, ``replicasets.apps``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True)
class Create:
    resource: str
    obj: Obj
    subresource: str = ""
    name: str = ""
    """Name of the parent, for a subresource (pods/binding, pods/eviction, serviceaccounts/token)."""
    ok_if_exists: bool = False
    event: Event | None = None
    """Emitted after success; ``{name}`` in its message becomes the created object's name."""
    failure_event: Event | None = None
    """Emitted when the API refuses; ``{error}`` becomes the refusal."""
    on_failure: Update | None = None
    """Performed when the API refuses, before the key goes back; ``{error}`` in its conditions' messages likewise."""


@dataclass(frozen=True, slots=True)
class Update:
    """PUT with the object's own resourceVersion; a conflict makes the runner plan the key again."""

    resource: str
    obj: Obj
    subresource: str = ""
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    resource: str
    namespace: str
    name: str
    patch: Any
    kind: Literal["merge", "strategic", "json", "apply"] = "merge"
    subresource: str = ""
    ok_if_missing: bool = False
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    resource: str
    namespace: str
    name: str
    uid: str = ""
    """Precondition; a mismatch counts as done."""
    resource_version: str = ""
    propagation: Literal["Background", "Foreground", "Orphan", ""] = ""
    grace_period_seconds: int | None = None
    event: Event | None = None
    failure_event: Event | None = None
    on_failure: Update | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A core/v1 Event about ``regarding``; repeats are counted together by ``control/events.py``."""

    regarding: Obj
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class After:
    """Plan this key again after so many seconds, if nothing else wakes it before."""

    seconds: float


Action: TypeAlias = Create | Update | Patch | Delete | Event | After
Plan: TypeAlias = Sequence[Action]
