"""How long a failed pod's replacement has to wait: 10 s, doubled with each further failure, up to 10 minutes.

Rule: the failures since the last success count, as the pods tell them. A pod that was deleted is replaced at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.controllers import pods
from pybernetes.controllers.job.view import View
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

FIRST_SECONDS: Final = 10.0
MOST_SECONDS: Final = 600.0


def remaining(view: View) -> float:
    """Seconds until the Job may make pods again; 0 when it may."""
    ended = [pod for pod in view.pods if pods.phase(pod) in pods.FINISHED]
    failures, last = 0, 0.0
    for pod in sorted(ended, key=ended_at, reverse=True):
        if pods.phase(pod) == "Succeeded":
            break
        failures, last = failures + 1, last or ended_at(pod)
    return after(failures, last, view.now)


def after(failures: int, last: float, now: float) -> float:
    """Seconds left of the wait that the n-th failure in a row, at ``last``, has brought."""
    if failures == 0:
        return 0.0
    wait: float = min(FIRST_SECONDS * 2 ** min(failures - 1, 20), MOST_SECONDS)
    return max(0.0, last + wait - now)


def ended_at(pod: Obj) -> float:
    """When a pod ended: its last container, or else what else tells of it (getFinishedTime)."""
    found = [*_container_ends(objects.get(pod, "status", "containerStatuses", default=[]))]
    ready = objects.condition(pod, "Ready") or {}
    metadata = objects.meta(pod)
    told = [
        max(found, default=None),
        ready.get("lastTransitionTime") if ready.get("status") == "False" else None,
        metadata.get("deletionTimestamp"),
        metadata.get("creationTimestamp"),
    ]
    return next((times.parse(text) for text in told if text), 0.0)


def _container_ends(statuses: Sequence[Obj]) -> Iterable[str]:
    for status in statuses:
        ended = objects.get(status, "state", "terminated", "finishedAt")
        if ended:
            yield ended
