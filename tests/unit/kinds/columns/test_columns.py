"""The tables of ``kubectl get``: upstream's column names, and its words in the cells."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.table import builtin
from pybernetes.meta import times

KINDS = builtin()
NOW = times.parse("2026-01-31T10:00:00Z")
HOUR_AGO = "2026-01-31T09:00:00Z"
META = {"name": "x", "namespace": "n", "creationTimestamp": HOUR_AGO}


def row(resource: str, obj: Any, *, wide: bool = False) -> list[Any]:
    kind = KINDS.by_resource(resource)
    assert kind is not None
    return [c.value({"metadata": META, **obj}, NOW) for c in kind.columns if wide or c.priority == 0]


@pytest.mark.parametrize(
    ("resource", "header"),
    [
        ("pods", "NAME READY STATUS RESTARTS AGE"),
        ("services", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE"),
        ("nodes", "NAME STATUS ROLES AGE VERSION"),
        ("namespaces", "NAME STATUS AGE"),
        ("events", "LAST-SEEN TYPE REASON OBJECT MESSAGE"),
        ("configmaps", "NAME DATA AGE"),
        ("secrets", "NAME TYPE DATA AGE"),
        ("endpoints", "NAME ENDPOINTS AGE"),
        ("endpointslices.discovery.k8s.io", "NAME ADDRESSTYPE PORTS ENDPOINTS AGE"),
        ("deployments.apps", "NAME READY UP-TO-DATE AVAILABLE AGE"),
        ("replicasets.apps", "NAME DESIRED CURRENT READY AGE"),
        ("statefulsets.apps", "NAME READY AGE"),
        ("daemonsets.apps", "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE-SELECTOR AGE"),
        ("jobs.batch", "NAME STATUS COMPLETIONS DURATION AGE"),
        ("cronjobs.batch", "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST-SCHEDULE AGE"),
        ("ingresses.networking.k8s.io", "NAME CLASS HOSTS ADDRESS PORTS AGE"),
        ("horizontalpodautoscalers.autoscaling", "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE"),
        ("poddisruptionbudgets.policy", "NAME MIN-AVAILABLE MAX-UNAVAILABLE ALLOWED-DISRUPTIONS AGE"),
        ("persistentvolumes", "NAME CAPACITY ACCESS-MODES RECLAIM-POLICY STATUS CLAIM STORAGECLASS "
                              "VOLUMEATTRIBUTESCLASS REASON AGE"),
        ("persistentvolumeclaims", "NAME STATUS VOLUME CAPACITY ACCESS-MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE"),
        ("storageclasses.storage.k8s.io",
         "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE"),
        ("serviceaccounts", "NAME SECRETS AGE"),
        ("roles.rbac.authorization.k8s.io", "NAME CREATED-AT"),
        ("rolebindings.rbac.authorization.k8s.io", "NAME ROLE AGE"),
        ("leases.coordination.k8s.io", "NAME HOLDER AGE"),
        ("resourcequotas", "NAME REQUEST LIMIT AGE"),
        ("priorityclasses.scheduling.k8s.io", "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY"),
        ("customresourcedefinitions.apiextensions.k8s.io", "NAME CREATED-AT"),
    ],
)  # fmt: skip
def test_a_table_has_upstreams_columns(resource: str, header: str) -> None:
    kind = KINDS.by_resource(resource)
    assert kind is not None
    assert " ".join(c.name.upper().replace(" ", "-") for c in kind.columns if c.priority == 0) == header


POD_TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "j"}]}}
SELECTOR = {"matchLabels": {"app": "web"}}


def service(**spec: Any) -> Any:
    return {"spec": {"type": "ClusterIP", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80}], **spec}}


def condition(kind: str, status: str = "True", **more: Any) -> Any:
    return {"status": {"conditions": [{"type": kind, "status": status}], **more}}


CASES: dict[str, tuple[str, Any, list[Any]]] = {
    "a service": ("services", service(), ["x", "ClusterIP", "10.96.0.1", "<none>", "80/TCP", "60m"]),
    "a headless service": (
        "services", service(clusterIPs=["None"], ports=[]), ["x", "ClusterIP", "None", "<none>", "<none>", "60m"],
    ),
    "a service on node ports": (
        "services", service(type="NodePort", ports=[{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]),
        ["x", "NodePort", "10.96.0.1", "<none>", "80:30080/TCP,53/UDP", "60m"],
    ),
    "a load balancer without address": (
        "services", service(type="LoadBalancer"),
        ["x", "LoadBalancer", "10.96.0.1", "<pending>", "80/TCP", "60m"],
    ),
    "a name elsewhere": (
        "services", {"spec": {"type": "ExternalName", "externalName": "a.b"}},
        ["x", "ExternalName", "<none>", "a.b", "<none>", "60m"],
    ),
    "endpoints": (
        "endpoints",
        {"subsets": [{"addresses": [{"ip": f"10.0.0.{n}"} for n in range(4)], "ports": [{"port": 80}]}]},
        ["x", "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 1 more...", "60m"],
    ),
    "no endpoints": ("endpoints", {}, ["x", "<none>", "60m"]),
    "a ready node": (
        "nodes",
        {"metadata": {**META, "labels": {"node-role.kubernetes.io/control-plane": ""}},
         "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1"}}},
        ["x", "Ready", "control-plane", "60m", "v1"],
    ),
    "a cordoned node that is away": (
        "nodes", {**condition("Ready", "Unknown"), "spec": {"unschedulable": True}},
        ["x", "NotReady,SchedulingDisabled", "<none>", "60m", ""],
    ),
    "a node that said nothing": ("nodes", {}, ["x", "Unknown", "<none>", "60m", ""]),
    "a deployment": (
        "deployments.apps",
        {"spec": {"replicas": 3}, "status": {"readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1}},
        ["x", "2/3", 3, 1, "60m"],
    ),
    "a job that runs": (
        "jobs.batch", {"spec": {"completions": 2}, "status": {"startTime": HOUR_AGO}},
        ["x", "Running", "0/2", "60m", "60m"],
    ),
    "a job that is complete": (
        "jobs.batch",
        {"spec": {"completions": 1},
         "status": {"succeeded": 1, "startTime": HOUR_AGO, "completionTime": "2026-01-31T09:00:05Z",
                    "conditions": [{"type": "Complete", "status": "True"}]}},
        ["x", "Complete", "1/1", "5s", "60m"],
    ),
    "a job of many workers": (
        "jobs.batch", {"spec": {"parallelism": 3}, **condition("Failed")}, ["x", "Failed", "0/1 of 3", "", "60m"],
    ),
    "a suspended job": ("jobs.batch", condition("Suspended"), ["x", "Suspended", "0/1", "", "60m"]),
    "a cron job": (
        "cronjobs.batch",
        {"spec": {"schedule": "@hourly", "suspend": False}, "status": {"active": [{}], "lastScheduleTime": HOUR_AGO}},
        ["x", "@hourly", "<none>", "False", 1, "60m", "60m"],
    ),
    "a volume": (
        "persistentvolumes",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
                  "claimRef": {"namespace": "n", "name": "c"}, "persistentVolumeReclaimPolicy": "Retain",
                  "storageClassName": "fast"},
         "status": {"phase": "Bound"}},
        ["x", "1Gi", "RWO,RWX", "Retain", "Bound", "n/c", "fast", "<unset>", "", "60m"],
    ),
    "a claim that waits": (
        "persistentvolumeclaims", {"spec": {}, "status": {"phase": "Pending"}},
        ["x", "Pending", "", "", "", "", "<unset>", "60m"],
    ),
    "a repeated event": (
        "events",
        {"firstTimestamp": HOUR_AGO, "lastTimestamp": "2026-01-31T09:58:00Z", "count": 4, "type": "Warning",
         "reason": "BackOff", "message": " m\n", "involvedObject": {"kind": "Pod", "name": "p"}},
        ["2m (x4 over 60m)", "Warning", "BackOff", "pod/p", "m"],
    ),
    "an autoscaler": (
        "horizontalpodautoscalers.autoscaling",
        {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "minReplicas": 1, "maxReplicas": 5,
                  "metrics": [{"type": "Resource", "resource": {
                      "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]},
         "status": {"currentReplicas": 2}},
        ["x", "Deployment/d", "cpu: <unknown>/80%", 1, 5, 2, "60m"],
    ),
    "a budget": (
        "poddisruptionbudgets.policy", {"spec": {"minAvailable": "50%"}, "status": {"disruptionsAllowed": 1}},
        ["x", "50%", "N/A", 1, "60m"],
    ),
    "a quota": (
        "resourcequotas",
        {"status": {"hard": {"pods": "5", "limits.cpu": "2"}, "used": {"pods": "1", "limits.cpu": "500m"}}},
        ["x", "pods: 1/5", "limits.cpu: 500m/2", "60m"],
    ),
    "an ingress": (
        "ingresses.networking.k8s.io",
        {"spec": {"rules": [{"host": "a.b"}], "tls": [{}]},
         "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}},
        ["x", "<none>", "a.b", "1.2.3.4", "80, 443", "60m"],
    ),
    "an ingress for all hosts": (
        "ingresses.networking.k8s.io", {"spec": {}}, ["x", "<none>", "*", "", "80", "60m"],
    ),
    "a default storage class": (
        "storageclasses.storage.k8s.io",
        {"metadata": {**META, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
         "provisioner": "p", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer"},
        ["x (default)", "p", "Delete", "WaitForFirstConsumer", False, "60m"],
    ),
    "an approved certificate": (
        "certificatesigningrequests.certificates.k8s.io",
        {"spec": {"signerName": "s", "username": "u", "expirationSeconds": 3600},
         **condition("Approved", certificate="x")},
        ["x", "60m", "s", "u", "60m", "Approved,Issued"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "obj", "cells"), CASES.values(), ids=CASES.keys())
def test_the_cells_of_an_object(resource: str, obj: Any, cells: list[Any]) -> None:
    assert row(resource, obj) == cells


def test_wide_tables_tell_containers_images_and_selectors() -> None:
    obj = {"spec": {"replicas": 1, "template": POD_TEMPLATE, "selector": SELECTOR}}
    assert row("deployments.apps", obj, wide=True)[-3:] == ["a,b", "i,j", "app=web"]
    assert row("services", service(selector={"b": "2", "a": "1"}), wide=True)[-1] == "a=1,b=2"


def test_every_kind_has_a_name_first_or_only_when_wide() -> None:
    for kind in KINDS:
        assert not kind.columns or "Name" in {column.name for column in kind.columns}
