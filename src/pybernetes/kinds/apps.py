"""Rows of ``apps/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import workloads
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import SCALE, maker
from pybernetes.kinds.strategy import daemonset, deployment, replicaset, statefulset

_row = maker("apps", "v1", "io.k8s.api.apps")
_ALL = ("all",)

KINDS: Final[tuple[Kind, ...]] = (
    _row(
        "ControllerRevision",
        "controllerrevisions",
        strategy=daemonset.REVISION,
        columns=workloads.CONTROLLER_REVISIONS,
    ),
    _row(
        "DaemonSet",
        "daemonsets",
        "ds",
        categories=_ALL,
        status=True,
        strategy=daemonset.STRATEGY,
        columns=workloads.DAEMON_SETS,
    ),
    _row(
        "Deployment",
        "deployments",
        "deploy",
        categories=_ALL,
        status=True,
        subresources=SCALE,
        strategy=deployment.STRATEGY,
        columns=workloads.DEPLOYMENTS,
    ),
    _row(
        "ReplicaSet",
        "replicasets",
        "rs",
        categories=_ALL,
        status=True,
        subresources=SCALE,
        strategy=replicaset.STRATEGY,
        columns=workloads.REPLICA_SETS,
        fields=fields.REPLICAS,
    ),
    _row(
        "StatefulSet",
        "statefulsets",
        "sts",
        categories=_ALL,
        status=True,
        subresources=SCALE,
        strategy=statefulset.STRATEGY,
        columns=workloads.STATEFUL_SETS,
    ),
)
