"""The core group's rows (``/api/v1``)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import cluster, network, pods, volumes, workloads
from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.kinds.row import CONNECT, CREATE_ONLY, NO_COLLECTION_DELETE, PROXY, READ_ONLY, SCALE, maker, same
from pybernetes.kinds.strategy import (
    configuration,
    endpoints,
    event,
    namespace,
    node,
    persistentvolume,
    persistentvolumeclaim,
    pod,
    podtemplate,
    quota,
    replicaset,
    service,
)

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
    _row(
        "ComponentStatus",
        "componentstatuses",
        "cs",
        namespaced=False,
        verbs=READ_ONLY,
        columns=cluster.COMPONENT_STATUSES,
    ),
    _row(
        "ConfigMap",
        "configmaps",
        "cm",
        strategy=configuration.CONFIG_MAP,
        columns=cluster.CONFIG_MAPS,
    ),
    _row(
        "Endpoints",
        "endpoints",
        "ep",
        strategy=endpoints.ENDPOINTS,
        columns=network.ENDPOINTS,
    ),
    _row(
        "Event",
        "events",
        "ev",
        strategy=event.STRATEGY,
        columns=cluster.EVENTS,
        fields=fields.EVENTS,
    ),
    _row(
        "LimitRange",
        "limitranges",
        "limits",
        strategy=quota.LIMITS,
        columns=cluster.LIMIT_RANGES,
    ),
    _row(
        "Namespace",
        "namespaces",
        "ns",
        namespaced=False,
        status=True,
        verbs=NO_COLLECTION_DELETE,
        subresources=same("Namespace", "finalize", verbs=("update",)),
        strategy=namespace.STRATEGY,
        columns=cluster.NAMESPACES,
        fields=fields.NAMESPACES,
    ),
    _row(
        "Node",
        "nodes",
        "no",
        namespaced=False,
        status=True,
        subresources={"proxy": Subresource("NodeProxyOptions", PROXY)},
        strategy=node.STRATEGY,
        columns=cluster.NODES,
        fields=fields.NODES,
    ),
    _row(
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        "pvc",
        status=True,
        strategy=persistentvolumeclaim.STRATEGY,
        columns=volumes.PERSISTENT_VOLUME_CLAIMS,
    ),
    _row(
        "PersistentVolume",
        "persistentvolumes",
        "pv",
        namespaced=False,
        status=True,
        strategy=persistentvolume.STRATEGY,
        columns=volumes.PERSISTENT_VOLUMES,
    ),
    _row(
        "Pod",
        "pods",
        "po",
        categories=_ALL,
        status=True,
        subresources=_POD_SUBRESOURCES,
        strategy=pod.STRATEGY,
        columns=pods.PODS,
        fields=fields.PODS,
    ),
    _row(
        "PodTemplate",
        "podtemplates",
        strategy=podtemplate.STRATEGY,
        columns=pods.POD_TEMPLATES,
    ),
    _row(
        "ReplicationController",
        "replicationcontrollers",
        "rc",
        categories=_ALL,
        status=True,
        subresources=SCALE,
        strategy=replicaset.CONTROLLER,
        columns=workloads.REPLICATION_CONTROLLERS,
        fields=fields.REPLICAS,
    ),
    _row(
        "ResourceQuota",
        "resourcequotas",
        "quota",
        status=True,
        strategy=quota.QUOTA,
        columns=cluster.RESOURCE_QUOTAS,
    ),
    _row(
        "Secret",
        "secrets",
        strategy=configuration.SECRET,
        columns=cluster.SECRETS,
        fields=fields.SECRETS,
    ),
    _row(
        "ServiceAccount",
        "serviceaccounts",
        "sa",
        subresources=_TOKEN,
        columns=cluster.SERVICE_ACCOUNTS,
    ),
    _row(
        "Service",
        "services",
        "svc",
        categories=_ALL,
        status=True,
        subresources={"proxy": Subresource("ServiceProxyOptions", PROXY)},
        strategy=service.STRATEGY,
        columns=network.SERVICES,
        fields=fields.SERVICES,
    ),
)
