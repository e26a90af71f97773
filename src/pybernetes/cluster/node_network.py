"""The network of a real node's pods, composed: CNI, routes, services, load balancers, policies and DNS.

Neighbours: ``node_process.py`` runs it beside the agent; ``underlay.py`` is what nodes of this machine stand on.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap
from pybernetes.cluster.config import CLUSTER_DNS, Config, NodePaths
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.network import cni, links, vxlan
from pybernetes.network.announce.loop import Announcer
from pybernetes.network.dns.server import DnsServer
from pybernetes.network.nft import Nft
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.loop import Policies
from pybernetes.network.policy.model import Pod as PolicyPod
from pybernetes.network.proxy.loop import Proxy
from pybernetes.network.routes import Routes
from pybernetes.network.vxlan import Vxlan

DNS_PORT: Final = 10053
"""Where a node's DNS server listens behind the Service: port 53 is left to pods of the host's network."""
DNS_METRICS_PORT: Final = 10054
_ETHERNET_MTU: Final = 1500


class NodeNetwork:
    """``client`` acts as the node; ``parts`` runs the works, each under a name of its own."""

    def __init__(self, node: NodePaths, config: Config, client: Client, manager: Manager, clock: Clock) -> None:
        self._node, self._config, self._client, self._manager, self._clock = node, config, client, manager, clock
        self.ip, self.cidr = config.node_ip(node.name), config.pod_cidr(node.name)
        self._recorder = Recorder(client, clock, "node-network", node.name)
        self._nft = Nft()
        """One for all: the library takes one script at a time."""
        dns = self._dns_as_pod()
        self.policies = Policies(manager, node.name, self.cidr, stand_ins=[dns], clock=clock, nft=self._nft)

    async def start(self, parts: Tasks) -> None:
        """Returns when pods can be given an interface. Raises OSError where the node's own is missing."""
        await self._configure_pods()
        if not self._config.vxlan:
            await vxlan.cleanup()
        for name, work in self._works():
            parts.start(work, name)

    async def stop(self) -> None:
        """Tell no more events; rules and routes stay."""
        await self._recorder.stop()

    async def _configure_pods(self) -> None:
        """The file from which the runtime learns how a pod gets its interface."""
        room = (await links.find(self.ip)).mtu - (vxlan.OVERHEAD_BYTES if self._config.vxlan else 0)
        content = cni.conflist(self.cidr, mtu=0 if room == _ETHERNET_MTU else room)
        self._node.cni_conf.mkdir(parents=True, exist_ok=True)
        target = self._node.cni_conf / cni.FILE_NAME
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)

    def _works(self) -> tuple[tuple[str, Coroutine[Any, Any, None]], ...]:
        name, manager, clock = self._node.name, self._manager, self._clock
        device = Vxlan(self.ip, self.cidr) if self._config.vxlan else None
        dns = DnsServer(
            manager, self.ip, DNS_PORT, self._config.cluster_domain, metrics_port=DNS_METRICS_PORT, clock=clock
        )
        proxy = Proxy(manager, name, pod_cidr=self.cidr, address=self.ip, clock=clock, nft=self._nft)
        return (
            ("service proxy", proxy.run()),
            ("load balancer addresses", Announcer(manager, name, self.ip, tell=self._recorder.emit, clock=clock).run()),
            ("network policy", self.policies.run()),
            ("routes", Routes(manager, name, vxlan=device, clock=clock).run()),
            ("DNS server", dns.run()),
            ("DNS endpoints", self._announce(dns)),
        )

    def _dns_as_pod(self) -> StandIn:
        """For policies the node's DNS server is one of the pods that are behind ``kube-dns`` elsewhere."""
        names = frozenset({("dns", "udp", 53), ("dns-tcp", "tcp", 53)})
        return StandIn(PolicyPod("kube-system", {"k8s-app": "kube-dns"}, self.ip, names), CLUSTER_DNS, DNS_PORT)

    async def _announce(self, dns: DnsServer) -> None:
        """Join the ``kube-dns`` Service once the server can answer."""
        await dns.ready.wait()
        endpoints = bootstrap.dns_endpoints(self._node.name, self.ip, dns.port, DNS_METRICS_PORT)
        await bootstrap.put_right(self._client, "endpointslices.discovery.k8s.io", endpoints)
