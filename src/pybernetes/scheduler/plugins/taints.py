"""TaintToleration: taints keep pods away that do not tolerate them; PreferNoSchedule only makes nodes less liked.

Rule: what is asked of a node's taints is asked once per distinct set of taints; clusters have few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from pybernetes.meta.objects import Obj
from pybernetes.scheduler.plugins.plugin import Rejection, Scores
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot, Taint

_FORBIDDING: Final = ("NoSchedule", "NoExecute")
_DISCOURAGING: Final = "PreferNoSchedule"


def untolerated(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """One reason per taint that is the first in a node's list which the pod does not tolerate."""
    reasons: dict[str, list[int]] = {}
    for number, taints in enumerate(snapshot.taints.values):
        taint = next((t for t in taints if t.effect in _FORBIDDING and not tolerates(pod.tolerations, t)), None)
        if taint is not None:
            reasons.setdefault(f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}", []).append(number)
    ids = snapshot.taints.ids(snapshot.count)
    found = (Rejection(reason, np.isin(ids, numbers)) for reason, numbers in reasons.items())
    return tuple(rejection for rejection in found if rejection.nodes.any())


def discouraged(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """How many PreferNoSchedule taints of each node the pod does not tolerate; no opinion where there are none."""
    tolerations = [t for t in pod.tolerations if t.get("effect") in (None, "", _DISCOURAGING)]
    counts = [
        sum(taint.effect == _DISCOURAGING and not tolerates(tolerations, taint) for taint in taints)
        for taints in snapshot.taints.values
    ]
    if not any(counts):
        return None
    return snapshot.taints.spread(np.array(counts, dtype=np.int64), snapshot.count)


def tolerates(tolerations: Sequence[Obj], taint: Taint) -> bool:
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Obj, taint: Taint) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.effect) or (key and key != taint.key):
        return False
    operator, value = toleration.get("operator") or "Equal", toleration.get("value") or ""
    if operator == "Exists":
        return True
    if operator in ("Gt", "Lt"):
        return _compares(operator, taint.value, value)
    return bool(key) and value == taint.value


def _compares(operator: str, taint: str, toleration: str) -> bool:
    """Is the taint's number above, or below, the toleration's? What is no number compares with nothing (KEP-5471)."""
    try:
        return int(taint) > int(toleration) if operator == "Gt" else int(taint) < int(toleration)
    except ValueError:
        return False
