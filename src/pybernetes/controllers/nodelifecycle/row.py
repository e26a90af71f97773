"""The node controller's row: silent nodes become Unknown, conditions become taints, pods of lost nodes not ready.

Rule: a Lease's renewal wakes nobody. Each node is looked at again when its grace would end, which is at most once in
forty seconds however many nodes there are. What the status write changes comes back as a change, and then the rest.
Neighbours: ``health.py`` and ``taints.py`` decide, ``eviction.py`` follows the taints.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from pybernetes.control.actions import Action, After, Event, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.controllers.nodelifecycle import health, taints
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

LEASES: Final = "leases.coordination.k8s.io"
LEASE_NAMESPACE: Final = "kube-node-lease"
_REGISTERED, _REMOVED = "registered", "removed"
"""Keys that carry one of these in place of a namespace are about a node's coming and going."""


def controller(started: float) -> Controller:
    """The row; ``started``: since when (Unix seconds) signs of life are listened to."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        if key.namespace:
            return _announce(snapshot, key)
        node = snapshot.get("nodes", "", key.name)
        return () if node is None else list(_care(snapshot, node, started, now))

    def keys_of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        if new is None:
            return [Key(_REMOVED, f"{objects.name(old or {})}/{objects.uid(old or {})}")]
        came = old is None and times.parse(objects.meta(new)["creationTimestamp"]) >= int(started)
        found = [keys.of(new)] + ([Key(_REGISTERED, objects.name(new))] if came else [])
        return found + list(_others(snapshot, old, new))

    return Controller(
        name="node-controller",
        inputs=(
            Input("nodes", keys_of_node),
            Input(LEASES, lambda snapshot, old, new: (), fields=f"metadata.namespace={LEASE_NAMESPACE}"),
            Input("pods", _of_pod),
        ),
        outputs=(
            Output("nodes", ("patch",)),
            Output("nodes/status", ("patch",)),
            Output("pods/status", ("patch",)),
        ),
        plan=plan,
        workers=8,
    )


def _care(snapshot: Snapshot, node: Obj, started: float, now: float) -> Iterable[Action]:
    wait = health.silent_in(node, snapshot.get(LEASES, LEASE_NAMESPACE, objects.name(node)), started, now)
    if wait > 0:
        yield After(wait)
    elif changed := health.silenced(node, now):
        if health.is_ready(node):
            text = f"Node {objects.name(node)} status is now: NodeNotReady"
            yield Event(node, "Normal", "NodeNotReady", text)
        yield _patch(node, {"status": {"conditions": changed}}, "status")
        return
    yield from _taint(snapshot, node, now)
    if health.lost_since(node) is not None:
        yield from _mark_pods(snapshot, node, now)


def _taint(snapshot: Snapshot, node: Obj, now: float) -> Iterable[Action]:
    wanted = taints.due(node, health.is_ready(node) or _is_anybody_ready(snapshot), now)
    if wanted != objects.get(node, "spec", "taints", default=[]):
        yield _patch(node, {"spec": {"taints": wanted or None}})


def _patch(node: Obj, change: Obj, subresource: str = "") -> Patch:
    """A patch of the node as it was seen: refused where it has changed since."""
    patch = {"metadata": {"resourceVersion": objects.meta(node).get("resourceVersion")}, **change}
    kind: Literal["strategic", "merge"] = "strategic" if subresource else "merge"
    return Patch("nodes", "", objects.name(node), patch, kind=kind, subresource=subresource)


def _mark_pods(snapshot: Snapshot, node: Obj, now: float) -> Iterable[Action]:
    """Nothing is to be sent to pods whose node is not ready (controller/util/node.MarkPodsNotReady)."""
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": times.render(now)}
    for pod in pods.on_node(snapshot, objects.name(node)):
        if _was_ready(pod, node):
            yield Patch(
                "pods", objects.namespace(pod), objects.name(pod),
                {"metadata": {"uid": objects.uid(pod)}, "status": {"conditions": [condition]}},
                kind="strategic", subresource="status", ok_if_missing=True,
                event=Event(pod, "Warning", "NodeNotReady", "Node is not ready"),
            )  # fmt: skip


def _was_ready(pod: Obj, node: Obj) -> bool:
    """Does the pod say that it is ready, and has not said so after the node was lost? What an agent that still works
    says of its pods is not denied again: the two would go on for ever."""
    since, lost = pods.ready_since(pod), health.lost_since(node)
    return since is not None and lost is not None and since < lost


def _announce(snapshot: Snapshot, key: Key) -> Plan:
    if key.namespace == _REGISTERED:
        node = snapshot.get("nodes", "", key.name)
        return () if node is None else [_told(node, "RegisteredNode", f"Registered Node {key.name} in Controller")]
    name, _, uid = key.name.partition("/")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}}
    return [_told(node, "RemovingNode", f"Removing Node {name} from Controller")]


def _told(node: Obj, reason: str, text: str) -> Event:
    return Event(node, "Normal", reason, f"Node {objects.name(node)} event: {text}")


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def _is_anybody_ready(snapshot: Snapshot) -> bool:
    return any(map(health.is_ready, snapshot.list("nodes")))


def _others(snapshot: Snapshot, old: Obj | None, new: Obj) -> Iterable[Key]:
    """Whether anybody is ready decides over all that are not: the first to be ready and the last wake the others."""
    ready = health.is_ready(new)
    if old is not None and health.is_ready(old) == ready:
        return ()
    nodes = [node for node in snapshot.list("nodes") if objects.name(node) != objects.name(new)]
    if any(map(health.is_ready, nodes)):
        return ()
    return [keys.of(node) for node in nodes]


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A pod that was ready when its node was lost."""
    if new is None or not pods.is_ready(new):
        return ()
    node = snapshot.get("nodes", "", pods.node(new))
    return (Key("", pods.node(new)),) if node is not None and _was_ready(new, node) else ()
