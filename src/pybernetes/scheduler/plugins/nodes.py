"""NodeUnschedulable and NodeName: may the node be used at all, and is it the one that the pod names?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.scheduler.plugins.plugin import Rejection, nowhere
from pybernetes.scheduler.plugins.taints import tolerates
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot, Taint

UNSCHEDULABLE: Final = "node(s) were unschedulable"
OTHER_NAME: Final = "node(s) didn't match the requested node name"
_TAINT: Final = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def unschedulable(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Cordoned nodes, unless the pod tolerates the taint that cordoning brings."""
    nodes = snapshot.unschedulable
    if not nodes.any() or tolerates(pod.tolerations, _TAINT):
        return ()
    return (Rejection(UNSCHEDULABLE, nodes.copy()),)


def node_name(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    if not pod.node_name:
        return ()
    others = ~nowhere(snapshot)
    slot = snapshot.slots.get(pod.node_name)
    if slot is not None:
        others[slot] = False
    return (Rejection(OTHER_NAME, others),)
