"""Small builders of objects and a snapshot of plain dicts, for tests of plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.control.controller import Key
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.testing.objects import Objects

NOW = 1_700_000_000.0


class Snapshot(Objects):
    """The caches: ``Snapshot(pods=[…], **{"replicasets.apps": […]})``."""

    def __init__(self, **lists: Sequence[Obj]) -> None:
        super().__init__()
        for resource, found in lists.items():
            for obj in found:
                self.put(resource, obj)


def key(name: str = "web", namespace: str = "default") -> Key:
    return Key(namespace, name)


def metadata(name: str, **more: Any) -> Obj:
    return {"name": name, "namespace": "default", "uid": f"uid-{name}", "creationTimestamp": ago(60), **more}


def ago(seconds: float) -> str:
    return times.render(NOW - seconds)


def template(**labels: str) -> Obj:
    labels = labels or {"app": "web"}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}


def replica_set(name: str = "web", replicas: int = 3, *, status: Obj | None = None, **spec: Any) -> Obj:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": metadata(name, generation=1),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
            **spec,
        },
        "status": status or {"replicas": 0},
    }


def deployment(name: str = "web", replicas: int = 3, *, status: Obj | None = None, **spec: Any) -> Obj:
    """A Deployment as the server stores it, with surge and unavailability of 25%."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(name, generation=1),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template(),
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
            **spec,
        },
        "status": status or {},
    }


def service(name: str = "web", **spec: Any) -> Obj:
    """A Service whose port 80 leads to 8080; a field of ``spec`` that is None is left out."""
    made: Obj = {
        "selector": {"app": "web"},
        "clusterIP": "10.96.0.7",
        "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}],
        **spec,
    }
    told = {field: value for field, value in made.items() if value is not None}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(name), "spec": told}


def pod(name: str, owner: Obj | None = None, *, ready: float | None = None, phase: str = "Running", **more: Any) -> Obj:
    """A pod, ready since ``ready`` seconds when given, that ``owner`` controls."""
    made: Obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(name, labels={"app": "web"}),
        "spec": {"nodeName": "n1"},
        "status": {"phase": phase},
    }
    if owner is not None:
        made["metadata"]["ownerReferences"] = [objects.owner_reference(owner)]
    if ready is not None:
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": ago(ready)}
        made["status"]["conditions"] = [condition]
    for path, value in more.items():
        made = objects.evolve(made, path.split("__"), value)
    return made
