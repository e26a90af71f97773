"""Why no node fits, in upstream's words (framework.FitError). Pure.

Rule 1: a node counts for the first plugin that rejects it, and once for each of that plugin's reasons.
Rule 2: ``count reason`` texts are sorted as texts, so 10 comes before 2, as upstream has it.
Rule 3: where preemption was tried in vain, a second half says why (``preempt.py``).
Rule 4: a reason that has to do with no node (a missing claim) is told alone, without a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.decide import Decision, Verdict

NO_NODES: Final = "no nodes available to schedule pods"
_NOTE_LENGTH_MAX: Final = 1024
_ELLIPSIS: Final = " ..."


def message(decision: Decision, preemption: str = "") -> str:
    """For the condition PodScheduled and the event FailedScheduling; ``preemption``: why that was of no use."""
    if not decision.count:
        return NO_NODES
    told = _of_no_node(decision) or available(decision.count, reasons(decision))
    return f"{told} preemption: {preemption}" if preemption else told


def note(text: str) -> str:
    """A message cut to what an event may hold."""
    return text if len(text) <= _NOTE_LENGTH_MAX else text[: _NOTE_LENGTH_MAX - len(_ELLIPSIS)] + _ELLIPSIS


def reasons(decision: Decision, among: Mask | None = None) -> dict[str, int]:
    """How many nodes (of those ``among`` which it is asked) were rejected for which reason."""
    counts: dict[str, int] = {}
    for verdict, first in firsts(decision):
        asked = first if among is None else first & among
        for rejection in verdict.rejections:
            if found := int(np.count_nonzero(rejection.nodes & asked)):
                counts[rejection.reason] = counts.get(rejection.reason, 0) + found
    return counts


def plugins(decision: Decision) -> frozenset[str]:
    """The plugins that were the first to reject some node."""
    return frozenset(verdict.plugin.name for verdict, first in firsts(decision) if first.any())


def firsts(decision: Decision) -> Iterator[tuple[Verdict, Mask]]:
    """Each verdict with the nodes that no plugin before it has rejected and it does."""
    if (alone := _whole(decision)) is not None:
        yield alone, alone.nodes()
        return
    rejected = np.zeros(decision.count, dtype=np.bool_)
    for verdict in decision.verdicts:
        nodes = verdict.nodes()
        yield verdict, nodes & ~rejected
        rejected |= nodes


def _whole(decision: Decision) -> Verdict | None:
    """The first verdict that has to do with no node."""
    return next((verdict for verdict in decision.verdicts if verdict.rejections[0].whole), None)


def _of_no_node(decision: Decision) -> str:
    """Rule 4."""
    verdict = _whole(decision)
    return "" if verdict is None else f"0/{decision.count} nodes are available: {verdict.rejections[0].reason}."


def available(count: int, reasons: Mapping[str, int]) -> str:
    """``0/3 nodes are available: 1 this, 2 that.``"""
    told = sorted(f"{number} {reason}" for reason, number in reasons.items())
    return f"0/{count} nodes are available: {', '.join(told)}."
