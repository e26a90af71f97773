"""The APIServices of groups that this server answers by itself, and the order of all groups. Pure.

Rule: a group's place is data here, as upstream has it (pkg/controlplane/apiserver/aggregator.go); custom groups come
after all built-in ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import versions
from pybernetes.meta.objects import Obj

GROUP: Final = "apiregistration.k8s.io"
PLURAL: Final = "apiservices"
RESOURCE: Final = f"{PLURAL}.{GROUP}"
AUTOMANAGED: Final = "kube-aggregator.kubernetes.io/automanaged"
AVAILABLE: Final = "Available"
_GROUPS: Final[Mapping[str, int]] = {
    "": 18000, GROUP: 17900, "apps": 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600, "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200, "policy": 17100, "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800,
    "admissionregistration.k8s.io": 16700, "apiextensions.k8s.io": 16700, "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500, "node.k8s.io": 16300, "discovery.k8s.io": 16200, "resource.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100, "metrics.k8s.io": 100, "custom.metrics.k8s.io": 100,
    "external.metrics.k8s.io": 100,
}  # fmt: skip
_VERSIONS: Final[Mapping[tuple[str, str], int]] = {
    ("", "v1"): 1, ("autoscaling", "v2"): 30, ("flowcontrol.apiserver.k8s.io", "v1"): 21,
    ("metrics.k8s.io", "v1beta1"): 100, ("custom.metrics.k8s.io", "v1beta2"): 100,
    ("external.metrics.k8s.io", "v1beta1"): 100,
}  # fmt: skip
_CUSTOM_GROUP: Final = 1000
_CUSTOM_VERSION: Final = 100
_BUILT_IN_VERSION: Final = 15


def group_priority(group: str) -> int:
    return _GROUPS.get(group, _CUSTOM_GROUP)


def version_priority(group: str, version: str) -> int:
    return _VERSIONS.get((group, version), _BUILT_IN_VERSION if group in _GROUPS else _CUSTOM_VERSION)


def name(group: str, version: str) -> str:
    return f"{version}.{group}"


def services(rows: Iterable[Kind]) -> dict[str, Obj]:
    """Name → APIService of every group and version among ``rows`` but the one that APIServices are of themselves."""
    found = {(row.group, row.version): row.custom for row in rows if row.group != GROUP}
    return {
        name(group, version): _service(group, version, custom=custom)
        for (group, version), custom in sorted(found.items(), key=lambda of: (of[0][0], versions.order(of[0][1])))
    }


def _service(group: str, version: str, *, custom: bool) -> Obj:
    spec: Obj = {
        "version": version, "groupPriorityMinimum": group_priority(group),
        "versionPriority": version_priority(group, version),
    }  # fmt: skip
    if group:
        spec["group"] = group
    labels = {AUTOMANAGED: "true" if custom else "onstart"}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "APIService",
        "metadata": {"name": name(group, version), "labels": labels},
        "spec": spec,
    }


def condition(status: bool, reason: str, message: str) -> Obj:
    """``Available``, without the time of its last change."""
    return {"type": AVAILABLE, "status": str(status), "reason": reason, "message": message}


def always() -> Obj:
    return condition(True, "Local", "Local APIServices are always available")
