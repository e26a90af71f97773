"""Rows of ``apps/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import SCALE, maker

_row = maker("apps", "v1", "io.k8s.api.apps")
_ALL = ("all",)

KINDS: Final[tuple[Kind, ...]] = (
    _row("ControllerRevision", "controllerrevisions"),
    _row("DaemonSet", "daemonsets", "ds", categories=_ALL, status=True),
    _row("Deployment", "deployments", "deploy", categories=_ALL, status=True, subresources=SCALE),
    _row("ReplicaSet", "replicasets", "rs", categories=_ALL, status=True, subresources=SCALE),
    _row("StatefulSet", "statefulsets", "sts", categories=_ALL, status=True, subresources=SCALE),
)
