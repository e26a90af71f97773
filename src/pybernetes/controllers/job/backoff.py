"""How long a failed pod's replacement has to wait: 10 s, doubled with each further failure, up to 10 minutes.

Rule: the failures since the last success count, as the pods tell them. A pod that was deleted is replaced at once.
"""

from __future__ import annotations

from typing import Final

from pybernetes.controllers import pods
from pybernetes.controllers.job.view import View

FIRST_SECONDS: Final = 10.0
MOST_SECONDS: Final = 600.0


def remaining(view: View) -> float:
    """Seconds until the Job may make pods again; 0 when it may."""
    ended = [pod for pod in view.pods if pods.phase(pod) in pods.FINISHED]
    failures, last = 0, 0.0
    for pod in sorted(ended, key=pods.ended_at, reverse=True):
        if pods.phase(pod) == "Succeeded":
            break
        failures, last = failures + 1, last or pods.ended_at(pod)
    return after(failures, last, view.now)


def after(failures: int, last: float, now: float) -> float:
    """Seconds left of the wait that the n-th failure in a row, at ``last``, has brought."""
    if failures == 0:
        return 0.0
    wait: float = min(FIRST_SECONDS * 2 ** min(failures - 1, 20), MOST_SECONDS)
    return max(0.0, last + wait - now)
