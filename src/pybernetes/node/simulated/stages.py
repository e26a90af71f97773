"""What happens to a simulated pod in which state: rows, read from the top; the first that fits is the next step.

Rule: a step leads to a state that its own row does not fit, so every pod comes to rest. No row has a delay: a
simulated pod is as fast as the API.
Neighbours: ``nodes.py`` looks a changed pod up here and performs the step. The rows are KWOK's fast stages, except
that a finalizer is left to its owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

Step: TypeAlias = Literal["run", "complete", "delete"]


@dataclass(frozen=True, slots=True)
class Stage:
    """``phases`` and ``owner`` (the kind of the controlling owner) narrow it where they are not empty."""

    name: str
    step: Step
    deleting: bool = False
    phases: tuple[str, ...] = ()
    owner: str = ""

    def fits(self, pod: Obj) -> bool:
        if objects.is_deleting(pod) != self.deleting:
            return False
        if self.phases and objects.get(pod, "status", "phase", default="Pending") not in self.phases:
            return False
        return not self.owner or (objects.controller_of(pod) or {}).get("kind") == self.owner


STAGES: Final = (
    Stage("pod-delete", "delete", deleting=True),
    Stage("pod-ready", "run", phases=("Pending",)),
    Stage("pod-complete", "complete", phases=("Running",), owner="Job"),
)


def next_step(pod: Obj) -> Step | None:
    """The step that a pod in this state takes, or None where it rests."""
    if objects.is_deleting(pod) and objects.meta(pod).get("deletionGracePeriodSeconds") == 0:
        return None  # deleted for good already: it waits for the owners of its finalizers
    return next((stage.step for stage in STAGES if stage.fits(pod)), None)
