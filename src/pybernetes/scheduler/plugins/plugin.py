"""What a plugin is: a row of pure functions over all nodes at once.

Rule: a filter answers with the nodes that it rejects, by reason; a score with one number per node, which is brought to
0..100 over the nodes that are left and then weighed. ``table.py`` has the rows in upstream's order.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

Scores: TypeAlias = NDArray[np.int64]
SCORE_MAX: Final = 100


class Change(enum.Enum):
    """What may happen in a cluster that lets a rejected pod hope again."""

    NODE_ADDED = enum.auto()
    NODE_ALLOCATABLE = enum.auto()
    NODE_LABELS = enum.auto()
    NODE_TAINTS = enum.auto()
    """Taints, or whether it may be scheduled to at all."""
    POD_GONE = enum.auto()
    """A placed pod ended, was deleted, or asks for less."""
    POD_PLACED = enum.auto()
    """A pod got a node, or a placed one other labels; or a namespace has others."""
    CLAIM = enum.auto()
    """A claim came, or is bound."""
    VOLUME = enum.auto()
    """A volume that is nobody's came or changed."""
    STORAGE_CLASS = enum.auto()
    CSI_NODE = enum.auto()
    """A node has another driver, or room for more volumes."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """``nodes[slot]`` is true where the reason holds."""

    reason: str
    nodes: Mask
    hopeless: Mask | None = None
    """Where taking pods away would not help either (UnschedulableAndUnresolvable); None: everywhere."""
    whole: bool = False
    """Does the reason have to do with no node, so that it counts before all others, and stands alone?"""


@dataclass(frozen=True, slots=True)
class Plugin:
    name: str
    filter: Callable[[Snapshot, PodInfo], Sequence[Rejection]] | None = None
    score: Callable[[Snapshot, PodInfo], Scores | None] | None = None
    """None where the plugin has nothing to say about this pod."""
    normalize: Callable[[Scores], Scores] | None = None
    weight: int = 1
    helped_by: frozenset[Change] = frozenset()


def nowhere(snapshot: Snapshot) -> Mask:
    return np.zeros(snapshot.count, dtype=np.bool_)


def to_highest(scores: Scores) -> Scores:
    """The highest becomes 100, the others in proportion (DefaultNormalizeScore)."""
    highest = int(scores.max(initial=0))
    return scores if highest == 0 else scores * SCORE_MAX // highest


def to_lowest(scores: Scores) -> Scores:
    """The highest becomes 0, zero becomes 100 (DefaultNormalizeScore, reversed)."""
    return SCORE_MAX - to_highest(scores)
