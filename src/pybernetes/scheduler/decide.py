"""Which node a pod gets: every filter and score over all nodes at once. Pure: chance comes in as a number.

Rule: a node is left when no filter rejects it; of those left the highest weighed sum of scores wins, and ``chance``
(0..1) picks among equals. All filters are asked about all nodes, because the verdicts are the explanation.
Neighbours: ``plugins/table.py`` has the rows, ``explain.py`` reads the verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.plugins.plugin import Plugin, Rejection, Scores
from pybernetes.scheduler.plugins.table import PLUGINS
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one plugin rejects, and why."""

    plugin: Plugin
    rejections: Sequence[Rejection]

    def nodes(self) -> Mask:
        """Rejected for whatever reason."""
        first, *others = (rejection.nodes for rejection in self.rejections)
        rejected = first
        for nodes in others:
            rejected = rejected | nodes
        return rejected

    def hopeless(self) -> Mask:
        """Rejected so that taking pods away would not help."""
        found = np.zeros_like(self.rejections[0].nodes)
        for rejection in self.rejections:
            found |= rejection.nodes if rejection.hopeless is None else rejection.nodes & rejection.hopeless
        return found


@dataclass(frozen=True, slots=True)
class Decision:
    node: str | None
    """None where no node is left."""
    count: int
    """How many nodes there were."""
    verdicts: Sequence[Verdict]
    """In the order of the plugins, of those that reject anything."""


def decide(
    snapshot: Snapshot, pod: PodInfo, chance: float, *, nominated: str = "", plugins: Sequence[Plugin] = PLUGINS
) -> Decision:
    """The node for ``pod``: the ``nominated`` one, for which others were taken away, if it is left."""
    verdicts = judge(snapshot, pod, plugins)
    left = np.flatnonzero(~rejected(snapshot, verdicts))
    if not len(left):
        return Decision(None, snapshot.count, verdicts)
    slot = snapshot.slots.get(nominated)
    if slot is None or slot not in left:
        slot = left[0] if len(left) == 1 else _best(snapshot, pod, left, chance, plugins)
    return Decision(snapshot.names[slot], snapshot.count, verdicts)


def judge(snapshot: Snapshot, pod: PodInfo, plugins: Sequence[Plugin] = PLUGINS) -> Sequence[Verdict]:
    """What the filters say of all nodes."""
    asked = ((plugin, plugin.filter(snapshot, pod)) for plugin in plugins if plugin.filter is not None)
    return tuple(Verdict(plugin, rejections) for plugin, rejections in asked if rejections)


def rejected(snapshot: Snapshot, verdicts: Sequence[Verdict]) -> Mask:
    """The nodes that some filter rejects."""
    found = np.zeros(snapshot.count, dtype=np.bool_)
    for verdict in verdicts:
        found |= verdict.nodes()
    return found


def _best(snapshot: Snapshot, pod: PodInfo, left: Scores, chance: float, plugins: Sequence[Plugin]) -> int:
    total = np.zeros(len(left), dtype=np.int64)
    for plugin in plugins:
        scores = plugin.score(snapshot, pod) if plugin.score is not None else None
        if scores is not None:
            total += _normal(plugin, scores if len(left) == snapshot.count else scores[left]) * plugin.weight
    best = np.flatnonzero(total == total.max())
    return int(left[best[min(int(chance * len(best)), len(best) - 1)]])


def _normal(plugin: Plugin, scores: Scores) -> Scores:
    return scores if plugin.normalize is None else plugin.normalize(scores)
