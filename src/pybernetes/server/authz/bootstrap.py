"""RBAC's first objects: upstream's default roles and who is bound to them, as data rows.

Rule: a role that aggregates is written with the rules that its parts sum up to, so it holds from the first moment;
later changes of its parts count at once (``rbac.py``) and are written into it by a controller.
Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
Neighbours: ``roles.py`` has the rules, ``cluster/bootstrap.py`` creates what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from pybernetes.meta import objects as meta
from pybernetes.meta.objects import Obj
from pybernetes.server.authz import roles
from pybernetes.server.authz.rbac import GROUP

_API_VERSION: Final = f"{GROUP}/v1"
_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS: Final = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
_SYSTEM: Final = "kube-system"
_CONTROLLER: Final = "system:controller:"

_AGGREGATES: Final = (
    ("admin", (), (*roles.ADMIN, *roles.EDIT, *roles.VIEW)),
    ("edit", ("admin",), (*roles.EDIT, *roles.VIEW)),
    ("view", ("edit",), roles.VIEW),
)
"""(name, roles into which it aggregates in turn, sum of its parts)"""
_AGGREGATED: Final = (("admin", roles.ADMIN), ("edit", roles.EDIT), ("view", roles.VIEW))


def _user(name: str) -> Obj:
    return {"kind": "User", "apiGroup": GROUP, "name": name}


def _group(name: str) -> Obj:
    return {"kind": "Group", "apiGroup": GROUP, "name": name}


def _account(name: str) -> Obj:
    return {"kind": "ServiceAccount", "namespace": _SYSTEM, "name": name}


_NODES: Final = _group("system:nodes")
BINDINGS: Final[Sequence[tuple[str, str, Sequence[Obj]]]] = (
    ("cluster-admin", "cluster-admin", [_group("system:masters")]),
    ("system:monitoring", "system:monitoring", [_group("system:monitoring")]),
    ("system:discovery", "system:discovery", [_group("system:authenticated")]),
    ("system:basic-user", "system:basic-user", [_group("system:authenticated")]),
    (
        "system:public-info-viewer", "system:public-info-viewer",
        [_group("system:authenticated"), _group("system:unauthenticated")],
    ),
    ("system:kube-controller-manager", "system:kube-controller-manager", [_user("system:kube-controller-manager")]),
    ("system:kube-scheduler", "system:kube-scheduler", [_user("system:kube-scheduler")]),
    ("system:volume-scheduler", "system:volume-scheduler", [_user("system:kube-scheduler")]),
    ("system:kube-dns", "system:kube-dns", [_account("kube-dns"), _NODES]),
    ("system:node-proxier", "system:node-proxier", [_user("system:kube-proxy"), _NODES]),
    (
        "system:service-account-issuer-discovery", "system:service-account-issuer-discovery",
        [_group("system:serviceaccounts")],
    ),
    # Nodes have these rights by the Node authorizer, which narrows them to their own pods and what those name. The
    # other bindings to nodes are there because an agent of ours is also its node's proxy and DNS server.
    ("system:node", "system:node", [_user("system:simulated-nodes")]),
    ("pybernetes:dns-endpoints", "pybernetes:dns-endpoints", [_NODES]),
    ("pybernetes:node-volumes", "pybernetes:node-volumes", [_NODES]),
    ("pybernetes:node-policies", "pybernetes:node-policies", [_NODES]),
)  # fmt: skip
"""(binding, cluster role, subjects)"""

_LOCKS: Final = ("kube-controller-manager", "kube-scheduler")


def objects(controller_roles: Iterable[Obj] = ()) -> list[tuple[str, Obj]]:
    """(resource, object) of everything, roles before their bindings.

    ``controller_roles`` are ClusterRoles named ``system:controller:<service account>``; each is bound to its account.
    """
    controllers = list(controller_roles)
    own = [name.removeprefix(_CONTROLLER) for name in map(meta.name, controllers)]
    return [
        *((f"clusterroles.{GROUP}", role) for role in (*_cluster_roles(), *controllers)),
        *((f"roles.{GROUP}", role) for role in _roles()),
        *((f"clusterrolebindings.{GROUP}", _cluster_binding(*row)) for row in BINDINGS),
        *((f"clusterrolebindings.{GROUP}", _cluster_binding(f"{_CONTROLLER}{n}", f"{_CONTROLLER}{n}", [_account(n)]))
          for n in own),
        *((f"rolebindings.{GROUP}", binding) for binding in _role_bindings()),
    ]  # fmt: skip


def cluster_role(name: str, rules: Iterable[Obj], labels: dict[str, str] | None = None) -> Obj:
    """A default role, marked as one."""
    return {
        "apiVersion": _API_VERSION,
        "kind": "ClusterRole",
        "metadata": _metadata(name, labels),
        "rules": list(rules),
    }


def _metadata(name: str, labels: dict[str, str] | None = None) -> Obj:
    return {"name": name, "labels": {**_LABELS, **(labels or {})}, "annotations": dict(_ANNOTATIONS)}


def _aggregates_to(name: str) -> dict[str, str]:
    return {f"rbac.authorization.k8s.io/aggregate-to-{name}": "true"}


def _cluster_roles() -> Iterator[Obj]:
    for table in (roles.CLUSTER, roles.PARTS, roles.NODES, roles.APPROVERS):
        for name, rules in table.items():
            yield cluster_role(name, rules)
    for name, into, rules in _AGGREGATES:
        labels = {key: value for parent in into for key, value in _aggregates_to(parent).items()}
        selector = {"clusterRoleSelectors": [{"matchLabels": _aggregates_to(name)}]}
        yield {**cluster_role(name, rules, labels), "aggregationRule": selector}
    for name, rules in _AGGREGATED:
        yield cluster_role(f"system:aggregate-to-{name}", rules, _aggregates_to(name))


def _cluster_binding(name: str, role: str, subjects: Sequence[Obj]) -> Obj:
    return {
        "apiVersion": _API_VERSION,
        "kind": "ClusterRoleBinding",
        "metadata": _metadata(name),
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": list(subjects),
    }


# ── roles in kube-system ─────────────────────────────────────────────────────────────────────────────────


def _roles() -> Iterator[Obj]:
    reader = roles.on("", "configmaps", roles.READ, "extension-apiserver-authentication")
    yield _role("extension-apiserver-authentication-reader", [reader])
    for name in _LOCKS:
        rules = [roles.on("", "configmaps", "watch"), roles.on("", "configmaps", "get update", name)]
        yield _role(f"system::leader-locking-{name}", rules)


def _role(name: str, rules: Sequence[Obj]) -> Obj:
    metadata = {**_metadata(name), "namespace": _SYSTEM}
    return {"apiVersion": _API_VERSION, "kind": "Role", "metadata": metadata, "rules": list(rules)}


def _role_bindings() -> Iterator[Obj]:
    parts = [_user(f"system:{name}") for name in _LOCKS]
    reader = "extension-apiserver-authentication-reader"
    yield _role_binding(f"system::{reader}", reader, parts)
    for name in _LOCKS:
        locking = f"system::leader-locking-{name}"
        yield _role_binding(locking, locking, [_user(f"system:{name}"), _account(name)])


def _role_binding(name: str, role: str, subjects: Sequence[Obj]) -> Obj:
    return {
        "apiVersion": _API_VERSION,
        "kind": "RoleBinding",
        "metadata": {**_metadata(name), "namespace": _SYSTEM},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": role},
        "subjects": list(subjects),
    }
