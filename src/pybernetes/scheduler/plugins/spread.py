"""PodTopologySpread: as many pods of a kind in each domain, give or take (KEP-895).

Rule 1: a hard constraint rejects a node whose domain would have more than ``maxSkew`` pods above the emptiest domain.
        Domains are those of nodes that the pod could use by its node affinity (and taints, where it says so) and that
        have all the labels which hard constraints name; with fewer of them than ``minDomains`` the emptiest counts 0.
Rule 2: soft constraints like domains with few pods; the more domains, the more a pod weighs.
Rule 3: pods of a set that states no constraint are spread softly over nodes and zones (``ties.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from pybernetes.scheduler.columns import Ints, Mask
from pybernetes.scheduler.plugins import affinity, domains, taints
from pybernetes.scheduler.plugins.plugin import SCORE_MAX, Rejection, Scores, nowhere
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot
from pybernetes.scheduler.ties import Spread

SKEWED: Final = "node(s) didn't match pod topology spread constraints"
UNLABELLED: Final = f"{SKEWED} (missing required label)"
_IGNORED: Final = -1
_HOSTNAME: Final = "kubernetes.io/hostname"


def skewed(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rule 1."""
    hard = [constraint for constraint in pod.ties.spread if constraint.is_hard]
    if not hard or not snapshot.count:
        return ()
    labelled = _labelled(snapshot, hard)
    over = nowhere(snapshot)
    for constraint in hard:
        over |= _over(snapshot, pod, constraint, labelled)
    found = (Rejection(UNLABELLED, ~labelled), Rejection(SKEWED, over & labelled, hopeless=nowhere(snapshot)))
    return tuple(rejection for rejection in found if rejection.nodes.any())


def crowded(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """Rule 2: how many pods of its kind are near each node; -1 for nodes that lack a label."""
    soft = [constraint for constraint in pod.ties.spread if not constraint.is_hard]
    if not soft:
        return None
    labelled = _labelled(snapshot, (constraint for constraint in soft if not constraint.is_default))
    total = np.zeros(snapshot.count, dtype=np.float64)
    for constraint in soft:
        counted = labelled & _usable(snapshot, pod, constraint)
        numbers = domains.numbers(snapshot, constraint.topology_key)
        sums = domains.summed(numbers, np.where(counted, _alike(snapshot, pod, constraint), 0))
        there = len(np.unique(numbers[counted])) if constraint.topology_key != _HOSTNAME else int(counted.sum())
        total += sums[numbers] * math.log(there + 2) + (constraint.max_skew - 1)
    return np.where(labelled, np.rint(total).astype(np.int64), _IGNORED)


def to_emptiest(scores: Scores) -> Scores:
    """The fewest pods become 100, nodes without the labels 0 (podtopologyspread.NormalizeScore)."""
    counted = scores[scores != _IGNORED]
    if not len(counted):
        return np.zeros_like(scores)
    lowest, highest = int(counted.min()), int(counted.max())
    if highest == 0:
        return np.where(scores == _IGNORED, 0, SCORE_MAX)
    return np.where(scores == _IGNORED, 0, SCORE_MAX * (highest + lowest - scores) // highest)


def _over(snapshot: Snapshot, pod: PodInfo, constraint: Spread, labelled: Mask) -> Mask:
    """Where one pod more is too many."""
    counted = labelled & _usable(snapshot, pod, constraint)
    numbers = domains.numbers(snapshot, constraint.topology_key)
    sums = domains.summed(numbers, np.where(counted, _alike(snapshot, pod, constraint), 0))
    there = np.unique(numbers[counted])
    emptiest = int(sums[there].min()) if len(there) >= max(constraint.min_domains, 1) else 0
    own = int(constraint.selector.matches(pod.labels))
    return sums[numbers] + own - emptiest > constraint.max_skew


def _labelled(snapshot: Snapshot, constraints: Iterable[Spread]) -> Mask:
    found = ~nowhere(snapshot)
    for constraint in constraints:
        found &= domains.present(snapshot, constraint.topology_key)
    return found


def _usable(snapshot: Snapshot, pod: PodInfo, constraint: Spread) -> Mask:
    """The nodes whose pods count."""
    found = ~nowhere(snapshot)
    rejections = affinity.mismatched(snapshot, pod) if constraint.honors_affinity else ()
    for rejection in (*rejections, *(taints.untolerated(snapshot, pod) if constraint.honors_taints else ())):
        found &= ~rejection.nodes
    return found


def _alike(snapshot: Snapshot, pod: PodInfo, constraint: Spread) -> Ints:
    """Pods of the same namespace that the constraint selects, by node; those on their way out do not count."""
    return domains.on_nodes(
        snapshot,
        (
            nodes
            for group, nodes in snapshot.groups.counts.items()
            if group.namespace == pod.namespace
            and not group.is_deleting
            and constraint.selector.matches(dict(group.labels))
        ),
    )
