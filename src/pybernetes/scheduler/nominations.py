"""Rooms kept: pods that wait on a node for their victims to go. Pure.

Rule: a room is kept from pods of lower priority only; whoever has the same or a higher one may take it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler.podinfo import PodInfo


class Nominations:
    def __init__(self) -> None:
        self._pods: dict[str, PodInfo] = {}

    def put(self, pod: PodInfo, node_name: str) -> None:
        """``pod`` waits for room on a node."""
        self._pods[pod.uid] = dataclasses.replace(pod, node_name=node_name)

    def remove(self, uid: str) -> bool:
        """It waits there no more; did it?"""
        return self._pods.pop(uid, None) is not None

    def node(self, uid: str) -> str:
        """Where it waits; empty for nowhere."""
        found = self._pods.get(uid)
        return found.node_name if found else ""

    def kept_from(self, pod: PodInfo) -> Sequence[PodInfo]:
        """Those whose room ``pod`` may not take, as if they were on their nodes already."""
        return [other for other in self._pods.values() if other.priority >= pod.priority and other.uid != pod.uid]

    def below(self, priority: int, node_name: str) -> Sequence[PodInfo]:
        """Those of lower priority that wait on a node."""
        return [other for other in self._pods.values() if other.node_name == node_name and other.priority < priority]


def of(pod: Obj) -> str:
    """The node on which a pod says that it waits."""
    return str(objects.get(pod, "status", "nominatedNodeName", default=""))
