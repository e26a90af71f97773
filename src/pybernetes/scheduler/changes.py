"""What a change in the caches means to pods that no node fitted. Pure.

Rule: a change counts only where it can help: labels, taints or room of a node that differ, a pod that left its node.
Neighbours: ``plugins/table.py`` says which plugin is helped by what; ``queue.py`` wakes by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import NodeInfo


def of_node(before: NodeInfo | None, after: NodeInfo) -> Iterator[Change]:
    """A node came or changed."""
    if before is None:
        yield Change.NODE_ADDED
        return
    if before.allocatable != after.allocatable:
        yield Change.NODE_ALLOCATABLE
    if before.labels != after.labels:
        yield Change.NODE_LABELS
    if (before.taints, before.unschedulable) != (after.taints, after.unschedulable):
        yield Change.NODE_TAINTS


def of_placed(before: PodInfo | None, after: PodInfo | None) -> Iterator[Change]:
    """A placed pod changed, or is placed no more."""
    if before is not None and (after is None or _asks_less(before, after)):
        yield Change.POD_GONE
    if after is not None and (before is None or before.group != after.group):
        yield Change.POD_PLACED


def matters(old: Obj, new: Obj) -> bool:
    """May a waiting pod's own change help it? Its status does not."""
    return old.get("spec") != new.get("spec") or objects.labels(old) != objects.labels(new)


def _asks_less(before: PodInfo, after: PodInfo) -> bool:
    return any(after.requests.get(name, 0) < amount for name, amount in before.requests.items())
