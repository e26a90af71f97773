"""NodeAffinity: the nodes that a pod demands or prefers by their labels, or by name.

Rule 1: ``nodeSelector`` and one of the required terms must match; within a term everything must match, and a term
        without any demand matches nothing (component-helpers/scheduling/corev1/nodeaffinity).
Rule 2: where every required term names nodes (``matchFields``), as those of a DaemonSet's pods do, the others are left
        out before any other filter has its say, with a reason of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from pybernetes.meta.objects import Obj
from pybernetes.scheduler.columns import Interned, Mask
from pybernetes.scheduler.plugins.plugin import Rejection, Scores, nowhere
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot

NAME: Final = "NodeAffinity"
NOT_NAMED: Final = f"node(s) didn't satisfy plugin(s) [{NAME}]"
NO_MATCH: Final = "node(s) didn't match Pod's node affinity/selector"


def not_named(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rule 2."""
    if not pod.required_terms:
        return ()
    named: set[str] = set()
    for term in pod.required_terms:
        lists = [set(r.get("values") or ()) for r in term.get("matchFields") or () if r.get("operator") == "In"]
        if not lists:
            return ()
        named |= set.intersection(*lists)
    return (Rejection(NOT_NAMED, ~at(snapshot, named)),) if named else ()


def mismatched(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rule 1."""
    if not pod.node_selector and pod.required_terms is None:
        return ()
    matched = ~nowhere(snapshot)
    for key, value in pod.node_selector.items():
        matched &= _has(snapshot, snapshot.labels.get(key), (value,))
    if pod.required_terms is not None:
        matched &= any_term(snapshot, pod.required_terms)
    return (Rejection(NO_MATCH, ~matched),)


def preferred(snapshot: Snapshot, pod: PodInfo) -> Scores | None:
    """The weights of the preferred terms that match."""
    if not pod.preferred_terms:
        return None
    total = np.zeros(snapshot.count, dtype=np.int64)
    for term in pod.preferred_terms:
        total += np.where(_term(snapshot, term.get("preference") or {}), term.get("weight") or 0, 0)
    return total


def any_term(snapshot: Snapshot, terms: Iterable[Obj]) -> Mask:
    """Where one of some node selector terms matches."""
    matched = nowhere(snapshot)
    for term in terms:
        matched |= _term(snapshot, term)
    return matched


def _term(snapshot: Snapshot, term: Obj) -> Mask:
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return nowhere(snapshot)
    matched = ~nowhere(snapshot)
    for requirement in expressions:
        matched &= _requirement(snapshot, requirement)
    for requirement in fields:
        named = at(snapshot, requirement.get("values") or ())
        matched &= named if requirement.get("operator") == "In" else ~named
    return matched


def _requirement(snapshot: Snapshot, requirement: Obj) -> Mask:
    """One expression over labels."""
    column, operator = snapshot.labels.get(requirement.get("key") or ""), requirement.get("operator")
    values: Sequence[str] = requirement.get("values") or ()
    if operator == "In":
        return _has(snapshot, column, values)
    if operator == "NotIn":
        return ~_has(snapshot, column, values)
    present = nowhere(snapshot) if column is None else column.ids(snapshot.count) != 0
    if operator == "DoesNotExist":
        return ~present
    if operator in ("Gt", "Lt") and column is not None:
        held = np.array([_compares(operator, value, values[0]) for value in column.values], dtype=np.bool_)
        return column.spread(held, snapshot.count)
    return present


def _has(snapshot: Snapshot, column: Interned[str | None] | None, values: Sequence[str]) -> Mask:
    """Where a label has one of the values."""
    numbers = [] if column is None else [n for n in map(column.number, values) if n is not None]
    if column is None or not numbers:
        return nowhere(snapshot)
    ids = column.ids(snapshot.count)
    return ids == numbers[0] if len(numbers) == 1 else np.isin(ids, numbers)


def _compares(operator: str, found: str | None, wanted: str) -> bool:
    """Is the label's number above, or below, the wanted one? What is no number compares with nothing."""
    try:
        return found is not None and (int(found) > int(wanted) if operator == "Gt" else int(found) < int(wanted))
    except ValueError:
        return False


def at(snapshot: Snapshot, names: Iterable[str]) -> Mask:
    """The nodes of these names."""
    found = nowhere(snapshot)
    for name in names:
        slot = snapshot.slots.get(name)
        if slot is not None:
            found[slot] = True
    return found
