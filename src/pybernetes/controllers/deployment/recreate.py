"""Recreate: all old pods end before the first new one begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pybernetes.controllers import pods
from pybernetes.controllers.deployment import amounts
from pybernetes.controllers.deployment.draft import Draft
from pybernetes.meta.objects import Obj


def stop_old(draft: Draft) -> bool:
    """Scale every old ReplicaSet to nothing; False when all are."""
    stopped = [draft.scale(each, 0) for each in draft.old]
    return any(stopped)


def old_pods_run(draft: Draft, pods_of: Callable[[Obj], Iterable[Obj]]) -> bool:
    """Is an old pod left whose containers may still run?"""
    if amounts.told(draft.old):
        return True
    return any(pods.phase(pod) not in pods.FINISHED for each in draft.old for pod in pods_of(each))


def start_new(draft: Draft) -> None:
    if draft.new is not None:
        draft.scale(draft.new, amounts.replicas(draft.deployment))
