"""What may be asked of any Job by its status: the Job controller's neighbours need no more."""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

ENDS: Final = ("Complete", "Failed")


def end(job: Obj) -> Obj | None:
    """The condition by which the Job has finished; None while it has not."""
    return next((c for kind in ENDS if (c := objects.condition(job, kind)) and c.get("status") == "True"), None)


def has_succeeded(job: Obj) -> bool:
    return objects.condition_is(job, "Complete")


def ended_at(job: Obj) -> float | None:
    """When the Job finished; None while it has not."""
    told = (end(job) or {}).get("lastTransitionTime")
    return times.parse(told) if told else None
