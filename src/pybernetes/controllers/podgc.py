"""Pods that nobody ends any more: bound to a node that is gone, or deleted before they had one (pkg/controller/podgc).

Rule 1: a node has to be missing for forty seconds, and the API has to say so too, before a pod dies of it: a node
        may be made anew under its name. Since when it is missing nobody tells, so the row remembers when it saw that.
Rule 2: who taints a node that is not ready with ``out-of-service`` says that nothing runs there any more: pods that
        are to go from it are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Answer, Ask, Delete, Get, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.meta import objects, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

QUARANTINE_SECONDS: Final = 40.0
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"
_GONE_TEXT: Final = "PodGC: node no longer exists"
_OUT_OF_SERVICE_TEXT: Final = "PodGC: node is out of service"


def controller() -> Controller:
    """The row, with a memory of its own of the nodes that it misses."""
    missed: dict[str, float] = {}

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        pod = snapshot.get("pods", key.namespace, key.name)
        if pod is None:
            return ()
        if is_out_of_service(snapshot, pod):
            return list(_end(pod, now, _OUT_OF_SERVICE_TEXT))
        if not is_lost(snapshot, pod):
            return ()
        if not pods.node(pod):
            return [_delete(pod)]
        end = missed.setdefault(pods.node(pod), now) + QUARANTINE_SECONDS
        return [After(end - now)] if end > now else [_asked(pod, now)]

    def keys_of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        """The end of a node wakes its pods."""
        name = objects.name(new or old or {})
        missed.pop(name, None)
        if new is not None and not (_is_out_of_service(new) and not _is_out_of_service(old or {})):
            return ()
        return [keys.of(pod) for pod in pods.on_node(snapshot, name)]

    return Controller(
        name="pod-garbage-collector",
        inputs=(Input("pods", _of_pod), Input("nodes", keys_of_node)),
        outputs=(
            Output("pods", ("delete",)),
            Output("pods/status", ("patch",)),
            Output("nodes", ("get",)),
        ),
        plan=plan,
        workers=1,
    )


def is_lost(snapshot: Snapshot, pod: Obj) -> bool:
    """Is its node unknown, or did it never get one and is deleted?"""
    node = pods.node(pod)
    return snapshot.get("nodes", "", node) is None if node else objects.is_deleting(pod)


def is_out_of_service(snapshot: Snapshot, pod: Obj) -> bool:
    """Is the pod to go from a node of which somebody has said that nothing runs there any more?"""
    node = snapshot.get("nodes", "", pods.node(pod)) if objects.is_deleting(pod) and pods.node(pod) else None
    return node is not None and _is_out_of_service(node)


def _is_out_of_service(node: Obj) -> bool:
    tainted = any(taint.get("key") == OUT_OF_SERVICE for taint in objects.get(node, "spec", "taints", default=()))
    return tainted and not objects.condition_is(node, "Ready")


def _asked(pod: Obj, now: float) -> Ask:
    """End the pod if the API says too that its node is gone."""

    def then(answers: Sequence[Answer]) -> Plan:
        found = answers[0]
        if isinstance(found, ApiError):
            raise found
        return () if found is not None else list(_end(pod, now, _GONE_TEXT))

    return Ask([Get("nodes", "", pods.node(pod))], then)


def _end(pod: Obj, now: float, why: str) -> Iterable[Action]:
    """Tell why the pod ends, then delete it without grace."""
    if pods.phase(pod) not in pods.FINISHED:
        condition = {
            "type": "DisruptionTarget", "status": "True", "lastTransitionTime": times.render(now),
            "reason": "DeletionByPodGC", "message": why,
        }  # fmt: skip
        status = {"status": {"phase": "Failed", "conditions": [condition]}}
        namespace, name = objects.namespace(pod), objects.name(pod)
        yield Patch("pods", namespace, name, status, kind="strategic", subresource="status", ok_if_missing=True)
    yield _delete(pod)


def _delete(pod: Obj) -> Delete:
    uid = objects.uid(pod)
    return Delete("pods", objects.namespace(pod), objects.name(pod), uid=uid, grace_period_seconds=0)


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    is_due = new is not None and (is_lost(snapshot, new) or is_out_of_service(snapshot, new))
    return (keys.of(new),) if new is not None and is_due else ()
