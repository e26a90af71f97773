"""NodeResourcesFit and NodeResourcesBalancedAllocation: is there room, and where is most of it, most evenly used?

Rule 1: a node has room when allocatable less what its pods request covers the pod, resource by resource; a resource of
        which the pod asks nothing does not matter. What is more than the whole node has, no removal of pods can give.
Rule 2: scores are whole numbers, rounded down as upstream's are (LeastAllocated; 1 − standard deviation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pybernetes.scheduler.plugins.plugin import SCORE_MAX, Rejection, Scores
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.requests import CPU, MEMORY, PODS
from pybernetes.scheduler.snapshot import Snapshot

TOO_MANY_PODS: Final = "Too many pods"
_SCORED: Final = (CPU, MEMORY)


def insufficient(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """One reason per resource that is short; a node can have several."""
    return tuple(_short(snapshot, pod))


def _short(snapshot: Snapshot, pod: PodInfo) -> Iterable[Rejection]:
    for resource, asked in pod.requests.items():
        if not asked:
            continue
        allocatable = snapshot.amounts(snapshot.allocatable, resource)
        nodes = allocatable - snapshot.amounts(snapshot.requested, resource) < asked
        if nodes.any():
            reason = TOO_MANY_PODS if resource == PODS else f"Insufficient {resource}"
            hopeless = np.zeros_like(nodes) if resource == PODS else allocatable < asked
            yield Rejection(reason, nodes, hopeless)


def least_allocated(snapshot: Snapshot, pod: PodInfo) -> Scores:
    """The share of cpu and memory that would be left, 0..100, averaged over those that the node has."""
    total = np.zeros(snapshot.count, dtype=np.int64)
    weights = np.zeros(snapshot.count, dtype=np.int64)
    for resource in _SCORED:
        allocatable = snapshot.amounts(snapshot.allocatable, resource)
        left = allocatable - snapshot.amounts(snapshot.score_requested, resource) - pod.score_requests[resource]
        np.maximum(left, 0, out=left)
        left *= SCORE_MAX
        total += left // np.maximum(allocatable, 1)
        weights += allocatable > 0
    return total // np.maximum(weights, 1)


def balanced(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """100 where cpu and memory would be used to the same degree; no opinion on pods that request neither."""
    if not any(pod.requests.get(resource) for resource in _SCORED):
        return None
    used = [_used(snapshot, pod, resource) for resource in _SCORED]
    both = (snapshot.amounts(snapshot.allocatable, CPU) > 0) & (snapshot.amounts(snapshot.allocatable, MEMORY) > 0)
    deviation = np.where(both, np.abs(used[0] - used[1]) / 2, 0.0)
    return ((1.0 - deviation) * SCORE_MAX).astype(np.int64)


def _used(snapshot: Snapshot, pod: PodInfo, resource: str) -> NDArray[np.float64]:
    """The degree to which a resource would be used, 0..1."""
    requested = snapshot.amounts(snapshot.requested, resource) + pod.requests.get(resource, 0)
    return np.minimum(requested / np.maximum(snapshot.amounts(snapshot.allocatable, resource), 1), 1.0)
