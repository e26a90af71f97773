"""What every cluster holds before anybody asks: rows of objects, created where they are missing.

Namespaces, system priority classes, the ``kubernetes`` Service with the endpoints that lead to this API server,
and the ``kube-dns`` Service at the conventional address. RBAC's rows are ``server/authz/bootstrap.py``'s.
Objects that a user may change are created once and then left alone; those that must be true are put right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.client.client import Client
from pybernetes.cluster.config import CLUSTER_DNS, KUBERNETES_SERVICE
from pybernetes.meta import errors, objects, volumes
from pybernetes.meta.objects import Obj

AUTO_UPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")


def namespaces() -> list[Obj]:
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in NAMESPACES]


def priority_classes() -> list[Obj]:
    """pkg/apis/scheduling/v1/helpers.go: the two classes that system pods name."""
    rows = (
        (
            "system-cluster-critical",
            2000000000,
            "must run in the cluster, but can be moved to another node if necessary.",
        ),
        ("system-node-critical", 2000001000, "must not be moved from their current node."),
    )
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": value,
            "description": f"Used for system critical pods that {what}",
            "preemptionPolicy": "PreemptLowerPriority",
        }
        for name, value, what in rows
    ]


def storage_class() -> Obj:
    """The class of claims that name none: volumes on the node of the first pod that uses them."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "standard", "annotations": {volumes.DEFAULT_CLASS: "true"}},
        "provisioner": volumes.LOCAL_PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }


def kubernetes_service() -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": KUBERNETES_SERVICE,
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    }


def kubernetes_endpoints(servers: Sequence[tuple[str, int]]) -> list[tuple[str, Obj]]:
    """(resource, object): the old and the new form of where the API servers (address, port) listen. A slice has one
    set of ports, so the first port's is named as the Service and each other one's with its port."""
    ports = sorted({port for _, port in servers})
    by_port = [(port, [address for address, its in servers if its == port]) for port in ports]
    metadata = {"name": "kubernetes", "namespace": "default"}
    endpoints: Obj = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {**metadata, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": a} for a in there], "ports": [_https(port)]} for port, there in by_port],
    }
    slices: list[tuple[str, Obj]] = [
        (
            "endpointslices.discovery.k8s.io",
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    **metadata,
                    "name": "kubernetes" if port == ports[0] else f"kubernetes-{port}",
                    "labels": {"kubernetes.io/service-name": "kubernetes"},
                },
                "addressType": "IPv4",
                "endpoints": [{"addresses": [address], "conditions": {"ready": True}} for address in there],
                "ports": [_https(port)],
            },
        )
        for port, there in by_port
    ]
    return [("endpoints", endpoints), *slices]


def _https(port: int) -> Obj:
    return {"name": "https", "port": port, "protocol": "TCP"}


def dns_service() -> Obj:
    """Without a selector: each node's agent answers DNS and registers itself in an EndpointSlice of its own.

    Traffic stays on the node, so a node that is gone takes no other node's questions with it.
    """
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": CLUSTER_DNS,
            "internalTrafficPolicy": "Local",
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP"},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                {"name": "metrics", "port": 9153, "protocol": "TCP"},
            ],
        },
    }


def dns_endpoints(node: str, address: str, port: int, metrics_port: int) -> Obj:
    """The slice by which one node's DNS server joins the ``kube-dns`` Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"kube-dns-{node}",
            "namespace": "kube-system",
            "labels": {
                "kubernetes.io/service-name": "kube-dns",
                "endpointslice.kubernetes.io/managed-by": "pybernetes-agent",
            },
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "nodeName": node, "conditions": {"ready": True}}],
        "ports": [
            {"name": "dns", "port": port, "protocol": "UDP"},
            {"name": "dns-tcp", "port": port, "protocol": "TCP"},
            {"name": "metrics", "port": metrics_port, "protocol": "TCP"},
        ],
    }


async def ensure(client: Client, address: str, port: int, more: Iterable[tuple[str, Obj]]) -> None:
    """Create what is missing, in an order in which each object finds what it needs; those that need nothing of each
    other go together, so that they become durable together.

    ``address`` and ``port`` are where pods reach this API server; an empty address means nowhere.
    ``more``: (resource, object) of other parts, in an order in which they can be created.
    """
    for obj in namespaces():
        await create_missing(client, "namespaces", obj)
    rows = [("priorityclasses.scheduling.k8s.io", obj) for obj in priority_classes()]
    rows += [(volumes.CLASSES, storage_class())]
    rows += [("services", kubernetes_service()), ("services", dns_service()), *more]
    await create_all(client, rows)
    for resource, obj in kubernetes_endpoints([(address, port)]) if address else ():
        await put_right(client, resource, obj)


async def create_all(client: Client, rows: Iterable[tuple[str, Obj]]) -> None:
    """``create_missing`` for all at once."""
    await asyncio.gather(*(create_missing(client, resource, obj) for resource, obj in rows))


async def create_missing(client: Client, resource: str, obj: Obj) -> None:
    """Create ``obj`` unless there is one of its name; a default of RBAC is given what it lacks."""
    old = await client.find(resource, objects.name(obj), objects.namespace(obj))
    if old is not None:
        if (whole := completed(old, obj)) is not old:
            await client.update(resource, whole)
        return
    try:
        await client.create(resource, obj)
    except errors.AlreadyExists:
        return


def completed(old: Obj, wanted: Obj) -> Obj:
    """A default role or binding with what a later release adds to it; ``old`` itself where it lacks nothing, and where
    its owner wants no updates (auto-reconciliation, as RBAC's documentation describes it). What a user added stays."""
    if objects.annotations(old).get(AUTO_UPDATE) != "true":
        return old
    whole = old
    for part in ("rules", "subjects"):
        present = old.get(part) or []
        if lacking := [entry for entry in wanted.get(part) or () if entry not in present]:
            whole = {**whole, part: [*present, *lacking]}
    return whole


async def put_right(client: Client, resource: str, obj: Obj) -> None:
    """Create ``obj``, or bring what is there to its content."""
    old = await client.find(resource, objects.name(obj), objects.namespace(obj))
    if old is None:
        await client.create(resource, obj)
        return
    wanted = {k: v for k, v in obj.items() if k != "metadata"}
    if any(old.get(k) != v for k, v in wanted.items()):
        await client.update(resource, {**old, **wanted})
