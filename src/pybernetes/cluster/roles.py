"""What each controller may do, derived from its row: a ClusterRole, its binding, and the account that it acts as.

Rule: inputs may be read and watched, outputs allow their verbs, and everybody may tell events. Nothing is listed by
hand, so a controller can do what its row says and no more; a request beyond it is refused as anybody's would be.
Neighbours: ``controllers/table.py`` has the rows; ``server/authz`` the roles of users and nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from pybernetes.control.controller import Controller
from pybernetes.meta.objects import Obj

NAMESPACE: Final = "kube-system"
_READ: Final = ("get", "list", "watch")
_GROUP: Final = "rbac.authorization.k8s.io"
_EVENTS: Final[Obj] = {
    "apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"],
}  # fmt: skip


def account(controller: Controller) -> str:
    """The name of its ServiceAccount: ``deployment-controller``."""
    return controller.service_account or controller.name


def user_name(controller: Controller) -> str:
    """The user as which a controller writes: ``system:serviceaccount:kube-system:deployment-controller``."""
    return f"system:serviceaccount:{NAMESPACE}:{account(controller)}"


def bootstrap_objects(controllers: Iterable[Controller]) -> Iterator[tuple[str, Obj]]:
    """(resource, object): for each controller its ServiceAccount, its ClusterRole and the binding of the two."""
    for each in controllers:
        yield "serviceaccounts", service_account(each)
        yield f"clusterroles.{_GROUP}", cluster_role(each)
        yield f"clusterrolebindings.{_GROUP}", cluster_role_binding(each)


def service_account(controller: Controller) -> Obj:
    metadata = {"name": account(controller), "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def cluster_role(controller: Controller) -> Obj:
    return _made("ClusterRole", controller) | {"rules": rules(controller)}


def cluster_role_binding(controller: Controller) -> Obj:
    return _made("ClusterRoleBinding", controller) | {
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role_name(controller)},
        "subjects": [{"kind": "ServiceAccount", "name": account(controller), "namespace": NAMESPACE}],
    }


def role_name(controller: Controller) -> str:
    return f"system:controller:{account(controller)}"


def rules(controller: Controller) -> list[Obj]:
    """One rule for all resources of a group that allow the same verbs, in a fixed order."""
    verbs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for read in controller.inputs:
        verbs[named(read.resource)].update(_READ)
    for written in controller.outputs:
        verbs[named(written.resource)].update(written.verbs)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), allowed in sorted(verbs.items()):
        alike[group, tuple(sorted(allowed))].append(resource)
    return [{"apiGroups": [g], "resources": names, "verbs": [*v]} for (g, v), names in alike.items()] + [_EVENTS]


def named(resource: str) -> tuple[str, str]:
    """(API group, resource as a rule names it): ``deployments.apps/status`` → apps, deployments/status."""
    whole, slash, subresource = resource.partition("/")
    plural, _, group = whole.partition(".")
    return group, f"{plural}{slash}{subresource}"


def _made(kind: str, controller: Controller) -> Obj:
    metadata = {
        "name": role_name(controller),
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
    }
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": metadata}
