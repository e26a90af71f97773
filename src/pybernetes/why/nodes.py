"""Why a pod finds no node: the scheduler's own verdict on each node, and what each of them lacks. Pure.

Rule 1: the snapshot is built of the same objects that the scheduler watches, so its verdict is the scheduler's.
Rule 2: nodes of which the same is to be said are told of in one line.
Neighbours: ``remedies.py`` looks for the smallest change that lets the pod fit; ``scheduler/explain.py`` has the words
of the event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pybernetes.control.cache import Cache
from pybernetes.meta import objects, quantity, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import explain, podinfo
from pybernetes.scheduler import snapshot as placed
from pybernetes.scheduler.decide import Decision, decide
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.requests import CPU, MEMORY, PODS
from pybernetes.scheduler.snapshot import NodeInfo, Snapshot
from pybernetes.scheduler.storage import Storage
from pybernetes.why.answer import Answer, some, table
from pybernetes.why.facts import Facts

_BINARY = ("hugepages-", MEMORY, "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class World:
    """``nodes`` by name, as the scheduler knows them."""

    snapshot: Snapshot
    nodes: dict[str, NodeInfo]


def world(facts: Facts) -> World:
    """What the scheduler sees."""
    storage = Storage(_cache(facts, volumes.CLAIMS), _cache(facts, volumes.VOLUMES), _cache(facts, volumes.CLASSES))
    snapshot = Snapshot(storage)
    for node in facts.all(volumes.CSI_NODES):
        storage.limit(node)
    snapshot.namespaces.update((objects.name(each), objects.labels(each)) for each in facts.all("namespaces"))
    nodes = {objects.name(node): placed.node_info(node) for node in facts.all("nodes")}
    for info in nodes.values():
        snapshot.put_node(info)
    for pod in filter(podinfo.is_placed, facts.all("pods")):
        snapshot.put_pod(podinfo.of(pod))
    return World(snapshot, nodes)


def _cache(facts: Facts, resource: str) -> Cache:
    made = Cache()
    for obj in facts.all(resource):
        made.put(obj)
    return made


def answer(facts: Facts, pod: Obj) -> Answer:
    """Of a pod that waits for a node."""
    from pybernetes.why import remedies

    seen, asked = world(facts), podinfo.of(pod)
    decision = decide(seen.snapshot, asked, 0.0)
    name = f"pod/{objects.name(pod)}"
    if decision.node is not None:
        return Answer(f"{name} is Pending, but fits on {decision.node} by now", _not_yet(facts, pod))
    if not decision.count:
        return Answer(f"{name} is Pending: the cluster has no nodes", helps=["add a node"])
    what = f"{name} is Pending: no node fits. {explain.message(decision)}"
    if any(rejection.whole for verdict in decision.verdicts for rejection in verdict.rejections):
        return Answer(what)  # it has to do with no node
    return Answer(what, table(_lines(seen, asked, decision)), remedies.find(seen, asked, decision))


def _not_yet(facts: Facts, pod: Obj) -> list[str]:
    condition = objects.condition(pod, "PodScheduled") or {}
    return [f"the scheduler said last: {condition['message']}"] if condition.get("message") else []


def _lines(seen: World, pod: PodInfo, decision: Decision) -> list[tuple[str, str]]:
    """(nodes, plugin: what is wrong)."""
    told: dict[str, list[str]] = {}
    for name in seen.snapshot.names:
        text = "\n".join(dict.fromkeys(_complaints(seen, pod, decision, name)))
        told.setdefault(text, []).append(name)
    return [(some(names), text) for text, names in sorted(told.items(), key=lambda item: len(item[1]))]


def _complaints(seen: World, pod: PodInfo, decision: Decision, node: str) -> Iterator[str]:
    slot = seen.snapshot.slots[node]
    for verdict in decision.verdicts:
        reasons = [r.reason for r in verdict.rejections if r.nodes[slot]]
        for reason in reasons:
            yield f"{verdict.plugin.name}: {reason}{_numbers(seen, pod, node, reason)}"


def _numbers(seen: World, pod: PodInfo, node: str, reason: str) -> str:
    """``: asks 4, 1500m of 2 are free``."""
    resource = reason.removeprefix("Insufficient ")
    if resource == reason:
        return ""
    free = room(seen, node, resource)
    has = seen.nodes[node].allocatable.get(resource, 0)
    asked = pod.requests.get(resource, 0)
    return f" (asks {amount(resource, asked)}; {amount(resource, free)} of {amount(resource, has)} free)"


def room(seen: World, node: str, resource: str) -> int:
    """How much of a resource is free on a node, in the scheduler's units; never below 0."""
    snapshot, slot = seen.snapshot, seen.snapshot.slots[node]
    allocatable, requested = (snapshot.amounts(each, resource) for each in (snapshot.allocatable, snapshot.requested))
    return max(0, int(allocatable[slot]) - int(requested[slot]))


def amount(resource: str, value: int) -> str:
    """As a manifest has it: ``1500m``, ``2Gi``, ``3``."""
    if resource == CPU:
        return f"{value}m" if value % 1000 else str(value // 1000)
    return quantity.render(value, "BinarySI") if resource.startswith(_BINARY) else str(value)


def shortage(seen: World, pod: PodInfo, node: str) -> dict[str, int]:
    """By how much each resource is short on a node; pods are not counted."""
    asked = ((name, value) for name, value in pod.requests.items() if name != PODS)
    short = {name: value - room(seen, node, name) for name, value in asked}
    return {name: value for name, value in short.items() if value > 0}


RESOURCES: Sequence[str] = (
    "nodes", "pods", "namespaces", volumes.CLAIMS, volumes.VOLUMES, volumes.CLASSES, volumes.CSI_NODES,
)  # fmt: skip
"""What ``world`` reads."""
