"""Rows of ``rbac.authorization.k8s.io/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import access
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import rbac

_row = maker("rbac.authorization.k8s.io", "v1", "io.k8s.api.rbac")

KINDS: Final[tuple[Kind, ...]] = (
    _row(
        "ClusterRoleBinding",
        "clusterrolebindings",
        namespaced=False,
        strategy=rbac.CLUSTER_BINDING,
        columns=access.BINDINGS,
    ),
    _row(
        "ClusterRole",
        "clusterroles",
        namespaced=False,
        strategy=rbac.CLUSTER_ROLE,
        columns=access.ROLES,
    ),
    _row(
        "RoleBinding",
        "rolebindings",
        strategy=rbac.BINDING,
        columns=access.BINDINGS,
    ),
    _row(
        "Role",
        "roles",
        strategy=rbac.ROLE,
        columns=access.ROLES,
    ),
)
