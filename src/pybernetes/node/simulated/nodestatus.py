"""The objects of a simulated node: its Node, as a kubelet would register it, and its Lease. Pure.

Rule: a simulated node says so in the label ``pybernetes.io/simulated``; its address is the first of its pod network.
Neighbours: ``nodes.py`` registers them, ``leases.py`` renews.
"""

from __future__ import annotations

import platform
from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import extended

LABEL: Final = "pybernetes.io/simulated"
LEASE_NAMESPACE: Final = "kube-node-lease"
LEASE_SECONDS: Final = 40
CAPACITY: Final = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
VERSION: Final = "v1.36.0"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node(name: str, address: str, pod_cidr: str, machine_id: str, now: float) -> Obj:
    """``machine_id`` is a UUID of its own."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    labels = {
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": architecture, LABEL: "true",
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
        "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr]},
        "status": completed({"metadata": {"name": name}}, address, machine_id, now),
    }


def completed(found: Obj, address: str, machine_id: str, now: float) -> Obj:
    """The status of a healthy node: what the node says of itself already, and what is missing of it."""
    status: Obj = found.get("status") or {}
    capacity = status.get("capacity") or dict(CAPACITY)
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    info = {key: value for key, value in (status.get("nodeInfo") or {}).items() if value}
    return {
        "capacity": capacity,
        "allocatable": {**(status.get("allocatable") or capacity), **extended.allocatable(found)},
        "addresses": status.get("addresses")
        or [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": objects.name(found)}],
        "conditions": conditions(found, now),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": _node_info(architecture, machine_id) | info,
    }


def _node_info(architecture: str, machine_id: str) -> Obj:
    return {
        "architecture": architecture, "operatingSystem": "linux", "osImage": "simulated",
        "kernelVersion": platform.release(), "kubeletVersion": VERSION, "kubeProxyVersion": VERSION,
        "containerRuntimeVersion": "simulated://1", "bootID": machine_id, "systemUUID": machine_id,
        "machineID": machine_id.replace("-", ""),
    }  # fmt: skip


def conditions(found: Obj | None, now: float) -> list[Obj]:
    """A healthy node's conditions; others' and the times of what has not changed are kept from ``found``, the node."""
    before = {c.get("type"): c for c in objects.get(found, "status", "conditions", default=[])}
    at = times.render(now)
    ours: list[Obj] = []
    for kind, status, reason, message in _CONDITIONS:
        old = before.pop(kind, {})
        since = old.get("lastTransitionTime") if old.get("status") == status else at
        ours.append({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": at, "lastTransitionTime": since or at,
        })  # fmt: skip
    return [*ours, *before.values()]


def is_healthy(found: Obj) -> bool:
    """Does the node say of itself what a healthy one says?"""
    return all(objects.condition_is(found, kind, status) for kind, status, _, _ in _CONDITIONS)


def is_right(found: Obj) -> bool:
    """Has the node nothing to say?"""
    return is_healthy(found) and extended.is_told(found)


def is_simulated(found: Obj) -> bool:
    return objects.labels(found).get(LABEL) == "true"


def lease(found: Obj, now: float) -> Obj:
    """The lease of a Node object."""
    name = objects.name(found)
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": objects.uid(found)}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": times.render_micro(now),
        },
    }
