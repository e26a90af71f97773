"""The core group's rows (``/api/v1``)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.kinds.row import CONNECT, CREATE_ONLY, NO_COLLECTION_DELETE, PROXY, READ_ONLY, SCALE, maker, same

_row = maker("", "v1", "io.k8s.api.core")
_ALL = ("all",)

_POD_SUBRESOURCES = {
    "attach": Subresource("PodAttachOptions", CONNECT),
    "binding": Subresource("Binding", ("create",)),
    "eviction": Subresource("Eviction", ("create",), "policy", "v1"),
    "exec": Subresource("PodExecOptions", CONNECT),
    "log": Subresource("Pod", ("get",)),
    "portforward": Subresource("PodPortForwardOptions", CONNECT),
    "proxy": Subresource("PodProxyOptions", PROXY),
    **same("Pod", "ephemeralcontainers", "resize"),
}
_TOKEN = {"token": Subresource("TokenRequest", ("create",), "authentication.k8s.io", "v1")}

KINDS: Final[tuple[Kind, ...]] = (
    _row("Binding", "bindings", verbs=CREATE_ONLY),
    _row("ComponentStatus", "componentstatuses", "cs", namespaced=False, verbs=READ_ONLY),
    _row("ConfigMap", "configmaps", "cm"),
    _row("Endpoints", "endpoints", "ep"),
    _row("Event", "events", "ev"),
    _row("LimitRange", "limitranges", "limits"),
    _row(
        "Namespace", "namespaces", "ns", namespaced=False, status=True, verbs=NO_COLLECTION_DELETE,
        subresources=same("Namespace", "finalize", verbs=("update",)),
    ),
    _row(
        "Node", "nodes", "no", namespaced=False, status=True,
        subresources={"proxy": Subresource("NodeProxyOptions", PROXY)},
    ),
    _row("PersistentVolumeClaim", "persistentvolumeclaims", "pvc", status=True),
    _row("PersistentVolume", "persistentvolumes", "pv", namespaced=False, status=True),
    _row("Pod", "pods", "po", categories=_ALL, status=True, subresources=_POD_SUBRESOURCES),
    _row("PodTemplate", "podtemplates"),
    _row("ReplicationController", "replicationcontrollers", "rc", categories=_ALL, status=True, subresources=SCALE),
    _row("ResourceQuota", "resourcequotas", "quota", status=True),
    _row("Secret", "secrets"),
    _row("ServiceAccount", "serviceaccounts", "sa", subresources=_TOKEN),
    _row(
        "Service", "services", "svc", categories=_ALL, status=True,
        subresources={"proxy": Subresource("ServiceProxyOptions", PROXY)},
    ),
)  # fmt: skip
