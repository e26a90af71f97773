"""Why a pod waits, crashes, is not ready, or does not go. Pure.

Neighbours: ``nodes.py`` for pods without a node, ``containers.py`` and ``references.py`` for those with one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo
from pybernetes.why import containers, nodes, references
from pybernetes.why.answer import Answer
from pybernetes.why.facts import Facts


def answer(facts: Facts, pod: Obj) -> Answer:
    name, phase = f"pod/{objects.name(pod)}", objects.get(pod, "status", "phase", default="Pending")
    if phase in ("Succeeded", "Failed"):
        return Answer(f"{name} has ended: {phase}{_reason(pod)}", containers.complaints(facts, pod))
    if not objects.get(pod, "spec", "nodeName"):
        return _without_node(facts, pod, name)
    found = [*references.missing(facts, pod), *containers.complaints(facts, pod), *_gates(pod)]
    found = found or [*_node(facts, pod), *facts.warnings(pod, "FailedMount", "FailedCreatePodSandBox")[:1]]
    if objects.condition_is(pod, "Ready") and not found:
        return Answer(f"{name} is Running and ready on {pod['spec']['nodeName']}")
    state = "not ready" if phase == "Running" else phase
    return Answer(
        f"{name} is {state} on {pod['spec']['nodeName']}", found or ["nothing is known to be wrong: it is young"]
    )


def _reason(pod: Obj) -> str:
    status = pod.get("status") or {}
    return f" ({status['reason']}: {status.get('message', '')})" if status.get("reason") else ""


def _without_node(facts: Facts, pod: Obj, name: str) -> Answer:
    gates = [gate["name"] for gate in objects.get(pod, "spec", "schedulingGates", default=[])]
    if gates:
        return Answer(f"{name} is Pending: it is gated", [f"its spec.schedulingGates are {', '.join(gates)}"],
                      ["whoever set the gates takes them away when the pod may go on"])  # fmt: skip
    scheduler = objects.get(pod, "spec", "schedulerName", default=podinfo.DEFAULT_SCHEDULER)
    if scheduler != podinfo.DEFAULT_SCHEDULER:
        return Answer(f"{name} is Pending: it waits for the scheduler {scheduler!r}, which is not ours")
    told = nodes.answer(facts, pod)
    return Answer(told.what, [*references.missing(facts, pod), *told.because], told.helps)


def _gates(pod: Obj) -> Iterator[str]:
    for gate in objects.get(pod, "spec", "readinessGates", default=[]):
        if not objects.condition_is(pod, gate["conditionType"]):
            yield f"its readiness gate {gate['conditionType']} is not True; whoever made it sets that condition"


def _node(facts: Facts, pod: Obj) -> Iterator[str]:
    node = facts.get("nodes", pod["spec"]["nodeName"])
    if node is None:
        yield f"its node {pod['spec']['nodeName']} does not exist any more"
    elif not objects.condition_is(node, "Ready"):
        told = (objects.condition(node, "Ready") or {}).get("message", "")
        yield f"its node {objects.name(node)} is not Ready{': ' + told if told else ''}"
