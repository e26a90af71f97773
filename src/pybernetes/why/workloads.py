"""Why a workload has not got all its pods: what its controller says, and why one of its pods is not ready. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.why import pods
from pybernetes.why.answer import Answer
from pybernetes.why.facts import Facts

REPLICA_SETS = "replicasets.apps"


def answer(facts: Facts, workload: Obj, name: str) -> Answer:
    """Of a Deployment, ReplicaSet, StatefulSet, DaemonSet or Job; ``name`` is ``kind/name``."""
    wanted, ready = _counts(workload)
    mine = _pods(facts, workload)
    waiting = [pod for pod in mine if not objects.condition_is(pod, "Ready") and not _has_ended(pod)]
    found = [*_conditions(workload), *_paused(workload), *_failed(facts, workload)]
    state = f"{name}: {ready} of {wanted} pods are ready"
    if ready >= wanted and not waiting:
        return Answer(state, found)
    if not waiting:
        return Answer(state, found or [f"it has {len(mine)} pods, and its controller has not made the others yet"])
    first = min(waiting, key=lambda pod: (objects.get(pod, "spec", "nodeName") is not None, objects.name(pod)))
    others = len(waiting) - 1
    more = [f"{others} more of its pods wait"] if others else []
    told = Answer(state, found).below(pods.answer(facts, first))
    return Answer(told.what, [*told.because, *more], told.helps)


def _counts(workload: Obj) -> tuple[int, int]:
    """(pods wanted, pods ready)."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if "desiredNumberScheduled" in status:
        return status["desiredNumberScheduled"], status.get("numberReady", 0)
    if "completions" in spec:
        return spec["completions"], status.get("succeeded", 0) + status.get("ready", 0)
    return spec.get("replicas", 1), status.get("readyReplicas", 0)


def _has_ended(pod: Obj) -> bool:
    return objects.get(pod, "status", "phase") in ("Succeeded", "Failed")


def _pods(facts: Facts, workload: Obj) -> list[Obj]:
    selector = selectors.from_label_selector(objects.get(workload, "spec", "selector"))
    found = facts.all("pods", objects.namespace(workload))
    return [pod for pod in found if selector.matches(objects.labels(pod))]


def _conditions(workload: Obj) -> Iterator[str]:
    """What its controller complains of."""
    for condition in objects.get(workload, "status", "conditions", default=[]):
        bad = (condition["type"], condition["status"]) in (
            ("Progressing", "False"), ("ReplicaFailure", "True"), ("Failed", "True"), ("Suspended", "True"),
        )  # fmt: skip
        if bad:
            yield f"{condition.get('reason', condition['type'])}: {condition.get('message', '')}"


def _paused(workload: Obj) -> Iterator[str]:
    if objects.get(workload, "spec", "paused"):
        yield "it is paused: changes of its template wait until 'kubectl rollout resume'"


def _failed(facts: Facts, workload: Obj) -> Iterator[str]:
    """Pods that could not be made: quotas, admission, a missing account."""
    owners = [
        workload,
        *(each for each in facts.all(REPLICA_SETS, objects.namespace(workload)) if _owns(workload, each)),
    ]
    for owner in owners:
        for message in facts.warnings(owner, "FailedCreate")[:1]:
            if objects.condition(owner, "ReplicaFailure") or owner is workload:
                yield f"FailedCreate: {message}"


def _owns(workload: Obj, other: Obj) -> bool:
    return any(owner.get("uid") == objects.uid(workload) for owner in objects.owners(other))
