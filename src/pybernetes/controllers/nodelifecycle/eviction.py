"""Pods leave a node whose NoExecute taints they do not tolerate, or no longer (pkg/controller/tainteviction).

Rule: a taint that is not tolerated ends the pod at once; one that is tolerated for some seconds, so long after both
were there. Of several taints the first to run out counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import After, Delete, Event, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods, tolerations
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    pod = snapshot.get("pods", key.namespace, key.name)
    if pod is None or objects.is_deleting(pod):
        return ()
    end = ends_at(pod, _taints_of(snapshot, pod), now)
    if end is None:
        return ()
    return _evicted(pod, now) if end <= now else [After(end - now)]


def ends_at(pod: Obj, taints: Iterable[Obj], now: float) -> float | None:
    """When the pod has to go (Unix seconds); None: not because of these taints."""
    ends = [end for taint in taints if (end := _runs_out(pod, taint, now)) is not None]
    return min(ends, default=None)


def _runs_out(pod: Obj, taint: Obj, now: float) -> float | None:
    toleration = tolerations.first(tolerations.of_pod(pod), taint)
    if toleration is None:
        return now
    seconds = toleration.get("tolerationSeconds")
    if seconds is None:
        return None
    added = taint.get("timeAdded")
    begun = max(times.parse(added), _bound_at(pod)) if added else now
    return float(begun + max(0, seconds))


def _bound_at(pod: Obj) -> float:
    since = (objects.condition(pod, "PodScheduled") or {}).get("lastTransitionTime")
    return times.parse(since or objects.meta(pod)["creationTimestamp"])


def _evicted(pod: Obj, now: float) -> Plan:
    namespace, name = objects.namespace(pod), objects.name(pod)
    condition = {
        "type": "DisruptionTarget", "status": "True", "lastTransitionTime": times.render(now),
        "reason": "DeletionByTaintManager", "message": "Taint manager: deleting due to NoExecute taint",
    }  # fmt: skip
    patch = {"metadata": {"uid": objects.uid(pod)}, "status": {"conditions": [condition]}}
    return [
        Event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {namespace}/{name}"),
        Patch("pods", namespace, name, patch, kind="strategic", subresource="status", ok_if_missing=True),
        Delete("pods", namespace, name, uid=objects.uid(pod)),
    ]


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def _taints_of(snapshot: Snapshot, pod: Obj) -> Sequence[Obj]:
    node = snapshot.get("nodes", "", pods.node(pod)) if pods.node(pod) else None
    return tolerations.taints_of(node, "NoExecute") if node is not None else ()


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (keys.of(new),) if new is not None and _taints_of(snapshot, new) else ()


def _of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """Other taints wake the node's pods."""
    if new is None:
        return ()
    taints = tolerations.taints_of(new, "NoExecute")
    if not taints or taints == tolerations.taints_of(old or {}, "NoExecute"):
        return ()
    return [keys.of(pod) for pod in pods.on_node(snapshot, objects.name(new))]


CONTROLLER: Final = Controller(
    name="taint-eviction-controller",
    inputs=(Input("pods", _of_pod), Input("nodes", _of_node)),
    outputs=(Output("pods", ("delete",)), Output("pods/status", ("patch",))),
    plan=plan,
    workers=8,
)
