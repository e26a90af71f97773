"""The scheduler's plugins in upstream's order (pkg/scheduler/apis/config/v1/default_plugins.go).

The first filter that rejects a node names the reason in FailedScheduling. ``helped_by`` are the queueing hints: what
must happen before a pod that the plugin rejected is worth another try.
Upstream's other has its place: ImageLocality after the last score.
"""

from __future__ import annotations

from typing import Final

from pybernetes.scheduler.plugins import affinity, nodes, podaffinity, ports, resources, spread, taints, volumes
from pybernetes.scheduler.plugins.plugin import Change, Plugin, to_highest, to_lowest

_NEW: Final = frozenset({Change.NODE_ADDED})
_TAINTS: Final = _NEW | {Change.NODE_TAINTS}
_LABELS: Final = _NEW | {Change.NODE_LABELS}
_ROOM: Final = _NEW | {Change.NODE_ALLOCATABLE, Change.POD_GONE}
_CLAIMS: Final = _LABELS | {Change.CLAIM, Change.VOLUME, Change.STORAGE_CLASS}
_PODS: Final = _LABELS | {Change.POD_GONE, Change.POD_PLACED}

PLUGINS: Final = (
    Plugin(affinity.NAME, affinity.not_named, helped_by=_NEW),
    Plugin("NodeUnschedulable", nodes.unschedulable, helped_by=_TAINTS),
    Plugin("NodeName", nodes.node_name, helped_by=_NEW),
    Plugin("TaintToleration", taints.untolerated, taints.discouraged, to_lowest, weight=3, helped_by=_TAINTS),
    Plugin(affinity.NAME, affinity.mismatched, affinity.preferred, to_highest, weight=2, helped_by=_LABELS),
    Plugin("NodePorts", ports.taken, helped_by=_NEW | {Change.POD_GONE}),
    Plugin("NodeResourcesFit", resources.insufficient, resources.least_allocated, helped_by=_ROOM),
    Plugin("VolumeRestrictions", volumes.in_use, helped_by=_NEW | {Change.POD_GONE, Change.CLAIM}),
    Plugin("NodeVolumeLimits", volumes.too_many, helped_by=_NEW | {Change.POD_GONE, Change.CLAIM, Change.CSI_NODE}),
    Plugin("VolumeBinding", volumes.unreachable, helped_by=_CLAIMS),
    Plugin("VolumeZone", volumes.in_other_zones, helped_by=_CLAIMS),
    Plugin("PodTopologySpread", spread.skewed, spread.crowded, spread.to_emptiest, weight=2, helped_by=_PODS | _TAINTS),
    Plugin(
        "InterPodAffinity", podaffinity.unfriendly, podaffinity.friendly, podaffinity.to_range,
        weight=2, helped_by=_PODS,
    ),
    Plugin("NodeResourcesBalancedAllocation", score=resources.balanced),
)  # fmt: skip
