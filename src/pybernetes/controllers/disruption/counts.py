"""How many of a budget's pods are healthy, should be, and may go (pkg/controller/disruption). Pure arithmetic.

Rule 1: a share (``maxUnavailable``, or a percentage) is one of the pods that the owners want, not of those that are
        there; a number in ``minAvailable`` needs no owners.
Rule 2: a pod that was let go (``status.disruptedPods``) counts as gone for two minutes; one that is then still there
        counts again, and something is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pybernetes.controllers import pods as of_pods
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

DELETION_SECONDS: Final = 120.0


class Wanted(NamedTuple):
    """How many pods are expected, and how many of them have to be healthy."""

    expected: int
    healthy: int


class Disrupted(NamedTuple):
    """Pods that were let go and still count as gone (name → when, as it is written down), those that are overdue, and
    when the next will be (seconds; None: none)."""

    gone: Mapping[str, str]
    overdue: Sequence[Obj]
    wait: float | None


def needs_owners(budget: Obj) -> bool:
    least = objects.get(budget, "spec", "minAvailable")
    return not isinstance(least, int)


def wanted(budget: Obj, found: Sequence[Obj], scale: int) -> Wanted:
    """``scale``: how many pods the owners want; it counts where ``needs_owners``."""
    spec = budget.get("spec") or {}
    if spec.get("maxUnavailable") is not None:
        return Wanted(scale, max(0, scale - _share(spec["maxUnavailable"], scale)))
    least = spec.get("minAvailable", 0)
    return Wanted(len(found), least) if isinstance(least, int) else Wanted(scale, _share(least, scale))


def _share(value: int | str, whole: int) -> int:
    """A number, or a percentage of ``whole``, rounded up."""
    return value if isinstance(value, int) else math.ceil(int(value.removesuffix("%")) * whole / 100)


def disrupted(budget: Obj, found: Sequence[Obj], now: float) -> Disrupted:
    """Whom of ``found``, the budget's pods, the eviction subresource has let go."""
    noted = objects.get(budget, "status", "disruptedPods", default={})
    here = [pod for pod in found if objects.name(pod) in noted and not objects.is_deleting(pod)]
    ends = {objects.name(pod): times.parse(noted[objects.name(pod)]) + DELETION_SECONDS for pod in here}
    gone = {name: noted[name] for name, end in ends.items() if end >= now}
    overdue = [pod for pod in here if objects.name(pod) not in gone]
    wait = min((ends[name] - now for name in gone), default=None)
    return Disrupted(gone, overdue, wait)


def healthy(found: Sequence[Obj], gone: Mapping[str, str]) -> int:
    return sum(
        of_pods.is_ready(pod) and not objects.is_deleting(pod) and objects.name(pod) not in gone for pod in found
    )
