"""Rows of ``rbac.authorization.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_row = maker("rbac.authorization.k8s.io", "v1", "io.k8s.api.rbac")

KINDS: Final[tuple[Kind, ...]] = (
    _row("ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _row("ClusterRole", "clusterroles", namespaced=False),
    _row("RoleBinding", "rolebindings"),
    _row("Role", "roles"),
)
