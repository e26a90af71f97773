"""``pybernetes agent --join``: this machine becomes a node of a cluster that is elsewhere.

Theory of operation. By ``cluster-info`` and the token the machine knows the cluster's CA; with the token it asks for a
node's certificate; as that node it registers, is given a network for its pods, and asks for a serving certificate.
Then containerd and the agent are started as on the control plane's own machine, in this machine's network. The agent
asks for its certificates anew before they end (``Worker``), and begins anew with them.
Neighbours: ``joining.py`` is the cluster's side, ``certificates.py`` the requests, ``node_process.py`` the agent.
"""

from __future__ import annotations

import asyncio
import hmac
import platform
import socket
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from pybernetes.client import http, kubeconfig, wait
from pybernetes.client.client import Client
from pybernetes.cluster import certificates, host, images, joining, nodes, pki, underlay
from pybernetes.cluster import config as configuration
from pybernetes.cluster.config import API_PORT, Config, ConfigError, NodePaths, Paths
from pybernetes.cluster.node_process import NodeProcess
from pybernetes.cluster.steps import Steps
from pybernetes.kinds import table
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

READY_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 60.0
_log = log.Log("cluster.joined")


async def join(
    paths: Paths, steps: Steps, clock: Clock, *, url: str, token: str, hashes: Sequence[str], name: str
) -> Config:
    """Have this machine be a node of the cluster at ``url``, also if it was one before. Raises ConfigError."""
    if lacking := host.missing():
        raise ConfigError(host.remedy(lacking))
    old = configuration.load(paths)
    if old is not None and not old.joined:
        raise ConfigError(f"{paths.data} holds a cluster of its own; name another folder with --data")
    if old is None:
        configuration.refuse_foreign(paths)
    name = name or (old.joined if old else platform.node().lower())
    node = paths.node(name)
    if old is None or not node.kubeconfig.exists():
        with steps.step("the cluster's CA") as notes:
            ca, settings = await discover(url, token, hashes, clock)
            notes.append(joining.ca_hash(ca))
        with steps.step("certificates and pod network"):
            old = await _become_node(node, kubeconfig.Access(_with_port(url), ca=ca, token=token), settings, clock)
    with steps.step("containerd"):
        await _start(node, clock)
    with steps.step(f"{name} Ready"):
        nodes.start_agent(node)
        await _until_ready(node, clock)
    return old


class Worker:
    """The agent of a joined machine. When ``run`` returns and ``renewed`` is true, the process shall begin anew."""

    def __init__(self, node: NodePaths, config: Config, clock: Clock, entropy: Entropy) -> None:
        self._node, self._config, self._clock, self._entropy = node, config, clock, entropy
        self.renewed = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, a part fails, or there are new certificates."""
        renewed, ending, parts = asyncio.Event(), asyncio.Event(), Tasks()
        parts.start(_then(stopping.wait(), ending), "end of the agent")
        parts.start(_then(_renew_in_time(self._node, self._config, self._clock), renewed, ending), "renewal")
        try:
            await NodeProcess(self._node, self._config, self._clock, self._entropy).run(ending)
        finally:
            await parts.stop()
        self.renewed = renewed.is_set() and not stopping.is_set()


async def _then(awaited: Awaitable[object], *events: asyncio.Event) -> None:
    await awaited
    for event in events:
        event.set()


# ── who is the cluster? ──────────────────────────────────────────────────────────────────────────────────


async def discover(url: str, token: str, hashes: Sequence[str], clock: Clock) -> tuple[bytes, Obj]:
    """(CA in PEM form, settings of the network) as ``cluster-info`` tells, once it has proved to be the cluster's.

    Raises ConfigError where the signature, or the pinned hash, is of another.
    """
    import yaml

    async with _client(kubeconfig.Access(_with_port(url), verify=False), clock) as client:
        try:
            info = await client.get("configmaps", joining.CLUSTER_INFO, joining.PUBLIC)
        except (errors.NotFound, errors.Forbidden) as error:
            raise ConfigError(
                f"{url} tells nothing to machines that join: 'pybernetes token create' there makes a token"
            ) from error
    content = str(info["data"].get("kubeconfig", ""))
    signed = str(info["data"].get(f"jws-kubeconfig-{token.partition('.')[0]}", ""))
    if not hmac.compare_digest(signed, joining.signature(content, token)):
        raise ConfigError(f"{url} does not know this token: 'pybernetes token create' there makes another")
    told = kubeconfig.Kubeconfig(yaml.safe_load(content)).document["clusters"][0]["cluster"]
    ca = kubeconfig.Kubeconfig({"clusters": [{"name": "", "cluster": told}]}).authority("")
    if hashes and joining.ca_hash(ca) not in hashes:
        raise ConfigError(f"the CA of {url} is {joining.ca_hash(ca)}, which --ca-cert-hash does not name")
    settings: Obj = next((e["extension"] for e in told.get("extensions", ()) if e["name"] == joining.SETTINGS), {})
    return ca, settings


def _with_port(url: str) -> str:
    parts = urlsplit(url if "//" in url else f"https://{url}")
    if parts.scheme != "https" or not parts.hostname:
        raise ConfigError(f"--join {url}: must be https://HOST:PORT")
    return f"https://{parts.netloc}" if parts.port else f"https://{parts.netloc}:{API_PORT}"


@asynccontextmanager
async def _client(access: kubeconfig.Access, clock: Clock) -> AsyncIterator[Client]:
    client = Client(http.connect(access, clock), table.builtin(), manager="kubelet")
    try:
        yield client
    finally:
        await client.close()


# ── becoming a node ──────────────────────────────────────────────────────────────────────────────────────


async def _become_node(node: NodePaths, access: kubeconfig.Access, settings: Obj, clock: Clock) -> Config:
    """By the token of ``access``, and from then on by certificates."""
    server, ca = access.server, access.ca or b""
    async with _client(access, clock) as client:
        certificate, key = await certificates.obtain(client, node.name, certificates.CLIENT, clock)
    certificates.keep(pki.Pki(node.cluster.pki, 0).certificate("ca"), ca)
    node.root.mkdir(parents=True, exist_ok=True)
    _write_kubeconfig(node, server, ca, certificate, key)
    address = _address_towards(server)
    async with _client(kubeconfig.load(node.kubeconfig).access(), clock) as client:
        cidr = await _register(client, node.name, address, clock)
        config = Config(
            nodes=0, ingress=False, joined=node.name, joined_address=address, joined_pods=cidr,
            cluster_domain=str(settings.get("clusterDomain") or Config().cluster_domain),
            vxlan=bool(settings.get("vxlan")), address=str(urlsplit(server).hostname),
            port=urlsplit(server).port or API_PORT,
        )  # fmt: skip
        await _have_serving_certificate(client, node, config, clock)
    configuration.save(node.cluster, config)
    return config


async def _register(client: Client, name: str, address: str, clock: Clock) -> str:
    """The pod network that the cluster gives this node."""
    made: Obj = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": {}}
    with suppress(errors.AlreadyExists):  # it joins again
        await client.create("nodes", made)
    addresses = [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]
    await client.patch("nodes", name, {"status": {"addresses": addresses}}, kind="strategic", subresource="status")
    found = await wait.until(
        client, "nodes", "", name, lambda obj: bool(objects.get(obj or {}, "spec", "podCIDR")),
        timeout_seconds=READY_SECONDS, clock=clock,
    )  # fmt: skip
    return str(objects.get(found or {}, "spec", "podCIDR"))


async def _have_serving_certificate(client: Client, node: NodePaths, config: Config, clock: Clock) -> None:
    names = [node.name, config.joined_address]
    certificate, key = await certificates.obtain(client, node.name, certificates.SERVING, clock, names=names)
    files, leaf = pki.Pki(node.cluster.pki, 0), f"kubelet-{node.name}"
    certificates.keep(files.key(leaf), key)
    certificates.keep(files.certificate(leaf), certificate)


def _write_kubeconfig(node: NodePaths, server: str, ca: bytes, certificate: bytes, key: bytes) -> None:
    user = f"system:node:{node.name}"
    made = kubeconfig.Kubeconfig.with_certificate(
        cluster="kubernetes", user=user, server=server, ca=ca, certificate=certificate, key=key
    )
    kubeconfig.write(node.kubeconfig, made)


def _address_towards(server: str) -> str:
    """This machine's own address on the way to the cluster. No packet is sent."""
    parts = urlsplit(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((parts.hostname, parts.port))
        return str(probe.getsockname()[0])


# ── working ──────────────────────────────────────────────────────────────────────────────────────────────


async def _start(node: NodePaths, clock: Clock) -> None:
    await asyncio.to_thread(images.ensure_pause, node.cluster)
    await underlay.adopt(node)
    await nodes.start_containerd(node, clock)
    await nodes.import_images(node, sorted(node.cluster.images.glob("*.tar")))


async def _until_ready(node: NodePaths, clock: Clock) -> None:
    async with _client(kubeconfig.load(node.kubeconfig).access(), clock) as client:
        try:
            await wait.until(
                client, "nodes", "", node.name, lambda obj: obj is not None and objects.condition_is(obj, "Ready"),
                timeout_seconds=READY_SECONDS, clock=clock,
            )  # fmt: skip
        except errors.Timeout as error:
            _, agent = nodes.process_names(node)
            raise ConfigError(f"not Ready: {nodes.last_words(node.cluster.log(agent))}") from error


async def _renew_in_time(node: NodePaths, config: Config, clock: Clock) -> None:
    """Return when the files hold new certificates."""
    access = kubeconfig.load(node.kubeconfig).access()
    assert access.certificate is not None
    files = pki.Pki(node.cluster.pki, 0)
    held = (access.certificate, files.certificate(f"kubelet-{node.name}").read_bytes())
    await clock.sleep(max(0.0, min(map(certificates.renewal, held)) - clock.time()))
    while True:
        try:
            return await renew(node, config, clock)
        except (errors.ApiError, ConfigError) as error:
            _log.warning("the certificates could not be renewed", node=node.name, why=error)
            await clock.sleep(_AGAIN_SECONDS)


async def renew(node: NodePaths, config: Config, clock: Clock) -> None:
    """Ask for both certificates anew, as the node that this still is."""
    access = kubeconfig.load(node.kubeconfig).access()
    async with _client(access, clock) as client:
        certificate, key = await certificates.obtain(client, node.name, certificates.CLIENT, clock)
        await _have_serving_certificate(client, node, config, clock)
    _write_kubeconfig(node, access.server, access.ca or b"", certificate, key)
