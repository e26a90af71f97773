"""The cluster autoscaler's row: nodes for pods that find no place, and an end to nodes that nobody needs.

Rule 1: a pod that the scheduler could not place, and for which no node of a group has room, brings a node of the first
        group that would take it. Groups are kept between their bounds.
Rule 2: a node of which less than half is asked for, and whose pods would fit elsewhere, is not needed. When that has
        lasted ten minutes it takes no more pods, and those that it has are evicted, as disruption budgets allow; it is
        removed when it is empty. Pods of DaemonSets do not count, and a pod that nobody controls keeps its node.
Rule 3: since when a node is not needed is remembered by the row; a restart begins anew.
Source: the behaviour of kubernetes/autoscaler's cluster-autoscaler (FAQ), its events' words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Create, Delete, Event, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import pods as of_pods
from pybernetes.controllers.clusterautoscaler import fit, groups
from pybernetes.controllers.clusterautoscaler.fit import Room
from pybernetes.controllers.clusterautoscaler.groups import Group
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

UNNEEDED_SECONDS: Final = 600.0
_USED_MAX: Final = 0.5
_AGAIN_SECONDS: Final = 30.0
"""How soon an eviction is tried again that a budget did not allow."""
LEAVING: Final = "ToBeDeletedByClusterAutoscaler"
_ALL: Final = Key("", "cluster")


def controller() -> Controller:
    """The row, with a memory of its own."""
    since: dict[str, float] = {}

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        config = snapshot.get("configmaps", groups.NAMESPACE, groups.NAME)
        found, wrong = groups.read(config)
        told = [Event(config, "Warning", "InvalidNodeGroup", text) for text in wrong] if config else []
        grown = list(_grow(snapshot, found))
        return [*told, *grown] if grown else [*told, *_shrink(snapshot, found, since, now)]

    return Controller(
        name="cluster-autoscaler",
        inputs=(
            Input("configmaps", lambda snapshot, old, new: (_ALL,), fields=f"metadata.name={groups.NAME}"),
            Input("nodes", _of_node),
            Input("pods", _of_pod),
        ),
        outputs=(
            Output("nodes", ("create", "delete", "patch")),
            Output("pods/eviction", ("create",)),
        ),
        plan=plan,
        workers=1,
    )


# ── more ─────────────────────────────────────────────────────────────────────────────────────────────────


def _grow(snapshot: Snapshot, found: Sequence[Group]) -> Iterable[Action]:
    """Nodes that are missing, and the pods for whose sake they come."""
    nodes = snapshot.list("nodes")
    sizes = {group.name: sum(groups.of_node(node) == group.name for node in nodes) for group in found}
    more = {group.name: max(0, group.least - sizes[group.name]) for group in found}
    rooms = fit.rooms(nodes, snapshot.list("pods")).values()
    known = [room for room in rooms if groups.of_node(room.node) in more]
    for pod in filter(_is_unplaced, snapshot.list("pods")):
        if fit.place(pod, known):
            continue
        open_groups = (group for group in found if sizes[group.name] + more[group.name] < group.most)
        group = next((group for group in open_groups if Room(group.node).fits(pod)), None)
        if group is not None:
            more[group.name] += 1
            known.append(Room(group.node, [pod]))
            yield Event(pod, "Normal", "TriggeredScaleUp", _triggered(group, sizes[group.name], more[group.name]))
    for group in found:
        for node in groups.new_nodes(group, more[group.name], nodes):
            yield Create("nodes", node, ok_if_exists=True)


def _triggered(group: Group, size: int, more: int) -> str:
    return f"pod triggered scale-up: [{{{group.name} {size}->{size + more} (max: {group.most})}}]"


def _is_unplaced(pod: Obj) -> bool:
    condition = objects.condition(pod, "PodScheduled") or {}
    waits = condition.get("status") == "False" and condition.get("reason") == "Unschedulable"
    return waits and not of_pods.node(pod) and not objects.is_deleting(pod)


# ── fewer ────────────────────────────────────────────────────────────────────────────────────────────────


def _shrink(snapshot: Snapshot, found: Sequence[Group], since: dict[str, float], now: float) -> Iterable[Action]:
    """One node at a time goes, the one that is not needed for longest."""
    nodes, pods = snapshot.list("nodes"), snapshot.list("pods")
    rooms = fit.rooms(nodes, pods)
    sizes = {group.name: sum(groups.of_node(node) == group.name for node in nodes) for group in found}
    spare = {group.name for group in found if sizes[group.name] > group.least}
    idle = [name for name, room in rooms.items() if groups.of_node(room.node) in spare and _is_idle(name, rooms, pods)]
    for name in since.keys() - set(idle):
        del since[name]
    for name in idle:
        since.setdefault(name, now)
    yield from (_stay(room.node) for name, room in rooms.items() if _is_leaving(room.node) and name not in since)
    due = min(idle, key=lambda name: since[name], default=None)
    if due is None:
        return
    wait = since[due] + UNNEEDED_SECONDS - now
    yield from [After(wait)] if wait > 0 else _leave(rooms[due].node, _to_move(due, pods))


def _is_idle(name: str, rooms: dict[str, Room], pods: Sequence[Obj]) -> bool:
    moving = _to_move(name, pods)
    if rooms[name].used() >= _USED_MAX or any(objects.controller_of(pod) is None for pod in moving):
        return False
    others = [Room(room.node) for other, room in rooms.items() if other != name and not _is_leaving(room.node)]
    for room in others:
        room.free = dict(rooms[objects.name(room.node)].free)
    return all(fit.place(pod, others) for pod in moving)


def _to_move(name: str, pods: Sequence[Obj]) -> list[Obj]:
    """The node's pods that have to go elsewhere."""
    mine = (pod for pod in pods if of_pods.node(pod) == name and of_pods.phase(pod) not in of_pods.FINISHED)
    return [pod for pod in mine if (objects.controller_of(pod) or {}).get("kind") != "DaemonSet"]


def _stay(node: Obj) -> Patch:
    """The node is needed again."""
    return _taint(node, [taint for taint in node["spec"]["taints"] if taint.get("key") != LEAVING])


def _taint(node: Obj, taints: Sequence[Obj]) -> Patch:
    version = objects.meta(node).get("resourceVersion")
    return Patch(
        "nodes", "", objects.name(node), {"metadata": {"resourceVersion": version}, "spec": {"taints": taints or None}}
    )


def _leave(node: Obj, moving: Sequence[Obj]) -> Iterable[Action]:
    name = objects.name(node)
    if not _is_leaving(node):
        yield _taint(node, [*objects.get(node, "spec", "taints", default=[]), {"key": LEAVING, "effect": "NoSchedule"}])
    elif not moving:
        yield Event(node, "Normal", "ScaleDown", "node removed by cluster autoscaler")
        yield Delete("nodes", "", name, uid=objects.uid(node))
    else:
        yield After(_AGAIN_SECONDS)
        for pod in moving:
            if not objects.is_deleting(pod):
                yield _evicted(pod)


def _evicted(pod: Obj) -> Create:
    namespace, name = objects.namespace(pod), objects.name(pod)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    return Create(
        "pods", eviction, subresource="eviction", name=name,
        event=Event(pod, "Normal", "ScaleDown", "deleting pod for node scale down"),
    )  # fmt: skip


def _is_leaving(node: Obj) -> bool:
    return any(taint.get("key") == LEAVING for taint in objects.get(node, "spec", "taints", default=()))


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def _is_on(snapshot: Snapshot) -> bool:
    return snapshot.get("configmaps", groups.NAMESPACE, groups.NAME) is not None


def _of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A node that comes, goes, or takes pods otherwise than before."""
    same = old is not None and new is not None and old.get("spec") == new.get("spec")
    return (_ALL,) if not same and _is_on(snapshot) else ()


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A pod that finds no place, or one that gives place."""
    if not _is_on(snapshot):
        return ()
    waits = new is not None and _is_unplaced(new)
    left = new is None or of_pods.node(new) != of_pods.node(old or {})
    return (_ALL,) if waits or left else ()
