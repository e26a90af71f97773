"""A daemon's pod: the template, tied to a node by affinity, which the scheduler binds it to.

Rule: it tolerates what befalls nodes, for a daemon belongs on a node that is in trouble too.
"""

from __future__ import annotations

from typing import Final

from pybernetes.controllers import history, podtemplate
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

GENERATION: Final = "deprecated.daemonset.template.generation"
FAILURES: Final = "daemonset.pybernetes.io/failures"
"""How many pods in a row had failed on the node before this one."""
_NAME: Final = "metadata.name"
_TROUBLES: Final = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


def tolerations(spec: Obj) -> list[Obj]:
    """What the pods of a template tolerate (AddOrUpdateDaemonPodTolerations)."""
    found = [*(spec.get("tolerations") or ())]
    troubles = [*_TROUBLES, ("network-unavailable", "NoSchedule")] if spec.get("hostNetwork") else _TROUBLES
    for trouble, effect in troubles:
        made = {"key": f"node.kubernetes.io/{trouble}", "operator": "Exists", "effect": effect}
        found = [each for each in found if not _is_same(each, made)] + [made]
    return found


def _is_same(one: Obj, other: Obj) -> bool:
    return all((one.get(field) or "") == (other.get(field) or "") for field in ("key", "operator", "effect", "value"))


def made(owner: Obj, hash_: str, node: str, failures: int = 0) -> Obj:
    """The pod of a node."""
    pod = podtemplate.pod(owner, owner["spec"]["template"])
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["labels"] = {**objects.labels(pod), history.HASH: hash_}
    if generation := objects.annotations(owner).get(GENERATION):
        metadata["labels"]["pod-template-generation"] = generation
    if failures:
        metadata["annotations"] = {**objects.annotations(pod), FAILURES: str(failures)}
    spec["tolerations"] = tolerations(spec)
    named = {"matchFields": [{"key": _NAME, "operator": "In", "values": [node]}]}
    path = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    pod["spec"] = objects.evolve(spec, path, {"nodeSelectorTerms": [named]})
    return pod


def node_of(pod: Obj) -> str:
    """The node that a pod is on, or meant for; empty when it says neither."""
    if found := objects.get(pod, "spec", "nodeName"):
        return str(found)
    path = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    for term in objects.get(pod, "spec", *path, default=[]):
        for field in term.get("matchFields") or ():
            if field.get("key") == _NAME and field.get("operator") == "In" and len(field.get("values") or ()) == 1:
                return str(field["values"][0])
    return ""


def failures(pod: Obj) -> int:
    text = objects.annotations(pod).get(FAILURES, "")
    return int(text) if text.isdecimal() else 0
