"""The status of a ReplicaSet or ReplicationController (pkg/controller/replicaset/replica_set_utils.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.controllers import pods, statuses
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

FAILURE: Final = "ReplicaFailure"
_ALWAYS: Final = ("replicas", "terminatingReplicas")


def of(owner: Obj, mine: Sequence[Obj], terminating: int, now: float) -> Obj:
    """What is to be told of the pods ``mine``; a failure told earlier is gone from it."""
    wait = int(objects.get(owner, "spec", "minReadySeconds", default=0))
    status: Obj = {
        "replicas": len(mine),
        "fullyLabeledReplicas": sum(_is_fully_labeled(owner, pod) for pod in mine),
        "readyReplicas": sum(map(pods.is_ready, mine)),
        "availableReplicas": sum(pods.is_available(pod, wait, now) for pod in mine),
        "observedGeneration": objects.meta(owner).get("generation", 0),
        "conditions": _others(owner),
    }
    if owner["kind"] == "ReplicaSet":
        status["terminatingReplicas"] = terminating
    return statuses.compact(status, _ALWAYS)


def failed(owner: Obj, status: Obj, reason: str, now: float) -> Obj:
    """``status`` with the condition ReplicaFailure, whose message the refusal fills in; an earlier one stays."""
    told = objects.condition(owner, FAILURE) or {
        "type": FAILURE, "status": "True", "lastTransitionTime": times.render(now), "reason": reason,
        "message": "{error}",
    }  # fmt: skip
    return {**status, "conditions": [*_others(owner), told]}


def differs(owner: Obj, status: Obj) -> bool:
    """Must ``status`` be written?"""
    return statuses.differs(owner.get("status"), status)


def _is_fully_labeled(owner: Obj, pod: Obj) -> bool:
    wanted = objects.get(owner, "spec", "template", "metadata", "labels", default={})
    return bool(objects.labels(pod).items() >= wanted.items())


def _others(owner: Obj) -> list[Obj]:
    return [c for c in objects.get(owner, "status", "conditions", default=[]) if c.get("type") != FAILURE]
