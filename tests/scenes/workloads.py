"""Manifests of the course's workloads and services, and what the scenes ask of them."""

from __future__ import annotations

from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

NEVER = {"no-such-node": "true"}
"""A nodeSelector that no node fits: pods of such a template stay Pending."""
DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"


def template(image: str = "web:v1", **labels: str) -> Obj:
    return {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": image}], "terminationGracePeriodSeconds": 0},
    }


def deployment(name: str = "web", replicas: int = 3, **spec: Any) -> Obj:
    told = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    return _workload("apps/v1", "Deployment", name, told | spec)


def replica_set(name: str = "web", replicas: int = 2, image: str = "web:v1", **labels: str) -> Obj:
    labels = labels or {"app": "web"}
    told = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template(image, **labels)}
    return _workload("apps/v1", "ReplicaSet", name, told)


def replication_controller(name: str = "web", replicas: int = 2) -> Obj:
    told = {"replicas": replicas, "selector": {"app": "web"}, "template": template()}
    return _workload("v1", "ReplicationController", name, told)


def service(name: str = "web", **selector: str) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "selector": selector or {"app": "web"},
            "ports": [{"port": 9000, "targetPort": 8080}],
        },
    }


def _workload(version: str, kind: str, name: str, spec: Obj) -> Obj:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def with_template(**pod: Any) -> Obj:
    """A patch of a workload's pods: ``image`` or a field of their spec."""
    image = pod.pop("image", None)
    spec = pod | ({"containers": [{"name": "main", "image": image}]} if image else {})
    return {"spec": {"template": {"spec": spec}}}


def image(obj: Obj) -> str:
    spec = objects.get(obj, "spec", "template", "spec") or obj["spec"]
    return str(spec["containers"][0]["image"])


def is_ready(replicas: int) -> Any:
    """Does a ReplicaSet or ReplicationController have so many pods, all ready and no others?"""
    return lambda obj: all((obj.get("status") or {}).get(f, 0) == replicas for f in ("replicas", "readyReplicas"))


def is_rolled_out(obj: Obj) -> bool:
    """As ``kubectl rollout status`` decides."""
    status, wanted = obj.get("status") or {}, obj["spec"]["replicas"]
    if status.get("observedGeneration", 0) < obj["metadata"]["generation"]:
        return False
    counts = (status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(count == wanted for count in counts)


def condition(type_: str, reason: str) -> Any:
    return lambda obj: (objects.condition(obj, type_) or {}).get("reason") == reason
