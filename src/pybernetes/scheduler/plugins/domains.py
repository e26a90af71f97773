"""Topology domains: nodes that share a value of a label. Counts of pods by domain, told to each of its nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from pybernetes.scheduler.columns import Ints, Mask
from pybernetes.scheduler.plugins.plugin import nowhere
from pybernetes.scheduler.snapshot import Snapshot


def present(snapshot: Snapshot, key: str) -> Mask:
    """The nodes that are in any domain of ``key``."""
    column = snapshot.labels.get(key)
    return nowhere(snapshot) if column is None else column.ids(snapshot.count) != 0


def numbers(snapshot: Snapshot, key: str) -> Ints:
    """Each node's domain; 0 for none."""
    column = snapshot.labels.get(key)
    return np.zeros(snapshot.count, np.int64) if column is None else column.ids(snapshot.count).astype(np.int64)


def on_nodes(snapshot: Snapshot, tallies: Iterable[Mapping[str, int]]) -> Ints:
    """Pods by node, summed over tallies by name."""
    found = np.zeros(snapshot.count, dtype=np.int64)
    for slot, count in _slots(snapshot, tallies):
        found[slot] += count
    return found


def summed(domains: Ints, on_nodes: Ints) -> Ints:
    """Pods by domain's number; nodes without a domain count nowhere."""
    sums = np.bincount(domains, weights=on_nodes).astype(np.int64)
    sums[:1] = 0
    return sums


def in_domains(snapshot: Snapshot, key: str, tallies: Iterable[Mapping[str, int]]) -> Ints:
    """For each node the pods in its domain of ``key``."""
    domains = numbers(snapshot, key)
    return summed(domains, on_nodes(snapshot, tallies))[domains] if snapshot.count else domains


def _slots(snapshot: Snapshot, tallies: Iterable[Mapping[str, int]]) -> Iterator[tuple[int, int]]:
    for tally in tallies:
        for name, count in tally.items():
            slot = snapshot.slots.get(name)
            if slot is not None:
                yield slot, count
