"""The cluster's own ingress controller: the objects by which it is known, and its part of a node's process.

Rule 1: it is there when it is wanted (``--ingress``) and HAProxy is installed; without it Ingresses are objects only.
Rule 2: it acts under ingress-nginx's own account and may do what that account's role says: a node's account may not
read the certificates of everybody.
Rule 3: each node has an entrance of its own and sends what comes to its node ports there: a node that is gone takes no
other node's traffic with it, and pods are told the client's own address.
Neighbours: ``network/ingress`` does the work; ``control_plane.py`` and ``node_process.py`` call here.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from pybernetes.client import http
from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap, gatewayapi, host, nodes, pki
from pybernetes.cluster.config import Config, NodePaths
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta.objects import Obj
from pybernetes.network.ingress.gatewayreporter import GatewayReporter
from pybernetes.network.ingress.gatewaystatus import GROUP
from pybernetes.network.ingress.haproxy import HAProxy
from pybernetes.network.ingress.loop import Ingresses
from pybernetes.network.ingress.render import HTTP_PORT, HTTPS_PORT, Entrance
from pybernetes.network.ingress.reporter import Reporter
from pybernetes.network.ingress.routing import CLASS, CONTROLLER
from pybernetes.network.ingress.status import COMPONENT, NAMESPACE, SERVICE

PROGRAM: Final = "haproxy"
ACCOUNT: Final = "ingress-nginx"
SLICES: Final = "endpointslices.discovery.k8s.io"
_RBAC: Final = "rbac.authorization.k8s.io"
CLIENT: Final = pki.Leaf(
    "ingress", f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}",
    ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}"),
)  # fmt: skip
DEFAULT_CERTIFICATE: Final = pki.Leaf(
    "ingress-default", "Kubernetes Ingress Controller Fake Certificate", ("Acme Co",), ("ingress.local",),
    server=True, client=False,
)  # fmt: skip
_LABELS: Final = {
    "app.kubernetes.io/component": "controller",
    "app.kubernetes.io/instance": "ingress-nginx",
    "app.kubernetes.io/name": "ingress-nginx",
    "app.kubernetes.io/part-of": "ingress-nginx",
}


def is_on(config: Config) -> bool:
    return config.ingress and config.nodes > 0 and host.find_tool(PROGRAM) is not None


def remedy(config: Config) -> str:
    """One line for whoever wants an entrance and has none; empty where all is well."""
    if is_on(config) or not (config.ingress and config.nodes):
        return ""
    return "Ingresses lead nowhere without HAProxy: apt-get install haproxy (--no-ingress says that none is wanted)"


# ── objects ──────────────────────────────────────────────────────────────────────────────────────────────


async def furnish(client: Client) -> None:
    """Create what is missing of the controller's namespace, account, role, Service and class."""
    await bootstrap.create_missing(client, "namespaces", _made("v1", "Namespace", NAMESPACE, ""))
    rows = [*_objects(), *gatewayapi.definitions()]
    await asyncio.gather(*(bootstrap.create_missing(client, resource, obj) for resource, obj in rows))
    role = _made(f"{_RBAC}/v1", "ClusterRole", ACCOUNT, "") | {"rules": rules()}
    await bootstrap.put_right(client, f"clusterroles.{_RBAC}", role)
    await gatewayapi.create_class(client)


def _objects() -> list[tuple[str, Obj]]:
    binding = _made(f"{_RBAC}/v1", "ClusterRoleBinding", ACCOUNT, "") | {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }
    return [
        ("serviceaccounts", _made("v1", "ServiceAccount", ACCOUNT, NAMESPACE)),
        (f"clusterrolebindings.{_RBAC}", binding),
        ("services", service()),
        (
            "ingressclasses.networking.k8s.io",
            _made("networking.k8s.io/v1", "IngressClass", CLASS, "") | {"spec": {"controller": CONTROLLER}},
        ),
    ]


def rules() -> list[Obj]:
    """What the controller may do."""
    rows = (
        ("", ("secrets", "services", "nodes", "namespaces"), ("get", "list", "watch")),
        ("networking.k8s.io", ("ingresses", "ingressclasses"), ("get", "list", "watch")),
        ("networking.k8s.io", ("ingresses/status",), ("update", "patch")),
        ("discovery.k8s.io", ("endpointslices",), ("get", "list", "watch", "create", "update")),
        ("", ("events",), ("create", "patch", "update")),
        (GROUP, ("gatewayclasses", "gateways", "httproutes"), ("get", "list", "watch")),
        (GROUP, ("gatewayclasses/status", "gateways/status", "httproutes/status"), ("update", "patch")),
    )
    return [{"apiGroups": [g], "resources": [*resources], "verbs": [*verbs]} for g, resources, verbs in rows]


def service() -> Obj:
    """Without a selector: each node's entrance registers itself in a slice of its own."""
    ports = [
        {"name": name, "port": port, "protocol": "TCP", "targetPort": name, "appProtocol": name}
        for name, port in (("http", 80), ("https", 443))
    ]
    spec = {"type": "NodePort", "externalTrafficPolicy": "Local", "ports": ports}
    return _made("v1", "Service", SERVICE, NAMESPACE) | {"spec": spec}


def endpoints(node: str, address: str) -> Obj:
    """The slice by which one node's entrance joins the Service."""
    obj = _made("discovery.k8s.io/v1", "EndpointSlice", f"{SERVICE}-{node}", NAMESPACE)
    obj["metadata"]["labels"] = {
        **_LABELS, "kubernetes.io/service-name": SERVICE,
        "endpointslice.kubernetes.io/managed-by": "pybernetes-agent",
    }  # fmt: skip
    return obj | {
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "nodeName": node, "conditions": {"ready": True}}],
        "ports": [
            {"name": "http", "port": HTTP_PORT, "protocol": "TCP", "appProtocol": "http"},
            {"name": "https", "port": HTTPS_PORT, "protocol": "TCP", "appProtocol": "https"},
        ],
    }


def _made(api_version: str, kind: str, name: str, namespace: str) -> Obj:
    metadata = {"name": name, "labels": dict(_LABELS)} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


# ── on a node ────────────────────────────────────────────────────────────────────────────────────────────


async def run(node: NodePaths, config: Config, manager: Manager, clock: Clock, entropy: Entropy) -> None:
    """A node's entrance, until cancelled. ``manager`` is the node's own; the traffic goes on afterwards."""
    address = config.node_ip(node.name)
    entrance = Entrance(address, str(node.entrance))
    async with AsyncExitStack() as stack:
        client = http.from_kubeconfig(node.ingress_kubeconfig, clock, gatewayapi.kinds(), manager=COMPONENT)
        stack.push_async_callback(client.close)
        own = Manager(client, clock, entropy)
        stack.push_async_callback(own.stop)
        reporter = Reporter(manager, own, client, node.name, clock)
        gateways = GatewayReporter(client, clock, reporter.speaks)
        reporter.moved = gateways.again
        works = Ingresses(manager, own, _haproxy(node, clock), entrance, clock, gateways=gateways.read)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(works.run())
            parts.create_task(reporter.run())
            parts.create_task(gateways.run())
            parts.create_task(_announce(works, client, endpoints(node.name, address)))


def can_run(node: NodePaths, config: Config) -> bool:
    """Is it on, and does this node have the credentials?"""
    return is_on(config) and node.ingress_kubeconfig.exists()


async def _announce(works: Ingresses, client: Client, slice_: Obj) -> None:
    """Join the Service once the data plane does what the objects say."""
    await works.in_step.wait()
    await bootstrap.put_right(client, SLICES, slice_)


def _haproxy(node: NodePaths, clock: Clock) -> HAProxy:
    files, name = pki.Pki(node.cluster.pki, clock.time()), nodes.entrance_name(node)
    default = files.certificate(DEFAULT_CERTIFICATE).read_bytes() + files.key(DEFAULT_CERTIFICATE).read_bytes()
    return HAProxy(
        host.find_tool(PROGRAM) or PROGRAM, node.entrance, pid_file=node.cluster.pid(name), log=node.cluster.log(name),
        default_certificate=default, clock=clock,
    )  # fmt: skip
