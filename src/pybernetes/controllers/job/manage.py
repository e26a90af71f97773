"""Pods to be made or removed, so that as many are active as the Job allows and still needs.

Rule: one plan either removes or makes, never both: an index that two pods have is first rid of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from pybernetes.control.actions import Action, After
from pybernetes.controllers import pods, podtemplate, ranking, replicas
from pybernetes.controllers.job import backoff, indexed, jobpod, tracking
from pybernetes.controllers.job.tracking import Tally
from pybernetes.controllers.job.view import View, is_tracked
from pybernetes.meta.objects import Obj


def settle(view: View, tally: Tally, given_up: set[int], last: Mapping[int, Obj]) -> Iterable[Action]:
    """``given_up`` are indexes that are not tried again; ``last`` tells the last failed pod of others."""
    surplus = _surplus(view, tally, given_up)[: replicas.BURST]
    if surplus:
        yield from remove(view.job, surplus)
        return
    if view.is_suspended:
        return
    missing = wanted(view, tally) - len(view.active)
    if view.replaces_only_failed:
        missing -= len(view.terminating)
    if missing > 0:
        yield from _make(view, tally, given_up, last, min(missing, replicas.BURST))


def wanted(view: View, tally: Tally) -> int:
    """How many pods shall be active."""
    if view.is_suspended:
        return 0
    if view.completions is None:  # after the first success the others are let end
        return len(view.active) if tally.all_succeeded else view.parallelism
    return max(0, min(view.completions - tally.all_succeeded, view.parallelism))


def remove(job: Obj, surplus: Sequence[Obj]) -> Iterable[Action]:
    """Remove pods, which shall not count as failed."""
    yield from (tracking.release(pod) for pod in surplus if is_tracked(pod))
    yield from (replicas.delete(job, pod) for pod in surplus)


# ── too many ─────────────────────────────────────────────────────────────────────────────────────────────


def _surplus(view: View, tally: Tally, given_up: set[int]) -> Sequence[Obj]:
    ordered = ranking.first_to_go(view.active, (), view.now)
    useless = _useless(view, ordered, tally.completed | given_up) if view.is_indexed else []
    rest = [pod for pod in ordered if not any(pod is gone for gone in useless)]
    return [*useless, *rest[: max(0, len(rest) - wanted(view, tally))]]


def _useless(view: View, ordered: Sequence[Obj], done: set[int]) -> list[Obj]:
    """Pods of indexes that are done or that another pod has: of two the better one stays."""
    taken, found = set(done), list[Obj]()
    for pod in reversed(ordered):
        index = view.index(pod)
        if index is None or index in taken:
            found.append(pod)
        else:
            taken.add(index)
    return found


# ── too few ──────────────────────────────────────────────────────────────────────────────────────────────


def _make(
    view: View, tally: Tally, given_up: set[int], last: Mapping[int, Obj], count: int
) -> Iterable[Action]:  # fmt: skip
    wait = backoff.remaining(view) if view.limit_per_index is None else 0.0
    if wait > 0:
        yield After(wait)
    elif not view.is_indexed:
        for _ in range(count):
            yield podtemplate.create(view.job, jobpod.made(view.job))
    elif view.limit_per_index is None:
        for index in islice(_pending(view, tally.completed), count):
            yield podtemplate.create(view.job, jobpod.indexed(view.job, index, {}))
    else:
        yield from _make_each(view, _pending(view, tally.completed | given_up), last, count)


def _pending(view: View, done: set[int]) -> Iterable[int]:
    """Indexes that no pod has and that still have to be completed, the lowest first."""
    holding = [*view.active, *(view.terminating if view.replaces_only_failed else ())]
    taken = done | {index for pod in holding if (index := view.index(pod)) is not None}
    return (index for index in range(view.completions or 0) if index not in taken)


def _make_each(view: View, pending: Iterable[int], last: Mapping[int, Obj], count: int) -> Iterable[Action]:
    """Each index has a back-off of its own."""
    made, waits = 0, list[float]()
    for index in pending:
        failed = last.get(index)
        wait = 0.0
        if failed is not None:
            wait = backoff.after(indexed.tries(failed) + 1, pods.ended_at(failed), view.now)
        if wait > 0:
            waits.append(wait)
        elif made < count:
            made += 1
            notes = indexed.counts_after(view, failed)
            yield podtemplate.create(view.job, jobpod.indexed(view.job, index, notes))
    if waits:
        yield After(min(waits))
