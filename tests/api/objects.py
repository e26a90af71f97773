"""One object per stored kind that is as small as the API lets it be."""

from __future__ import annotations

import base64
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta.objects import Obj

_SELECTOR: Final = {"matchLabels": {"app": "web"}}
_POD: Final = {"containers": [{"name": "web", "image": "web:1"}]}
_TEMPLATE: Final = {"metadata": {"labels": {"app": "web"}}, "spec": _POD}
_ONCE: Final = {"metadata": {"labels": {"app": "web"}}, "spec": {**_POD, "restartPolicy": "Never"}}
_ROLE: Final = {"apiGroup": "rbac.authorization.k8s.io", "name": "reader"}
_CONSTRAINTS: Final = {
    "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
}
_WEBHOOK: Final = {
    "name": "hook.example.com",
    "clientConfig": {"url": "https://hook.example.com"},
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
}
_CLAIM: Final = {"devices": {"requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]}}
_CSR: Final = base64.b64encode(b"-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n")

CONTENT: Final[dict[str, Obj]] = {
    "configmaps": {"data": {"a": "1"}},
    "secrets": {"data": {"a": "MQ=="}},
    "serviceaccounts": {"automountServiceAccountToken": False},
    "nodes": {"spec": {"unschedulable": True}},
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.7"}], "ports": [{"port": 80}]}]},
    "endpointslices.discovery.k8s.io": {"addressType": "IPv4", "endpoints": []},
    "events": {"involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"}, "reason": "Seen"},
    "events.k8s.io/v1": {
        "regarding": {"kind": "Pod", "name": "web", "namespace": "default"}, "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/tests", "reportingInstance": "tests-1", "action": "Look",
        "reason": "Seen", "type": "Normal",
    },
    "limitranges": {"spec": {"limits": [{"type": "Pod", "max": {"cpu": "1"}}]}},
    "persistentvolumeclaims": {
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    },
    "persistentvolumes": {
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
    },
    "pods": {"spec": _POD},
    "podtemplates": {"template": _TEMPLATE},
    "replicationcontrollers": {"spec": {"replicas": 1, "selector": {"app": "web"}, "template": _TEMPLATE}},
    "resourcequotas": {"spec": {"hard": {"pods": "4"}}},
    "services": {"spec": {"ports": [{"port": 80}]}},
    "apiservices.apiregistration.k8s.io": {
        "spec": {"group": "example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100}
    },
    "controllerrevisions.apps": {"revision": 1, "data": {"spec": {}}},
    "daemonsets.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "deployments.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "replicasets.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "statefulsets.apps": {"spec": {"serviceName": "web", "selector": _SELECTOR, "template": _TEMPLATE}},
    "horizontalpodautoscalers.autoscaling": {
        "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    },
    "cronjobs.batch": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": _ONCE}}}},
    "jobs.batch": {"spec": {"template": _ONCE}},
    "certificatesigningrequests.certificates.k8s.io": {
        "spec": {"request": _CSR.decode(), "signerName": "example.com/tests", "usages": ["client auth"]}
    },
    "ingressclasses.networking.k8s.io": {"spec": {"controller": "example.com/ingress"}},
    "ingresses.networking.k8s.io": {
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
    },
    "ipaddresses.networking.k8s.io": {
        "spec": {"parentRef": {"group": "", "resource": "services", "namespace": "default", "name": "web"}}
    },
    "networkpolicies.networking.k8s.io": {"spec": {"podSelector": {}}},
    "servicecidrs.networking.k8s.io": {"spec": {"cidrs": ["10.0.0.0/24"]}},
    "poddisruptionbudgets.policy": {"spec": {"minAvailable": 1, "selector": _SELECTOR}},
    "clusterrolebindings.rbac.authorization.k8s.io": {"roleRef": {**_ROLE, "kind": "ClusterRole"}},
    "clusterroles.rbac.authorization.k8s.io": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "rolebindings.rbac.authorization.k8s.io": {"roleRef": {**_ROLE, "kind": "Role"}},
    "roles.rbac.authorization.k8s.io": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "csidrivers.storage.k8s.io": {"spec": {"attachRequired": False}},
    "csinodes.storage.k8s.io": {"spec": {"drivers": []}},
    "csistoragecapacities.storage.k8s.io": {"storageClassName": "fast"},
    "storageclasses.storage.k8s.io": {"provisioner": "example.com/disk"},
    "volumeattachments.storage.k8s.io": {
        "spec": {"attacher": "example.com", "nodeName": "node-1", "source": {"persistentVolumeName": "data"}}
    },
    "volumeattributesclasses.storage.k8s.io": {"driverName": "example.com", "parameters": {"iops": "5"}},
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {
            "matchConstraints": _CONSTRAINTS, "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
        }
    },
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": {"spec": {"policyName": "web"}},
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_WEBHOOK]},
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {"matchConstraints": _CONSTRAINTS, "validations": [{"expression": "true"}]}
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "spec": {"policyName": "web", "validationActions": ["Deny"]}
    },
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_WEBHOOK]},
    "customresourcedefinitions.apiextensions.k8s.io": {
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{
                "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        }
    },
    "priorityclasses.scheduling.k8s.io": {"value": 5},
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "tests", "leaseDurationSeconds": 15}},
    "runtimeclasses.node.k8s.io": {"handler": "runc"},
    "deviceclasses.resource.k8s.io": {"spec": {"selectors": [{"cel": {"expression": "true"}}]}},
    "resourceclaims.resource.k8s.io": {"spec": _CLAIM},
    "resourceclaimtemplates.resource.k8s.io": {"spec": {"spec": _CLAIM}},
    "resourceslices.resource.k8s.io": {
        "spec": {
            "driver": "example.com", "nodeName": "node-1",
            "pool": {"name": "pool", "generation": 1, "resourceSliceCount": 1},
        }
    },
    "flowschemas.flowcontrol.apiserver.k8s.io": {"spec": {"priorityLevelConfiguration": {"name": "exempt"}}},
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    },
}  # fmt: skip
"""What belongs beside apiVersion, kind and metadata; a kind that is not here needs nothing."""

_NAMES: Final = {
    "customresourcedefinitions": "widgets.example.com",
    "apiservices": "v1.example.com",
    "ipaddresses": "10.0.0.7",
}


def name_of(kind: Kind) -> str:
    return _NAMES.get(kind.plural, "tested")


def smallest(kind: Kind, **metadata: Any) -> Obj:
    """A fresh object of the kind, in namespace ``default`` where it lives in one."""
    content = CONTENT.get(f"{kind.resource}/{kind.version}") or CONTENT.get(kind.resource, {})
    if kind.api_version == "events.k8s.io/v1":
        content = CONTENT["events.k8s.io/v1"]
    meta = {"name": name_of(kind), **({"namespace": "default"} if kind.namespaced else {}), **metadata}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, **content}
