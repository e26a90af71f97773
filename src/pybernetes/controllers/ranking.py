"""Which pods go first when there are too many (pkg/controller.ActivePodsWithRanks).

Rule: what is least worth keeping comes first: not scheduled, not running, not ready, cheap to delete, beside many of
its siblings, young, often restarted. Ages count in powers of two, so that among pods of about one age the choice is
free and falls on their uids.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from pybernetes.controllers import pods
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_PHASES: Final = {"Pending": 0, "Unknown": 1, "Running": 2}


def first_to_go(candidates: Iterable[Obj], related: Iterable[Obj], now: float) -> list[Obj]:
    """``candidates`` in the order of their deletion; ``related`` are the pods whose crowding on a node counts."""
    crowd = Counter(pods.node(pod) for pod in related if pods.is_active(pod))
    return sorted(candidates, key=lambda pod: _rank(pod, crowd[pods.node(pod)], now))


def _rank(pod: Obj, doubled: int, now: float) -> tuple[Any, ...]:
    return (
        bool(pods.node(pod)),
        _PHASES.get(pods.phase(pod), 0),
        pods.is_ready(pod),
        deletion_cost(pod),
        -doubled,
        _magnitude(pods.ready_since(pod), now),
        -pods.restarts(pod),
        _magnitude(_created(pod), now),
        objects.uid(pod),
    )


def deletion_cost(pod: Obj) -> int:
    """The cost that the pod's annotation names; what is no int32 counts as 0."""
    try:
        cost = int(objects.annotations(pod).get(DELETION_COST, "0"))
    except ValueError:
        return 0
    return cost if -(2**31) <= cost < 2**31 else 0


def _created(pod: Obj) -> float | None:
    text = objects.meta(pod).get("creationTimestamp")
    return times.parse(text) if text else None


def _magnitude(moment: float | None, now: float) -> int:
    """The power of two of an age in nanoseconds: what is young or has no time yet comes first."""
    if moment is None or now <= moment:
        return -1
    return int(math.log2((now - moment) * 1e9))
