"""The FlowSchemas and priority levels that every cluster begins with, as rows.

Source: apiserver/pkg/apis/flowcontrol/bootstrap. Neighbour: ``cluster/bootstrap.py`` creates what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.meta.objects import Obj

GROUP: Final = "flowcontrol.apiserver.k8s.io"
SCHEMAS: Final = f"flowschemas.{GROUP}"
LEVELS: Final = f"prioritylevelconfigurations.{GROUP}"
_API_VERSION: Final = f"{GROUP}/v1"
_SYSTEM: Final = "kube-system"
_ANYWHERE: Final = {"clusterScope": True, "namespaces": ["*"]}
_MANAGER: Final = "system:kube-controller-manager"
_SCHEDULER: Final = "system:kube-scheduler"

_LIMITED: Final = (
    ("system", 30, 33, (64, 6, 50)),
    ("node-high", 40, 25, (64, 6, 50)),
    ("leader-election", 10, 0, (16, 4, 50)),
    ("workload-high", 40, 50, (128, 6, 50)),
    ("workload-low", 100, 90, (128, 6, 50)),
    ("global-default", 20, 50, (128, 6, 50)),
    ("catch-all", 5, 0, None),
)
"""(name, shares, lendable percent, (queues, hand, length of a queue) or None: nobody waits)"""


def _group(*names: str) -> list[Obj]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _user(*names: str) -> list[Obj]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _account(*names: str) -> list[Obj]:
    return [{"kind": "ServiceAccount", "serviceAccount": {"namespace": _SYSTEM, "name": name}} for name in names]


def _on(group: str, resources: str, verbs: str, *, cluster: bool = False) -> Obj:
    rule: Obj = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split(), "namespaces": ["*"]}
    return {**rule, "clusterScope": True} if cluster else rule


_EVERYBODY: Final = _group("system:unauthenticated", "system:authenticated")
_ALL: Final[Obj] = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], **_ANYWHERE}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
_PROBES: Final[Obj] = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]}
_NODES: Final[Obj] = {
    "resourceRules": [
        _on("", "nodes nodes/status", "*", cluster=True),
        _on("coordination.k8s.io", "leases", "*"),
    ]
}
_LEASES: Final[Obj] = {"resourceRules": [_on("coordination.k8s.io", "leases", "get create update")]}
_LOCKS: Final[Obj] = {
    "resourceRules": [
        _on("", "endpoints configmaps", "get create update"),
        _on("coordination.k8s.io", "leases", "get create update"),
    ]
}
_ENDPOINTS: Final[Obj] = {"resourceRules": [_on("", "endpoints", "get create update")]}
_SCHEMAS: Final = (
    ("exempt", "exempt", 1, "", _group("system:masters"), _ALL),
    ("probes", "exempt", 2, "", _EVERYBODY, _PROBES),
    (
        "system-leader-election", "leader-election", 100, "ByUser",
        [*_user(_MANAGER, _SCHEDULER), *_account("*")], _LEASES,
    ),
    (
        "endpoint-controller", "workload-high", 150, "ByUser",
        [*_user(_MANAGER), *_account("endpoint-controller", "endpointslicemirroring-controller")], _ENDPOINTS,
    ),
    ("workload-leader-election", "leader-election", 200, "ByUser", _account("*"), _LOCKS),
    ("system-node-high", "node-high", 400, "ByUser", _group("system:nodes"), _NODES),
    ("system-nodes", "system", 500, "ByUser", _group("system:nodes"), _ALL),
    ("kube-controller-manager", "workload-high", 800, "ByNamespace", _user(_MANAGER), _ALL),
    ("kube-scheduler", "workload-high", 800, "ByNamespace", _user(_SCHEDULER), _ALL),
    ("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _account("*"), _ALL),
    ("service-accounts", "workload-low", 9000, "ByUser", _group("system:serviceaccounts"), _ALL),
    ("global-default", "global-default", 9900, "ByUser", _EVERYBODY, _ALL),
    ("catch-all", "catch-all", 10000, "ByUser", _EVERYBODY, _ALL),
)  # fmt: skip
"""(name, level, precedence, what tells flows apart, subjects, rules)"""


def objects() -> list[tuple[str, Obj]]:
    """(resource, object) of everything, levels first."""
    levels = [_object("PriorityLevelConfiguration", "exempt", _exempt())]
    levels += [_object("PriorityLevelConfiguration", row[0], _limited(*row[1:])) for row in _LIMITED]
    schemas = [_object("FlowSchema", row[0], _schema(*row[1:])) for row in _SCHEMAS]
    return [*((LEVELS, level) for level in levels), *((SCHEMAS, schema) for schema in schemas)]


def _object(kind: str, name: str, spec: Obj) -> Obj:
    metadata = {"name": name, "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}
    return {"apiVersion": _API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _exempt() -> Obj:
    return {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}


def _limited(shares: int, lendable: int, queuing: tuple[int, int, int] | None) -> Obj:
    response: Obj = {"type": "Reject"}
    if queuing is not None:
        queues, hand, length = queuing
        response = {
            "type": "Queue", "queuing": {"queues": queues, "handSize": hand, "queueLengthLimit": length},
        }  # fmt: skip
    limited = {"nominalConcurrencyShares": shares, "lendablePercent": lendable, "limitResponse": response}
    return {"type": "Limited", "limited": limited}


def _schema(level: str, precedence: int, distinguisher: str, subjects: Sequence[Obj], rules: Obj) -> Obj:
    spec: Obj = {
        "priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence,
        "rules": [{"subjects": list(subjects), **rules}],
    }  # fmt: skip
    if distinguisher:
        spec["distinguisherMethod"] = {"type": distinguisher}
    return spec
