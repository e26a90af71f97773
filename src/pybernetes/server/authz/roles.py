"""The rights of users and of the cluster's own parts, as rows: name → rules.

Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, for the resources that are served here.
Neighbours: ``bootstrap.py`` makes objects of these rows and binds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from pybernetes.meta.objects import Obj

Rules: TypeAlias = tuple[Obj, ...]

READ: Final = "get list watch"
WRITE: Final = "create delete deletecollection patch update"
EVERY: Final = f"{READ} {WRITE}"
AUTHENTICATION, AUTHORIZATION, CERTIFICATES, COORDINATION, DISCOVERY, EVENTS, NETWORKING, RBAC, RESOURCE, STORAGE = (
    f"{group}.k8s.io"
    for group in (
        "authentication", "authorization", "certificates", "coordination", "discovery", "events", "networking",
        "rbac.authorization", "resource", "storage",
    )
)  # fmt: skip


def on(group: str, resources: str, verbs: str, names: str = "") -> Obj:
    """A rule about resources; words are separated by blanks."""
    rule: Obj = {"verbs": sorted(verbs.split()), "apiGroups": [group], "resources": resources.split()}
    if names:
        rule["resourceNames"] = names.split()
    return rule


def at(paths: str, verbs: str = "get") -> Obj:
    """A rule about paths that are no resources."""
    return {"verbs": verbs.split(), "nonResourceURLs": paths.split()}


_EVENTS: Final = (on("", "events", "create patch update"), on(EVENTS, "events", "create patch update"))
_DELEGATION: Final = (
    on(AUTHENTICATION, "tokenreviews", "create"),
    on(AUTHORIZATION, "subjectaccessreviews", "create"),
)

# ── people: what aggregates into admin, edit and view ────────────────────────────────────────────────────

ADMIN: Final[Rules] = (
    on(AUTHORIZATION, "localsubjectaccessreviews", "create"),
    on(RBAC, "roles rolebindings", EVERY),
)
EDIT: Final[Rules] = (
    on("", "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy", READ),
    on("", "serviceaccounts", "impersonate"),
    on("", "pods pods/attach pods/proxy pods/exec pods/portforward", WRITE),
    on("", "pods/eviction", "create"),
    on(
        "",
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy"
        " persistentvolumeclaims configmaps secrets events",
        WRITE,
    ),
    on("", "serviceaccounts/token", "create"),
    on(
        "apps",
        "statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback"
        " replicasets replicasets/scale",
        WRITE,
    ),
    on("autoscaling", "horizontalpodautoscalers", WRITE),
    on("batch", "jobs cronjobs", WRITE),
    on("policy", "poddisruptionbudgets", WRITE),
    on(NETWORKING, "networkpolicies ingresses", WRITE),
    on(COORDINATION, "leases", EVERY),
    on(RESOURCE, "resourceclaims resourceclaimtemplates", WRITE),
)
VIEW: Final[Rules] = (
    on(
        "",
        "pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"
        " endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps",
        READ,
    ),
    on(
        "",
        "limitranges resourcequotas bindings events pods/status resourcequotas/status namespaces/status"
        " replicationcontrollers/status pods/log",
        READ,
    ),
    on("", "namespaces", READ),
    on(DISCOVERY, "endpointslices", READ),
    on(
        "apps",
        "controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status"
        " deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale",
        READ,
    ),
    on("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", READ),
    on("batch", "jobs cronjobs cronjobs/status jobs/status", READ),
    on("policy", "poddisruptionbudgets poddisruptionbudgets/status", READ),
    on(NETWORKING, "networkpolicies ingresses ingresses/status", READ),
    on(RESOURCE, "resourceclaims resourceclaims/status resourceclaimtemplates", READ),
)

# ── everybody, and those who watch over the cluster ──────────────────────────────────────────────────────

CLUSTER: Final[Mapping[str, Rules]] = {
    "cluster-admin": (on("*", "*", "*"), at("*", "*")),
    "system:discovery": (
        at("/livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*"),
    ),
    "system:public-info-viewer": (at("/livez /readyz /healthz /version /version/"),),
    "system:basic-user": (
        on(AUTHORIZATION, "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        on(AUTHENTICATION, "selfsubjectreviews", "create"),
    ),
    "system:monitoring": (at("/metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*"),),
    "system:auth-delegator": _DELEGATION,
    "system:kubelet-api-admin": (
        on("", "nodes", f"{READ} proxy"),
        on("", "nodes/proxy nodes/log nodes/stats nodes/metrics nodes/configz nodes/healthz nodes/pods", "*"),
    ),
    "system:service-account-issuer-discovery": (at("/.well-known/openid-configuration /openid/v1/jwks"),),
}

# ── the cluster's own parts ──────────────────────────────────────────────────────────────────────────────

PARTS: Final[Mapping[str, Rules]] = {
    "system:kube-controller-manager": (
        *_EVENTS,
        on(COORDINATION, "leases", "create"),
        on(COORDINATION, "leases", "get update", "kube-controller-manager"),
        on("", "secrets serviceaccounts", "create get update"),
        on("", "secrets", "delete"),
        on("", "namespaces configmaps", "get"),
        on("", "serviceaccounts/token", "create"),
        *_DELEGATION,
        on("*", "*", "list watch"),
    ),
    "system:kube-scheduler": (
        *_EVENTS,
        on(COORDINATION, "leases", "create"),
        on(COORDINATION, "leases", "get update", "kube-scheduler"),
        on("", "nodes namespaces", READ),
        on("", "pods", f"{READ} delete"),
        on("", "bindings pods/binding", "create"),
        on("", "pods/status", "patch update"),
        on("", "replicationcontrollers services", READ),
        on("apps", "replicasets statefulsets", READ),
        on("policy", "poddisruptionbudgets", READ),
        on("", "persistentvolumeclaims persistentvolumes", f"{READ} patch update"),
        on(STORAGE, "csinodes csidrivers csistoragecapacities storageclasses volumeattachments", READ),
        on(RESOURCE, "deviceclasses resourceslices", READ),
        on(RESOURCE, "resourceclaims", f"{READ} patch update"),
        on(RESOURCE, "resourceclaims/status", "patch update"),
        *_DELEGATION,
    ),
    "system:volume-scheduler": (
        on("", "persistentvolumes", f"{READ} patch update"),
        on(STORAGE, "storageclasses", READ),
        on("", "persistentvolumeclaims", f"{READ} patch update"),
    ),
    "system:kube-dns": (
        on("", "endpoints services pods namespaces", "list watch"),
        on("", "nodes", "get"),
        on(DISCOVERY, "endpointslices", "list watch"),
    ),
    "system:persistent-volume-provisioner": (
        on("", "persistentvolumes", f"{READ} create delete"),
        on("", "persistentvolumeclaims", f"{READ} update"),
        on(STORAGE, "storageclasses", READ),
        on("", "events", "watch create update patch"),
    ),
    "system:kube-aggregator": (on("", "services endpoints", READ), on(DISCOVERY, "endpointslices", READ)),
}

# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────

NODES: Final[Mapping[str, Rules]] = {
    "system:node": (
        *_DELEGATION,
        on(AUTHORIZATION, "localsubjectaccessreviews", "create"),
        on("", "services", READ),
        on("", "nodes", f"{READ} create patch update"),
        on("", "nodes/status", "patch update"),
        *_EVENTS,
        on("", "pods", f"{READ} create delete"),
        on("", "pods/status", "patch update"),
        on("", "pods/eviction serviceaccounts/token", "create"),
        on("", "configmaps secrets", READ),
        on("", "persistentvolumeclaims persistentvolumes endpoints", "get"),
        on("", "persistentvolumeclaims/status", "get patch update"),
        on(CERTIFICATES, "certificatesigningrequests", f"{READ} create"),
        on(COORDINATION, "leases", "create delete get patch update"),
        on(STORAGE, "volumeattachments", "get"),
        on(STORAGE, "csidrivers", READ),
        on(STORAGE, "csinodes", "create delete get patch update"),
        on("node.k8s.io", "runtimeclasses", READ),
        on(RESOURCE, "resourceclaims", "get"),
        on(RESOURCE, "resourceslices", "create delete deletecollection get list patch update watch"),
    ),
    "system:node-proxier": (
        on("", "services endpoints", "list watch"),
        on("", "nodes", READ),
        *_EVENTS,
        on(NETWORKING, "servicecidrs", "list watch"),
        on(DISCOVERY, "endpointslices", "list watch"),
    ),
    "system:node-bootstrapper": (on(CERTIFICATES, "certificatesigningrequests", f"{READ} create"),),
    "system:node-problem-detector": (on("", "nodes", "get"), on("", "nodes/status", "patch"), *_EVENTS),
    # Ours: each node's agent keeps the data of local volumes, and stands beside CSI drivers as their sidecars do.
    "pybernetes:node-volumes": (
        on("", "persistentvolumes", f"{READ} create delete patch update"),
        on("", "persistentvolumes/status persistentvolumeclaims/status", "get patch update"),
        on("", "persistentvolumeclaims", f"{READ} patch update"),
        on(STORAGE, "storageclasses csinodes csidrivers volumeattachments", READ),
        on(STORAGE, "volumeattachments volumeattachments/status", "patch update"),
    ),
    # Ours: each node's agent holds its pods to the policies.
    "pybernetes:node-policies": (
        on(NETWORKING, "networkpolicies", READ),
        on("", "namespaces pods", "list watch"),
    ),
    # Ours: each node's agent answers DNS and writes the slice by which it joins the kube-dns Service.
    "pybernetes:dns-endpoints": (
        on(DISCOVERY, "endpointslices", f"{READ} create delete patch update"),
        on("", "configmaps", READ, "kube-dns"),
    ),
}
_CERTIFICATES: Final = "system:certificates.k8s.io:"
APPROVERS: Final[Mapping[str, Rules]] = {
    f"{_CERTIFICATES}certificatesigningrequests:nodeclient": (
        on(CERTIFICATES, "certificatesigningrequests/nodeclient", "create"),
    ),
    f"{_CERTIFICATES}certificatesigningrequests:selfnodeclient": (
        on(CERTIFICATES, "certificatesigningrequests/selfnodeclient", "create"),
    ),
    **{
        f"{_CERTIFICATES}{short}-approver": (on(CERTIFICATES, "signers", "approve", f"kubernetes.io/{signer}"),)
        for short, signer in (
            ("legacy-unknown", "legacy-unknown"),
            ("kubelet-serving", "kubelet-serving"),
            ("kube-apiserver-client", "kube-apiserver-client"),
            ("kube-apiserver-client-kubelet", "kube-apiserver-client-kubelet"),
        )
    },
}
