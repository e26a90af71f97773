"""What happens to a simulated pod in which state: rows, read from the top; the first that fits is the next step.

Rule: a step leads to a state that its own row does not fit, so every pod comes to rest. A simulated pod is as fast as
the API, except that the program of a Job takes as long as its command sleeps.
Neighbours: ``nodes.py`` looks a changed pod up here and performs the step; ``duration.py`` reads commands. The rows are
KWOK's fast stages, except that a finalizer is left to its owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node.simulated import duration

Step: TypeAlias = Literal["run", "complete", "delete"]


def _no_time(pod: Obj) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """``phases`` and ``owner`` (the kind of the controlling owner) narrow it where they are not empty."""

    name: str
    step: Step
    deleting: bool = False
    phases: tuple[str, ...] = ()
    owner: str = ""
    takes: Callable[[Obj], float] = _no_time
    """Seconds from the pod's start to the step."""

    def fits(self, pod: Obj) -> bool:
        if objects.is_deleting(pod) != self.deleting:
            return False
        if self.phases and objects.get(pod, "status", "phase", default="Pending") not in self.phases:
            return False
        return not self.owner or (objects.controller_of(pod) or {}).get("kind") == self.owner


STAGES: Final = (
    Stage("pod-delete", "delete", deleting=True),
    Stage("pod-ready", "run", phases=("Pending",)),
    Stage("pod-complete", "complete", phases=("Running",), owner="Job", takes=duration.of),
)


def next_step(pod: Obj) -> Step | None:
    """The step that a pod in this state takes, or None where it rests."""
    stage = _stage(pod)
    return None if stage is None else stage.step


def wait_seconds(pod: Obj, now: float) -> float:
    """How long the pod has to wait for its next step."""
    stage, started = _stage(pod), objects.get(pod, "status", "startTime")
    if stage is None or not started:
        return 0.0
    return max(0.0, times.parse(started) + stage.takes(pod) - now)


def _stage(pod: Obj) -> Stage | None:
    if objects.is_deleting(pod) and objects.meta(pod).get("deletionGracePeriodSeconds") == 0:
        return None  # deleted for good already: it waits for the owners of its finalizers
    return next((stage for stage in STAGES if stage.fits(pod)), None)
