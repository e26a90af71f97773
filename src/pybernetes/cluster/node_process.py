"""A real node's process: the agent, and the network of its pods, composed. It runs inside the node's namespaces.

Theory of operation. Everything here follows the API by one set of informers and can be ended at any time: containers go
on, rules and routes stay in the kernel, and the next process finds them as they should be. A part that fails ends the
process, whose log says why; ``up`` starts it again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

from pybernetes.client import http
from pybernetes.client.client import Client
from pybernetes.cluster import ingress, pki
from pybernetes.cluster.config import CLUSTER_DNS, Config, ConfigError, NodePaths
from pybernetes.cluster.guard import GuardedCri
from pybernetes.cluster.node_network import NodeNetwork
from pybernetes.control.runner import Manager
from pybernetes.kinds import table
from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.node import agent
from pybernetes.node.server import NodeServer

EVICTION: Final[Mapping[str, str]] = {
    "memory.available": "100Mi", "nodefs.available": "100Mi", "nodefs.inodesFree": "1%",
}  # fmt: skip
"""Less than the kubelet's own thresholds: the disk is the user's, who may have nine tenths of it in other use."""


class NodeProcess:
    def __init__(self, node: NodePaths, config: Config, clock: Clock, entropy: Entropy) -> None:
        self._node, self._config, self._clock, self._entropy = node, config, clock, entropy
        self._failed: asyncio.Future[None]

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set or a part fails. Raises ConfigError for what the user can mend."""
        self._failed = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            client = http.from_kubeconfig(self._node.kubeconfig, self._clock, table.builtin(), manager="kubelet")
            stack.push_async_callback(client.close)
            manager = Manager(client, self._clock, self._entropy)
            stack.push_async_callback(manager.stop)
            parts = Tasks(self._part_failed)
            stack.push_async_callback(parts.stop)
            network = NodeNetwork(self._node, self._config, client, manager, self._clock)
            stack.push_async_callback(network.stop)
            await network.start(parts)
            self._start_entrance(manager, parts)
            parts.start(self._start_agent(network, client, manager, stack), "agent")
            told = asyncio.ensure_future(stopping.wait())
            await asyncio.wait((told, self._failed), return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            if self._failed.done():
                await self._failed

    def _start_entrance(self, manager: Manager, parts: Tasks) -> None:
        if ingress.can_run(self._node, self._config):
            entrance = ingress.run(self._node, self._config, manager, self._clock, self._entropy)
            parts.start(entrance, "entrance of Ingresses")

    async def _start_agent(self, network: NodeNetwork, client: Client, manager: Manager, stack: AsyncExitStack) -> None:
        runtime = GuardedCri(str(self._node.socket), network.policies.admit, network.ip)
        stack.push_async_callback(runtime.close)
        settings = agent.Config(
            node=self._node.name, ip=network.ip, pod_cidr=network.cidr,
            kubelet=self._node.kubelet, logs=self._node.logs,
            cgroup=self._node.cgroup, cluster_dns=(CLUSTER_DNS,), cluster_domain=self._config.cluster_domain,
            manifests=self._node.kubelet / "manifests", eviction=EVICTION,
        )  # fmt: skip
        kubelet = agent.Agent(settings, client, manager, runtime, self._clock, self._entropy)
        pods = manager.informer("pods", fields=f"spec.nodeName={self._node.name}")
        server = NodeServer(self._node.name, pods.cache, runtime, self._clock)
        await server.start(self._serving_context(), network.ip)
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
