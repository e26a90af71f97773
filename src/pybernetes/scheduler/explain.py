"""Why no node fits, in upstream's words (framework.FitError). Pure.

Rule 1: a node counts for the first plugin that rejects it, and once for each of that plugin's reasons.
Rule 2: ``count reason`` texts are sorted as texts, so 10 comes before 2, as upstream has it.
Rule 3: the second half tells what preemption came to: it can help nowhere that the first plugin calls hopeless, and
        elsewhere it found no victims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.decide import Decision, Verdict
from pybernetes.scheduler.podinfo import PodInfo

NO_NODES: Final = "no nodes available to schedule pods"
NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
_NEVER: Final = "not eligible due to preemptionPolicy=Never."
_NOTE_LENGTH_MAX: Final = 1024
_ELLIPSIS: Final = " ..."


def message(decision: Decision, pod: PodInfo) -> str:
    """For the condition PodScheduled and the event FailedScheduling."""
    if not decision.count:
        return NO_NODES
    preempt = _available(decision.count, preemption(decision)) if pod.may_preempt else _NEVER
    return f"{_available(decision.count, reasons(decision))} preemption: {preempt}"


def note(text: str) -> str:
    """A message cut to what an event may hold."""
    return text if len(text) <= _NOTE_LENGTH_MAX else text[: _NOTE_LENGTH_MAX - len(_ELLIPSIS)] + _ELLIPSIS


def reasons(decision: Decision) -> dict[str, int]:
    """How many nodes were rejected for which reason."""
    counts: dict[str, int] = {}
    for verdict, first in firsts(decision):
        for rejection in verdict.rejections:
            if found := int(np.count_nonzero(rejection.nodes & first)):
                counts[rejection.reason] = counts.get(rejection.reason, 0) + found
    return counts


def preemption(decision: Decision) -> dict[str, int]:
    """How many nodes preemption was of no use on, and why."""
    hopeless = sum(int(np.count_nonzero(verdict.hopeless() & first)) for verdict, first in firsts(decision))
    counts = {NOT_HELPFUL: hopeless, NO_VICTIMS: decision.count - hopeless}
    return {reason: count for reason, count in counts.items() if count}


def plugins(decision: Decision) -> frozenset[str]:
    """The plugins that were the first to reject some node."""
    return frozenset(verdict.plugin.name for verdict, first in firsts(decision) if first.any())


def firsts(decision: Decision) -> Iterator[tuple[Verdict, Mask]]:
    """Each verdict with the nodes that no plugin before it has rejected and it does."""
    rejected = np.zeros(decision.count, dtype=np.bool_)
    for verdict in decision.verdicts:
        nodes = verdict.nodes()
        yield verdict, nodes & ~rejected
        rejected |= nodes


def _available(count: int, reasons: Mapping[str, int]) -> str:
    told = sorted(f"{number} {reason}" for reason, number in reasons.items())
    return f"0/{count} nodes are available: {', '.join(told)}."
