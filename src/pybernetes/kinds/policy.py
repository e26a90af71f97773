"""Rows of the small groups that steer pods: ``policy``, ``scheduling``, ``node``, ``coordination`` and ``resource``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_policy = maker("policy", "v1", "io.k8s.api.policy")
_scheduling = maker("scheduling.k8s.io", "v1", "io.k8s.api.scheduling")
_node = maker("node.k8s.io", "v1", "io.k8s.api.node")
_coordination = maker("coordination.k8s.io", "v1", "io.k8s.api.coordination")
_resource = maker("resource.k8s.io", "v1", "io.k8s.api.resource")

POLICY: Final[tuple[Kind, ...]] = (_policy("PodDisruptionBudget", "poddisruptionbudgets", "pdb", status=True),)
SCHEDULING: Final[tuple[Kind, ...]] = (_scheduling("PriorityClass", "priorityclasses", "pc", namespaced=False),)
NODE: Final[tuple[Kind, ...]] = (_node("RuntimeClass", "runtimeclasses", namespaced=False),)
COORDINATION: Final[tuple[Kind, ...]] = (_coordination("Lease", "leases"),)
RESOURCE: Final[tuple[Kind, ...]] = (
    _resource("DeviceClass", "deviceclasses", namespaced=False),
    _resource("ResourceClaim", "resourceclaims", status=True),
    _resource("ResourceClaimTemplate", "resourceclaimtemplates"),
    _resource("ResourceSlice", "resourceslices", namespaced=False),
)
