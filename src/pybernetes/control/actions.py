"""What a plan may ask for. A plan returns these; ``control/perform.py`` alone carries them out.

``resource`` is a kind's ``plural.group`` name (``pods``, ``replicasets.apps``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pybernetes.meta.errors import ApiError
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
    field_path: str = ""
    """The part of the object that it is about: ``spec.containers{main}``."""


@dataclass(frozen=True, slots=True)
class After:
    """Plan this key again after so many seconds, if nothing else wakes it before."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Get:
    """A question: the object as the API has it now. Answered with None where there is none."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class DeleteCollection:
    """A question: delete all objects of a namespace, and answer with the list object of those that stay."""

    resource: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Look:
    """A question: what the API answers at a path (a scale, a list, a metric). NotFound is told as the refusal it is."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Review:
    """A question that is an object itself (a SubjectAccessReview): the answer is that object with its status."""

    resource: str
    obj: Obj


Question: TypeAlias = Get | DeleteCollection | Look | Review
Answer: TypeAlias = Obj | ApiError | None
"""A refusal is an answer too: the plan decides what it means."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the API what no cache tells; the plan goes on with what ``then``, a pure function, makes of the answers.

    All questions are asked at once, and answered in their order.
    """

    questions: Sequence[Question]
    then: Callable[[Sequence[Answer]], Plan]


Action: TypeAlias = Create | Update | Patch | Delete | Event | After | Ask
Plan: TypeAlias = Sequence[Action]
