"""A Deployment's status, and the conditions that tell how its rollout gets on (deployment/progress.go).

Rule: Progressing is True while pods change, then NewReplicaSetAvailable; it becomes False when nothing has moved for
``progressDeadlineSeconds``. ``wait`` says when that is to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, After, Update
from pybernetes.controllers import statuses
from pybernetes.controllers.deployment import amounts
from pybernetes.controllers.deployment.draft import PROGRESSING, Draft, has_deadline
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

AVAILABLE: Final = "NewReplicaSetAvailable"
TIMED_OUT: Final = "ProgressDeadlineExceeded"
PAUSED: Final = "DeploymentPaused"
_FAILURE: Final = "ReplicaFailure"


def note_pause(draft: Draft) -> None:
    """Progressing becomes Unknown while a rollout is paused, so that its deadline does not run."""
    told = draft.conditions.get(PROGRESSING) or {}
    if not has_deadline(draft.deployment) or told.get("reason") == TIMED_OUT:
        return
    paused, known = is_paused(draft.deployment), told.get("reason") == PAUSED
    if paused and not known:
        draft.set_condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused")
    elif known and not paused:
        draft.set_condition(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed")


def is_paused(deployment: Obj) -> bool:
    return bool(objects.get(deployment, "spec", "paused", default=False))


def is_complete(deployment: Obj, status: Obj) -> bool:
    """Are all pods of the new template, available, and no others left?"""
    wanted = amounts.replicas(deployment)
    counts = (status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    seen = status.get("observedGeneration", 0) >= objects.meta(deployment).get("generation", 0)
    return seen and all(count == wanted for count in counts)


def resting(draft: Draft) -> Iterable[Action]:
    """The status of a Deployment that is not rolled on: paused, scaled or deleted."""
    yield from _write(draft, _counts(draft))


def rolling(draft: Draft) -> Iterable[Action]:
    """The status of a rollout, and when to look at it again."""
    counts = _counts(draft)
    _progress(draft, counts)
    _failures(draft)
    yield from _write(draft, counts)
    yield from _wait(draft, counts)


def _counts(draft: Draft) -> Obj:
    """All but the conditions; Available is set in the draft."""
    deployment, available = draft.deployment, amounts.told(draft.all, "availableReplicas")
    if available >= amounts.min_available(deployment):
        told = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        told = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    draft.set_condition("Available", *told)
    return {
        "observedGeneration": objects.meta(deployment).get("generation", 0),
        "replicas": amounts.told(draft.all),
        "updatedReplicas": amounts.told([draft.new] if draft.new else []),
        "readyReplicas": amounts.told(draft.all, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, amounts.total(draft.all) - available),
        "terminatingReplicas": amounts.told(draft.all, "terminatingReplicas"),
        "collisionCount": draft.collisions,
    }


def _progress(draft: Draft, counts: Obj) -> None:
    if not has_deadline(draft.deployment):
        draft.conditions.pop(PROGRESSING, None)
        return
    told = draft.conditions.get(PROGRESSING) or {}
    if counts["replicas"] == counts["updatedReplicas"] and told.get("reason") == AVAILABLE:
        return
    subject = f'ReplicaSet "{objects.name(draft.new)}"' if draft.new else f'Deployment "{objects.name(draft.read)}"'
    if is_complete(draft.deployment, counts):
        draft.set_condition(PROGRESSING, "True", AVAILABLE, f"{subject} has successfully progressed.")
    elif _moved(objects.get(draft.read, "status", default={}), counts):
        made = draft.condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{subject} is progressing.")
        draft.put_condition(made)
    elif _timed_out(draft, told):
        draft.set_condition(PROGRESSING, "False", TIMED_OUT, f"{subject} has timed out progressing.")


def _moved(before: Obj, counts: Obj) -> bool:
    """Has the rollout come nearer its end since the last status?"""
    old = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    grown = any(counts[f] > before.get(f, 0) for f in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or counts["replicas"] - counts["updatedReplicas"] < old


def _timed_out(draft: Draft, told: Obj) -> bool:
    if not told or told.get("reason") == AVAILABLE:
        return False
    return told.get("reason") == TIMED_OUT or _remaining(draft, told) < 0


def _remaining(draft: Draft, told: Obj) -> float:
    """Seconds until the deadline."""
    deadline: int = draft.deployment["spec"]["progressDeadlineSeconds"]
    return times.parse(told["lastUpdateTime"]) + deadline - draft.now


def _wait(draft: Draft, counts: Obj) -> Iterable[After]:
    told = draft.conditions.get(PROGRESSING)
    if told is None or told.get("reason") in (TIMED_OUT, AVAILABLE) or is_complete(draft.deployment, counts):
        return
    yield After(max(0.0, _remaining(draft, told)) + 1)


def _failures(draft: Draft) -> None:
    """A ReplicaSet's failure is the Deployment's: the new one's before the old ones'."""
    found = (objects.condition(each, _FAILURE) for each in filter(None, (draft.new, *draft.old)))
    failure = next(filter(None, found), None)
    if failure is None:
        draft.conditions.pop(_FAILURE, None)
    else:
        draft.set_condition(_FAILURE, failure["status"], failure.get("reason", ""), failure.get("message", ""))


def _write(draft: Draft, counts: Obj) -> Iterable[Update]:
    status = statuses.compact({**counts, "conditions": list(draft.conditions.values())}, ("terminatingReplicas",))
    changed = objects.annotations(draft.deployment) != objects.annotations(draft.read)
    if changed or statuses.differs(draft.read.get("status"), status):
        yield Update("deployments.apps", {**draft.deployment, "status": status}, subresource="status")
