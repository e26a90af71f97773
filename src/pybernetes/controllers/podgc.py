"""Pods that nobody ends any more: bound to a node that is gone, or deleted before they had one (pkg/controller/podgc).

Rule: that a node is gone is asked of the API before a pod dies of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, Answer, Ask, Delete, Get, Patch, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.meta import objects, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    pod = snapshot.get("pods", key.namespace, key.name)
    if pod is None or not is_lost(snapshot, pod):
        return ()
    if not pods.node(pod):
        return [_delete(pod)]

    def then(answers: Sequence[Answer]) -> Plan:
        found = answers[0]
        if isinstance(found, ApiError):
            raise found
        return () if found is not None else list(_end(pod, now))

    return [Ask([Get("nodes", "", pods.node(pod))], then)]


def is_lost(snapshot: Snapshot, pod: Obj) -> bool:
    """Is its node unknown, or did it never get one and is deleted?"""
    node = pods.node(pod)
    return snapshot.get("nodes", "", node) is None if node else objects.is_deleting(pod)


def _end(pod: Obj, now: float) -> Iterable[Action]:
    """Tell why the pod ends, then delete it without grace."""
    if pods.phase(pod) not in pods.FINISHED:
        condition = {
            "type": "DisruptionTarget", "status": "True", "lastTransitionTime": times.render(now),
            "reason": "DeletionByPodGC", "message": "PodGC: node no longer exists",
        }  # fmt: skip
        status = {"status": {"phase": "Failed", "conditions": [condition]}}
        namespace, name = objects.namespace(pod), objects.name(pod)
        yield Patch("pods", namespace, name, status, kind="strategic", subresource="status", ok_if_missing=True)
    yield _delete(pod)


def _delete(pod: Obj) -> Delete:
    uid = objects.uid(pod)
    return Delete("pods", objects.namespace(pod), objects.name(pod), uid=uid, grace_period_seconds=0)


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (keys.of(new),) if new is not None and is_lost(snapshot, new) else ()


def _of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The end of a node wakes its pods."""
    if new is not None or old is None:
        return ()
    return [keys.of(pod) for pod in snapshot.list("pods") if pods.node(pod) == objects.name(old)]


CONTROLLER: Final = Controller(
    name="pod-garbage-collector",
    inputs=(Input("pods", _of_pod), Input("nodes", _of_node)),
    outputs=(
        Output("pods", ("delete",)),
        Output("pods/status", ("patch",)),
        Output("nodes", ("get",)),
    ),
    plan=plan,
    workers=1,
)
