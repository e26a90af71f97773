"""A real node's process: the agent, and the network of its pods, composed. It runs inside the node's namespaces.

Theory of operation. Everything here follows the API by one set of informers and can be ended at any time: containers go
on, rules and routes stay in the kernel, and the next process finds them as they should be. A part that fails ends the
process, whose log says why; ``up`` starts it again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from pybernetes.client import http
from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap, ingress, pki
from pybernetes.cluster.config import CLUSTER_DNS, Config, ConfigError, NodePaths
from pybernetes.cluster.guard import GuardedCri
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.network import cni
from pybernetes.network.announce.loop import Announcer
from pybernetes.network.dns.server import DnsServer
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.loop import Policies
from pybernetes.network.policy.model import Pod as PolicyPod
from pybernetes.network.proxy.loop import Proxy
from pybernetes.network.routes import Routes
from pybernetes.node import agent
from pybernetes.node.server import NodeServer

DNS_PORT: Final = 10053
"""Where a node's DNS server listens behind the Service: port 53 is left to pods of the host's network."""
DNS_METRICS_PORT: Final = 10054


class NodeProcess:
    def __init__(self, node: NodePaths, config: Config, clock: Clock, entropy: Entropy) -> None:
        self._node, self._config, self._clock, self._entropy = node, config, clock, entropy
        self._ip, self._cidr = config.node_ip(node.name), config.pod_cidr(node.name)
        self._failed: asyncio.Future[None]
        self._policies: Policies
        self._recorder: Recorder

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set or a part fails. Raises ConfigError for what the user can mend."""
        self._failed = asyncio.get_running_loop().create_future()
        self._write_network()
        async with AsyncExitStack() as stack:
            client = http.from_kubeconfig(self._node.kubeconfig, self._clock, table.builtin(), manager="kubelet")
            stack.push_async_callback(client.close)
            manager = Manager(client, self._clock, self._entropy)
            stack.push_async_callback(manager.stop)
            parts = Tasks(self._part_failed)
            stack.push_async_callback(parts.stop)
            self._recorder = Recorder(client, self._clock, "node-network", self._node.name)
            stack.push_async_callback(self._recorder.stop)
            self._policies = Policies(
                manager, self._node.name, self._cidr, stand_ins=[self._dns_as_pod()], clock=self._clock
            )
            self._start_network(manager, client, parts)
            parts.start(self._start_agent(manager, client, stack), "agent")
            told = asyncio.ensure_future(stopping.wait())
            await asyncio.wait((told, self._failed), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if self._failed.done():
                await self._failed

    def _write_network(self) -> None:
        self._node.cni_conf.mkdir(parents=True, exist_ok=True)
        target = self._node.cni_conf / cni.FILE_NAME
        content = cni.conflist(self._cidr)
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)

    def _start_network(self, manager: Manager, client: Client, parts: Tasks) -> None:
        dns = DnsServer(
            manager, self._ip, DNS_PORT, self._config.cluster_domain, metrics_port=DNS_METRICS_PORT, clock=self._clock
        )
        works: tuple[tuple[str, Coroutine[Any, Any, None]], ...] = (
            ("service proxy", self._proxy(manager).run()),
            ("load balancer addresses", self._announcer(manager).run()),
            ("network policy", self._policies.run()),
            ("routes", Routes(manager, self._node.name, clock=self._clock).run()),
            ("DNS server", dns.run()),
            ("DNS endpoints", self._announce(dns, client)),
        )
        for name, work in works:
            parts.start(work, name)
        if ingress.can_run(self._node, self._config):
            entrance = ingress.run(self._node, self._config, manager, self._clock, self._entropy)
            parts.start(entrance, "entrance of Ingresses")

    def _proxy(self, manager: Manager) -> Proxy:
        return Proxy(manager, self._node.name, pod_cidr=self._cidr, address=self._ip, clock=self._clock)

    def _announcer(self, manager: Manager) -> Announcer:
        return Announcer(manager, self._node.name, self._ip, tell=self._recorder.emit, clock=self._clock)

    def _dns_as_pod(self) -> StandIn:
        """For policies the node's DNS server is one of the pods that are behind ``kube-dns`` elsewhere."""
        names = frozenset({("dns", "udp", 53), ("dns-tcp", "tcp", 53)})
        pod = PolicyPod("kube-system", {"k8s-app": "kube-dns"}, self._ip, names)
        return StandIn(pod, CLUSTER_DNS, DNS_PORT)

    async def _announce(self, dns: DnsServer, client: Client) -> None:
        """Join the ``kube-dns`` Service once the server can answer."""
        await dns.ready.wait()
        endpoints = bootstrap.dns_endpoints(self._node.name, self._ip, dns.port, DNS_METRICS_PORT)
        await bootstrap.put_right(client, "endpointslices.discovery.k8s.io", endpoints)

    async def _start_agent(self, manager: Manager, client: Client, stack: AsyncExitStack) -> None:
        runtime = GuardedCri(str(self._node.socket), self._policies.admit, self._ip)
        stack.push_async_callback(runtime.close)
        settings = agent.Config(
            node=self._node.name, ip=self._ip, pod_cidr=self._cidr, kubelet=self._node.kubelet, logs=self._node.logs,
            cgroup=self._node.cgroup, cluster_dns=(CLUSTER_DNS,), cluster_domain=self._config.cluster_domain,
            manifests=self._node.kubelet / "manifests",
        )  # fmt: skip
        kubelet = agent.Agent(settings, client, manager, runtime, self._clock, self._entropy)
        pods = manager.informer("pods", fields=f"spec.nodeName={self._node.name}")
        server = NodeServer(self._node.name, pods.cache, runtime, self._clock)
        await server.start(self._serving_context(), self._ip)
        stack.push_async_callback(server.stop)
        await kubelet.start()
        stack.push_async_callback(kubelet.stop)

    def _serving_context(self) -> ssl.SSLContext:
        files = pki.Pki(self._node.cluster.pki, self._clock.time())
        name = f"kubelet-{self._node.name}"
        return tls.server_context(files.certificate(name), files.key(name), files.certificate("ca"))

    def _part_failed(self, name: str, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(ConfigError(f"the {name} of {self._node.name} failed: {error}"))
