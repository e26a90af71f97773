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

from pybernetes.scheduler.columns import Mask
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
    shares = [_left(snapshot, pod, resource) for resource in _SCORED]
    total, both = shares[0] + shares[1], _has(snapshot, CPU) & _has(snapshot, MEMORY)
    return np.where(both, total >> 1, total)


def _left(snapshot: Snapshot, pod: PodInfo, resource: str) -> Scores:
    """Whole hundredths, rounded down. Dividing as floats is exact up to 90 TB, and many times faster."""
    allocatable = snapshot.amounts(snapshot.allocatable, resource)
    left = allocatable - snapshot.amounts(snapshot.score_requested, resource) - pod.score_requests[resource]
    np.maximum(left, 0, out=left)
    left *= SCORE_MAX
    return (left / np.maximum(allocatable, 1)).astype(np.int64)


def balanced(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """100 where cpu and memory would be used to the same degree; no opinion on pods that request neither."""
    if not any(pod.requests.get(resource) for resource in _SCORED):
        return None
    used = [_used(snapshot, pod, resource) for resource in _SCORED]
    deviation = np.abs(used[0] - used[1])
    deviation *= 0.5 * (_has(snapshot, CPU) & _has(snapshot, MEMORY))
    return ((1.0 - deviation) * SCORE_MAX).astype(np.int64)


def _has(snapshot: Snapshot, resource: str) -> Mask:
    return snapshot.amounts(snapshot.allocatable, resource) > 0


def _used(snapshot: Snapshot, pod: PodInfo, resource: str) -> NDArray[np.float64]:
    """The degree to which a resource would be used, 0..1."""
    requested = snapshot.amounts(snapshot.requested, resource) + pod.requests.get(resource, 0)
    return np.minimum(requested / np.maximum(snapshot.amounts(snapshot.allocatable, resource), 1), 1.0)
