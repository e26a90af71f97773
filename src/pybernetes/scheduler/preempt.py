"""Which pods must go so that one of higher priority fits (framework/preemption). Pure.

Theory of operation. Nodes whose first rejection is not hopeless and that hold pods of lower priority are looked at, at
most a hundred or a tenth of all at once. All their pods of lower priority are supposed gone; where the pod still does
not fit, nothing helps. Elsewhere they come back one by one, those that a disruption budget protects first, then the
more important ones; whoever leaves no room for the pod is a victim. This is done on all nodes in the same rounds, so
that a round costs one pass of the filters however many nodes there are.
Neighbours: ``decide.py`` judges, ``explain.py`` tells, ``nominations.py`` keeps the room that the victims leave.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import budgets as pdb
from pybernetes.scheduler import explain
from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.decide import Decision, judge, rejected
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

NOT_HELPFUL: Final = "Preemption is not helpful for scheduling"
NO_VICTIMS: Final = "No preemption victims found for incoming pod"
NEVER: Final = "not eligible due to preemptionPolicy=Never."
UNDER_WAY: Final = "not eligible due to a terminating pod on the nominated node."
_AT_ONCE_MIN: Final = 100
_OFFSET: Final = 2**31


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that would have room without its victims, the most important of them first."""

    node: str
    victims: Sequence[PodInfo]
    violations: int


@dataclass(frozen=True, slots=True)
class Preemption:
    """A candidate, or why there is none."""

    chosen: Candidate | None
    why_not: str = ""


def preempt(
    snapshot: Snapshot, pod: PodInfo, decision: Decision, *, nominated: str = "", budgets: Sequence[Obj] = (),
    chance: float = 0.0,
) -> Preemption:  # fmt: skip
    """Make room for ``pod``, which fits nowhere. ``nominated``: where room was made for it before."""
    if not decision.count:
        return Preemption(None)
    if not pod.may_preempt:
        return Preemption(None, NEVER)
    if any(other.is_deleting and other.priority < pod.priority for other in snapshot.pods_on(nominated)):
        return Preemption(None, UNDER_WAY)
    hopeless = _hopeless(decision)
    counts = {NOT_HELPFUL: int(np.count_nonzero(hopeless)), NO_VICTIMS: 0}
    for names in _batches(snapshot, pod, hopeless, chance, counts):
        if candidates := _candidates(snapshot, pod, names, budgets, counts):
            return Preemption(min(candidates, key=_cost))
    told = {reason: count for reason, count in counts.items() if count}
    return Preemption(None, explain.available(decision.count, told))


def _hopeless(decision: Decision) -> Mask:
    found = np.zeros(decision.count, dtype=np.bool_)
    for verdict, first in explain.firsts(decision):
        found |= first & verdict.hopeless()
    return found


def _batches(
    snapshot: Snapshot, pod: PodInfo, hopeless: Mask, chance: float, counts: dict[str, int]
) -> Iterator[list[str]]:
    """Names of nodes with pods of lower priority, from anywhere on; the others are counted."""
    slots = np.flatnonzero(~hopeless)
    lowest = snapshot.lowest_priority()
    if lowest is None or lowest >= pod.priority:
        counts[NO_VICTIMS] += len(slots)
        return
    batch: list[str] = []
    for slot in np.roll(slots, -int(chance * len(slots))):
        name = snapshot.names[slot]
        if any(other.priority < pod.priority for other in snapshot.pods_on(name)):
            batch.append(name)
        else:
            counts[NO_VICTIMS] += 1
        if len(batch) >= max(_AT_ONCE_MIN, snapshot.count // 10):
            yield batch
            batch = []
    if batch:
        yield batch


def _candidates(
    snapshot: Snapshot, pod: PodInfo, names: Sequence[str], budgets: Sequence[Obj], counts: dict[str, int]
) -> list[Candidate]:
    lower = {name: sorted(_lower(snapshot, pod, name), key=_importance) for name in names}
    with ExitStack() as stack:
        stack.enter_context(snapshot.supposing(gone=[p.uid for pods in lower.values() for p in pods]))
        fitting = list(_fitting(snapshot, pod, names, counts))
        spared = {name: pdb.violations(lower[name], budgets) for name in fitting}
        order = {name: sorted(lower[name], key=lambda p: p.uid not in spared[name]) for name in fitting}
        victims = _reprieve(snapshot, pod, order, stack)
    return [
        Candidate(name, sorted(found, key=_importance), sum(p.uid in spared[name] for p in found))
        for name, found in victims.items()
        if found
    ]


def _lower(snapshot: Snapshot, pod: PodInfo, name: str) -> Iterator[PodInfo]:
    return (other for other in snapshot.pods_on(name) if other.priority < pod.priority)


def _fitting(snapshot: Snapshot, pod: PodInfo, names: Sequence[str], counts: dict[str, int]) -> Iterator[str]:
    """The nodes on which the pod fits now; the others' reasons are counted."""
    verdicts = judge(snapshot, pod)
    of_batch = np.zeros(snapshot.count, dtype=np.bool_)
    of_batch[[snapshot.slots[name] for name in names]] = True
    for reason, count in explain.reasons(Decision(None, snapshot.count, verdicts), of_batch).items():
        counts[reason] = counts.get(reason, 0) + count
    full = rejected(snapshot, verdicts)
    return (name for name in names if not full[snapshot.slots[name]])


def _reprieve(
    snapshot: Snapshot, pod: PodInfo, order: Mapping[str, Sequence[PodInfo]], stack: ExitStack
) -> dict[str, list[PodInfo]]:
    """Bring pods back, one a node and round; those after which ``pod`` fits no more are the victims."""
    victims: dict[str, list[PodInfo]] = {name: [] for name in order}
    for back in itertools.zip_longest(*order.values()):
        returned = [other for other in back if other is not None]
        stack.enter_context(snapshot.supposing(there=returned))
        full = rejected(snapshot, judge(snapshot, pod))
        going = [other for other in returned if full[snapshot.slots[other.node_name]]]
        stack.enter_context(snapshot.supposing(gone=[other.uid for other in going]))
        for other in going:
            victims[other.node_name].append(other)
    return victims


def _importance(pod: PodInfo) -> tuple[int, float]:
    """Sorts the more important first: higher priority, then longer running (util.MoreImportantPod)."""
    return -pod.priority, _started(pod)


def _started(pod: PodInfo) -> float:
    return times.parse(pod.started) if pod.started else float("inf")


def _cost(candidate: Candidate) -> tuple[float, ...]:
    """The candidate with the least is chosen: fewest violations of budgets, lowest highest priority, lowest sum of
    priorities, fewest victims, and the latest start of the most important (pickOneNodeForPreemption)."""
    highest = candidate.victims[0].priority
    earliest = min(_started(victim) for victim in candidate.victims if victim.priority == highest)
    total = sum(victim.priority + _OFFSET for victim in candidate.victims)
    return candidate.violations, highest, total, len(candidate.victims), -earliest
