"""The smallest change that would let a pod fit: what to ask less of, tolerate, label, free or add. Pure.

Theory of operation. For each node, every plugin that rejects it is asked for a fix: a change of the pod or of the node
as the scheduler knows them. A node all of whose plugins have one is a candidate; the scheduler's filters are asked
again with all of its fixes made, and only what they then accept is told. Fewest fixes come first, then the least that
has to be given up.
Neighbours: ``nodes.py`` builds the world; the rows of ``_FIXES`` are named as the scheduler's plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.scheduler import ties
from pybernetes.scheduler.decide import Decision, decide, judge
from pybernetes.scheduler.plugins import affinity, podaffinity
from pybernetes.scheduler.plugins.resources import TOO_MANY_PODS
from pybernetes.scheduler.plugins.taints import tolerates
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import NodeInfo, Taint
from pybernetes.why import nodes
from pybernetes.why.nodes import World

HOSTNAME: Final = "kubernetes.io/hostname"
_TOLD_MAX: Final = 4
_TRIED_MAX: Final = 200
_TRANSIENT: Final = "node.kubernetes.io/"
"""Taints that the cluster puts on a node in trouble, and takes away."""


@dataclass(frozen=True, slots=True)
class Fix:
    text: str
    pod: Callable[[PodInfo], PodInfo] | None = None
    node: Callable[[NodeInfo], NodeInfo] | None = None
    cost: float = 0.0
    """How much is given up, to compare fixes of one kind."""


_CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
_DONE: Final = Fix("")
"""Another plugin's fix is this one's too."""
_Fixes: TypeAlias = tuple[Fix, ...]
_Find: TypeAlias = Callable[[World, PodInfo, str, Sequence[str]], Fix | None]
"""(world, pod, node, the plugin's reasons there) → what would satisfy the plugin."""


def find(world: World, pod: PodInfo, decision: Decision) -> list[str]:
    """What would help, the smallest change first; each is proved by the scheduler's own filters."""
    candidates = [(fixes, name) for name in world.snapshot.names if (fixes := _of_node(world, pod, decision, name))]
    candidates.sort(key=lambda each: (len(each[0]), sum(fix.cost for fix in each[0]), each[1]))
    told: dict[tuple[str, ...], str] = {}
    for fixes, name in candidates[:_TRIED_MAX]:
        shape = tuple(fix.text.split(" ", 1)[0] for fix in fixes)
        if shape not in told and len(fixes) <= _fewest(told) and _proved(world, pod, fixes, name):
            told[shape] = f"{', and '.join(fix.text for fix in fixes)}: then it fits on {name}"
    found = list(told.values())[:_TOLD_MAX]
    return found + _another_node(world, pod)


def _fewest(told: Mapping[tuple[str, ...], str]) -> float:
    return min(map(len, told), default=float("inf"))


def _of_node(world: World, pod: PodInfo, decision: Decision, node: str) -> _Fixes:
    """A fix for each plugin that rejects the node; empty where one has none."""
    slot, found = world.snapshot.slots[node], []
    for verdict in decision.verdicts:
        reasons = [rejection.reason for rejection in verdict.rejections if rejection.nodes[slot]]
        if not reasons:
            continue
        fix = _FIXES.get(verdict.plugin.name, _none)(world, pod, node, reasons)
        if fix is None:
            return ()
        found.append(fix)
    return tuple(fix for fix in found if fix is not _DONE)


def _proved(world: World, pod: PodInfo, fixes: _Fixes, node: str) -> bool:
    """Do the filters let the pod onto the node when all fixes are made?"""
    before = after = world.nodes[node]
    for fix in fixes:
        pod = fix.pod(pod) if fix.pod is not None else pod
        after = fix.node(after) if fix.node is not None else after
    world.snapshot.put_node(after)
    try:
        slot = world.snapshot.slots[node]
        return not any(verdict.nodes()[slot] for verdict in judge(world.snapshot, pod))
    finally:
        world.snapshot.put_node(before)


def _another_node(world: World, pod: PodInfo) -> list[str]:
    """Would the pod fit on an empty node like one of those that there are?"""
    kinds: dict[tuple[object, ...], str] = {}
    for name, info in world.nodes.items():
        shown = frozenset((k, v) for k, v in info.labels.items() if k != HOSTNAME)
        kinds.setdefault((tuple(sorted(info.allocatable.items())), shown, info.taints), name)
    for name in list(kinds.values())[:_TRIED_MAX]:
        info, another = world.nodes[name], "another node"
        taints = tuple(taint for taint in info.taints if not taint.key.startswith(_TRANSIENT))
        labels = {**info.labels, HOSTNAME: another}
        empty = replace(info, name=another, labels=labels, taints=taints, unschedulable=False)
        world.snapshot.put_node(empty)
        try:
            if decide(world.snapshot, pod, 0.0).node == another:
                return [f"add one more node like {name}"]
        finally:
            world.snapshot.remove_node(another)
    return []


# ── a fix for each plugin ────────────────────────────────────────────────────────────────────────────────


def _none(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    return None


def _less(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    short = nodes.shortage(world, pod, node)
    if TOO_MANY_PODS in reasons:
        return Fix("remove a pod", node=lambda info: replace(info, allocatable=_one_more(world, node, info)), cost=1.0)
    if any(pod.requests[name] == value for name, value in short.items()):
        return None  # nothing at all is free
    texts = [f"{nodes.amount(name, value)} less {name}" for name, value in short.items()]
    asked = {name: nodes.amount(name, pod.requests[name] - value) for name, value in short.items()}
    text = f"request {' and '.join(texts)} (at most {', '.join(asked.values())})"
    less = {name: value - short.get(name, 0) for name, value in pod.requests.items()}
    cost = sum(value / pod.requests[name] for name, value in short.items())
    return Fix(text, pod=lambda pod: replace(pod, requests=less), cost=cost)


def _one_more(world: World, node: str, info: NodeInfo) -> dict[str, int]:
    used = len(world.snapshot.pods_on(node))
    return {**info.allocatable, "pods": used + 1}


def _toleration(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    forbidding = (t for t in world.nodes[node].taints if t.effect in ("NoSchedule", "NoExecute"))
    taints = [t for t in forbidding if t != _CORDON and not tolerates(pod.tolerations, t)]
    if not taints:
        return _DONE
    if any(taint.key.startswith(_TRANSIENT) for taint in taints):
        keys = ", ".join(taint.key.removeprefix(_TRANSIENT) for taint in taints)
        return Fix(f"mend {node}, which is {keys}", node=_without(taints), cost=2.0)
    added = [_tolerating(taint) for taint in taints]
    text = f"tolerate {' and '.join(f'{_written(taint)}' for taint in taints)}"
    return Fix(text, pod=lambda pod: replace(pod, tolerations=[*pod.tolerations, *added]), cost=len(taints))


def _without(taints: Sequence[Taint]) -> Callable[[NodeInfo], NodeInfo]:
    return lambda info: replace(info, taints=tuple(taint for taint in info.taints if taint not in taints))


def _tolerating(taint: Taint) -> Obj:
    return {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}


def _written(taint: Taint) -> str:
    """As ``kubectl taint`` writes it."""
    return f"{taint.key}={taint.value}:{taint.effect}" if taint.value else f"{taint.key}:{taint.effect}"


def _label(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    if affinity.NOT_NAMED in reasons:
        return None
    labels = world.nodes[node].labels
    wanted = {key: value for key, value in pod.node_selector.items() if labels.get(key) != value}
    ways = [_labels_for(term, labels) for term in pod.required_terms] if pod.required_terms is not None else [{}]
    possible = sorted((way for way in ways if way is not None), key=len)
    if not possible:
        return None
    wanted |= possible[0]
    text = f"label {node} {' '.join(f'{key}={value}' for key, value in wanted.items())}"
    return Fix(text, node=lambda info: replace(info, labels={**info.labels, **wanted}), cost=len(wanted))


def _labels_for(term: Obj, labels: Mapping[str, str]) -> dict[str, str] | None:
    """Labels by which a node would match a node selector term; None where no label makes it so."""
    wanted: dict[str, str] = {}
    for requirement in term.get("matchExpressions") or ():
        key, operator = requirement["key"], requirement["operator"]
        values: Sequence[str] = requirement.get("values") or ()
        if operator == "In" and labels.get(key) not in values:
            wanted[key] = values[0]
        elif operator == "Exists" and key not in labels:
            wanted[key] = ""
        # whether any other operator holds is for the filters to prove
    return wanted


def _uncordon(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    return Fix(f"uncordon {node}", node=lambda info: _without([_CORDON])(replace(info, unschedulable=False)))


def _ports(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    taken = {port.port: other for other in world.snapshot.pods_on(node) for port in other.host_ports}
    holders = [f"{port.port} (held by {taken[port.port]})" for port in pod.host_ports if port.port in taken]
    text = f"use another hostPort than {', '.join(holders)}"
    return Fix(text, pod=lambda pod: replace(pod, host_ports=()), cost=1.0)


def _spread(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    keys = ", ".join(dict.fromkeys(each.topology_key for each in pod.ties.spread if each.is_hard))
    soft = tuple(each for each in pod.ties.spread if not each.is_hard)
    text = f"spread over {keys} with whenUnsatisfiable: ScheduleAnyway, or a larger maxSkew"
    return Fix(text, pod=lambda pod: replace(pod, ties=replace(pod.ties, spread=soft)), cost=1.0)


def _ties(world: World, pod: PodInfo, node: str, reasons: Sequence[str]) -> Fix | None:
    if podaffinity.UNWELCOME in reasons:
        return None  # those who are there would have to go, or to change
    near = podaffinity.NOT_NEAR in reasons
    what = "affinity" if near else "anti-affinity"
    terms = pod.ties.affinity if near else pod.ties.anti_affinity
    keys = ", ".join(dict.fromkeys(term.topology_key for term in terms))
    loose = ties.Ties((), pod.ties.anti_affinity) if near else ties.Ties(pod.ties.affinity)
    text = f"prefer pod {what} by {keys} instead of requiring it"
    return Fix(text, pod=lambda pod: replace(pod, ties=replace(loose, spread=pod.ties.spread)), cost=1.0)


_FIXES: Final[Mapping[str, _Find]] = {
    "NodeUnschedulable": _uncordon,
    "TaintToleration": _toleration,
    affinity.NAME: _label,
    "NodePorts": _ports,
    "NodeResourcesFit": _less,
    "PodTopologySpread": _spread,
    "InterPodAffinity": _ties,
}
