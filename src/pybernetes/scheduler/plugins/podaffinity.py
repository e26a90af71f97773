"""InterPodAffinity: near to, or away from, other pods, where "near" is the same value of a node's label.

Rule 1: affinity counts pods that match all required terms; the first of a group that wants to be together may go where
        it likes, as long as the node has the labels that the terms name.
Rule 2: anti-affinity works both ways: no pod is placed where one that is there would not have it.
Rule 3: preferences work both ways too, and one that is there and requires the pod near counts 1
        (interpodaffinity.PreScore, hardPodAffinityWeight).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.plugins import domains
from pybernetes.scheduler.plugins.plugin import SCORE_MAX, Rejection, Scores, nowhere
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot
from pybernetes.scheduler.ties import Term

NOT_NEAR: Final = "node(s) didn't match pod affinity rules"
TOO_NEAR: Final = "node(s) didn't match pod anti-affinity rules"
UNWELCOME: Final = "node(s) didn't satisfy existing pods anti-affinity rules"
_REQUIRED_WEIGHT: Final = 1


def unfriendly(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rules 1 and 2; of several reasons a node has the first, as upstream tells one only."""
    if not pod.ties.affinity and not pod.ties.anti_affinity and not snapshot.averse.counts:
        return ()
    lonely = _not_near(snapshot, pod)
    crowded = _near_any(snapshot, ((term, _meant(snapshot, (term,))) for term in pod.ties.anti_affinity)) & ~lonely
    unwelcome = _near_any(snapshot, _averse(snapshot, pod)) & ~lonely & ~crowded
    found = (
        Rejection(NOT_NEAR, lonely),
        Rejection(TOO_NEAR, crowded, hopeless=nowhere(snapshot)),
        Rejection(UNWELCOME, unwelcome, hopeless=nowhere(snapshot)),
    )
    return tuple(rejection for rejection in found if rejection.nodes.any())


def friendly(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """Rule 3."""
    wishes = [*_wishes(snapshot, pod), *_wishes_of_others(snapshot, pod)]
    if not wishes:
        return None
    total = np.zeros(snapshot.count, dtype=np.int64)
    for weight, term, tallies in wishes:
        total += weight * domains.in_domains(snapshot, term.topology_key, tallies)
    return total


def to_range(scores: Scores) -> Scores:
    """The lowest becomes 0 and the highest 100; all alike become 0."""
    lowest, highest = int(scores.min()), int(scores.max())
    if lowest == highest:
        return np.zeros_like(scores)
    return (SCORE_MAX * (scores - lowest) / (highest - lowest)).astype(np.int64)


def _not_near(snapshot: Snapshot, pod: PodInfo) -> Mask:
    terms = pod.ties.affinity
    if not terms:
        return nowhere(snapshot)
    meant = _meant(snapshot, terms)
    keys = {term.topology_key for term in terms}
    near = {key: domains.in_domains(snapshot, key, meant) > 0 for key in keys}
    first = not any(mask.any() for mask in near.values())
    if first and all(term.matches(pod.namespace, pod.labels, snapshot.namespaces) for term in terms):
        near = {key: domains.present(snapshot, key) for key in keys}
    met: Mask = np.logical_and.reduce(list(near.values()))
    return ~met


def _near_any(snapshot: Snapshot, wanted: Iterable[tuple[Term, Sequence[Mapping[str, int]]]]) -> Mask:
    found = nowhere(snapshot)
    for term, tallies in wanted:
        if tallies:
            found |= domains.in_domains(snapshot, term.topology_key, tallies) > 0
    return found


def _meant(snapshot: Snapshot, terms: Sequence[Term]) -> list[Mapping[str, int]]:
    """Where the placed pods are that all terms mean."""
    return [
        nodes
        for group, nodes in snapshot.groups.counts.items()
        if all(term.matches(group.namespace, dict(group.labels), snapshot.namespaces) for term in terms)
    ]


def _averse(snapshot: Snapshot, pod: PodInfo) -> Iterator[tuple[Term, Sequence[Mapping[str, int]]]]:
    """Terms by which placed pods keep this one away, and where those are."""
    for term, nodes in snapshot.averse.counts.items():
        if term.matches(pod.namespace, pod.labels, snapshot.namespaces):
            yield term, (nodes,)


def _wishes(snapshot: Snapshot, pod: PodInfo) -> Iterator[tuple[int, Term, Sequence[Mapping[str, int]]]]:
    for weight, term in pod.ties.preferred:
        if meant := _meant(snapshot, (term,)):
            yield weight, term, meant


def _wishes_of_others(snapshot: Snapshot, pod: PodInfo) -> Iterator[tuple[int, Term, Sequence[Mapping[str, int]]]]:
    for (weight, term), nodes in snapshot.fond.counts.items():
        if term.matches(pod.namespace, pod.labels, snapshot.namespaces):
            yield weight or _REQUIRED_WEIGHT, term, (nodes,)
