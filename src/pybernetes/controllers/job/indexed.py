"""Indexes that fail each for itself (``backoffLimitPerIndex``).

Rule: how often an index has failed stands on its pods, each of which is one more than the pod that it replaces. So the
last failed pod of an index keeps its finalizer until its replacement is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.controllers.job import indexes, policies
from pybernetes.controllers.job.view import View, is_tracked
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
IGNORED: Final = "batch.kubernetes.io/job-index-ignored-failure-count"


def failures(pod: Obj) -> int:
    """Failures of the index before this pod that counted."""
    return indexes.number(objects.annotations(pod).get(FAILURES)) or 0


def ignored(pod: Obj) -> int:
    """Failures of the index before this pod that did not count."""
    return indexes.number(objects.annotations(pod).get(IGNORED)) or 0


def failed(view: View) -> set[int]:
    """Indexes that are given up, by now and before."""
    found = view.told_indexes("failedIndexes")
    found.update(index for pod in view.pods if (index := view.index(pod)) is not None and _gives_up(view, pod))
    return found


def _gives_up(view: View, pod: Obj) -> bool:
    if not is_tracked(pod) or not view.has_failed(pod):
        return False
    action = policies.judge(view.job, pod).action
    if action == "FailIndex":
        return True
    return action != "Ignore" and failures(pod) >= (view.limit_per_index or 0)


def last_failed(view: View, done: Iterable[int]) -> dict[int, Obj]:
    """Index → its last failed pod, for indexes that are to be tried again; ``done`` are those that are not."""
    over, found = set(done), dict[int, Obj]()
    for pod in view.tracked:
        index = view.index(pod)
        if index is None or index in over or not view.has_failed(pod):
            continue
        if index not in found or tries(found[index]) < tries(pod):
            found[index] = pod
    for pod in view.active:
        index = view.index(pod)
        if index in found and tries(pod) > tries(found[index]):
            del found[index]
    return found


def tries(pod: Obj) -> int:
    """How often the index had failed before this pod."""
    return failures(pod) + ignored(pod)


def counts_after(view: View, last: Obj | None) -> dict[str, str]:
    """The annotations of the pod that follows ``last``, the index's last failed pod."""
    if last is None:
        return {FAILURES: "0"}
    is_ignored = policies.judge(view.job, last).action == "Ignore"
    made = {FAILURES: str(failures(last) + (not is_ignored))}
    if skipped := ignored(last) + is_ignored:
        made[IGNORED] = str(skipped)
    return made
