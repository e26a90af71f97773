"""The policies that a Job may bring along: what a failed pod means, and which indexes are success enough.

Rule: the first rule that matches decides. Without a match a failure counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pybernetes.controllers.job import indexes
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

COUNT: Final = "Count"


class Verdict(NamedTuple):
    """``action`` is FailJob, FailIndex, Ignore or Count; ``message`` tells which rule said FailJob."""

    action: str
    message: str = ""


def judge(job: Obj, pod: Obj) -> Verdict:
    """What a pod's failure means (matchPodFailurePolicy)."""
    for number, rule in enumerate(objects.get(job, "spec", "podFailurePolicy", "rules", default=[])):
        why = _matches(rule, pod)
        if why:
            action = str(rule.get("action", COUNT))
            return Verdict(action, f"{why} matching {action} rule at index {number}" if action == "FailJob" else "")
    return Verdict(COUNT)


def _matches(rule: Obj, pod: Obj) -> str:
    """How the rule matches, in words; empty when it does not."""
    where = f"{objects.namespace(pod)}/{objects.name(pod)}"
    if rule.get("onExitCodes"):
        status = next((s for s in _statuses(pod) if _exited(s, rule["onExitCodes"])), None)
        if status is None:
            return ""
        code = status["state"]["terminated"]["exitCode"]
        return f"Container {status.get('name')} for pod {where} failed with exit code {code}"
    for condition in objects.get(pod, "status", "conditions", default=[]):
        for pattern in rule.get("onPodConditions") or ():
            if pattern.get("type") == condition.get("type") and pattern.get("status", "True") == condition["status"]:
                return f"Pod {where} has condition {condition['type']}"
    return ""


def _statuses(pod: Obj) -> Iterable[Obj]:
    yield from objects.get(pod, "status", "containerStatuses", default=[])
    yield from objects.get(pod, "status", "initContainerStatuses", default=[])


def _exited(status: Mapping[str, object], wanted: Obj) -> bool:
    """Has the container failed with one of the codes, or with none of them?"""
    code = objects.get(status, "state", "terminated", "exitCode", default=0)
    if code == 0 or wanted.get("containerName") not in (None, status.get("name")):
        return False
    return (code in (wanted.get("values") or ())) == (wanted.get("operator") == "In")


def enough(job: Obj, completed: set[int]) -> int | None:
    """The number of the first rule of the success policy that the completed indexes fulfil (matchSuccessPolicy)."""
    end = objects.get(job, "spec", "completions", default=0)
    for number, rule in enumerate(objects.get(job, "spec", "successPolicy", "rules", default=[])):
        wanted, count = rule.get("succeededIndexes"), rule.get("succeededCount")
        chosen = indexes.parse(wanted, end) if wanted else set(range(end))
        if count is not None:
            fulfilled = len(completed & chosen) >= count
        else:
            fulfilled = bool(wanted) and chosen <= completed
        if fulfilled:
            return number
    return None
