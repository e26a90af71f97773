"""Rows of the small groups that steer pods: ``policy``, ``scheduling``, ``node``, ``coordination`` and ``resource``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import access, cluster, workloads
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import classes, devices

_policy = maker("policy", "v1", "io.k8s.api.policy")
_scheduling = maker("scheduling.k8s.io", "v1", "io.k8s.api.scheduling")
_node = maker("node.k8s.io", "v1", "io.k8s.api.node")
_coordination = maker("coordination.k8s.io", "v1", "io.k8s.api.coordination")
_resource = maker("resource.k8s.io", "v1", "io.k8s.api.resource")

POLICY: Final[tuple[Kind, ...]] = (
    _policy(
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "pdb",
        status=True,
        strategy=classes.BUDGET,
        columns=workloads.DISRUPTION_BUDGETS,
    ),
)
SCHEDULING: Final[tuple[Kind, ...]] = (
    _scheduling(
        "PriorityClass",
        "priorityclasses",
        "pc",
        namespaced=False,
        strategy=classes.PRIORITY,
        columns=cluster.PRIORITY_CLASSES,
    ),
)
NODE: Final[tuple[Kind, ...]] = (
    _node(
        "RuntimeClass",
        "runtimeclasses",
        namespaced=False,
        strategy=classes.RUNTIME,
        columns=cluster.RUNTIME_CLASSES,
    ),
)
COORDINATION: Final[tuple[Kind, ...]] = (
    _coordination(
        "Lease",
        "leases",
        strategy=classes.LEASE,
        columns=cluster.LEASES,
    ),
)
RESOURCE: Final[tuple[Kind, ...]] = (
    _resource(
        "DeviceClass",
        "deviceclasses",
        namespaced=False,
        strategy=devices.CLASS,
    ),
    _resource(
        "ResourceClaim",
        "resourceclaims",
        status=True,
        strategy=devices.CLAIM,
        columns=access.RESOURCE_CLAIMS,
    ),
    _resource(
        "ResourceClaimTemplate",
        "resourceclaimtemplates",
        strategy=devices.TEMPLATE,
    ),
    _resource(
        "ResourceSlice",
        "resourceslices",
        namespaced=False,
        strategy=devices.SLICE,
        columns=access.RESOURCE_SLICES,
        fields=fields.RESOURCE_SLICES,
    ),
)
