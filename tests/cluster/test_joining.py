"""Another machine joins a cluster of real nodes: here a namespace that shares only the network."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pybernetes.client import kubeconfig
from pybernetes.cluster import certificates, host, nodes, pki, underlay
from pybernetes.cluster import config as configuration
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.tasks import deadline
from pybernetes.testing.command import Command, free_port

LACKING = host.missing()
pytestmark = [
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=host.remedy(LACKING) if LACKING else ""),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH"),
]
ROOT = Path(__file__).parents[2]
NAME = "far"
DAY = 24 * 3600.0


@dataclass
class Machine:
    """A network of its own, on the segment of the cluster's nodes."""

    namespace: str
    command: Command

    def join(self, arguments: Sequence[str], before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *before]
        return self.command.run("agent", *arguments, "--name", NAME, before=inside)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("joining") / "data")
    try:
        command("up", "--nodes", "1", "--no-ingress", "--port", str(free_port()))
        yield command
    finally:
        command.run("down", "--purge")


@pytest.fixture(scope="module")
def machine(cluster: Command, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    config = configuration.load(cluster.paths)
    assert config is not None
    made = Machine(f"far-{cluster.paths.id}", Command(tmp_path_factory.mktemp("far") / "data"))
    name, link = made.namespace, f"far{cluster.paths.id}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    run = f"""
        ip link add {link} type veth peer name eth0 netns {name}
        ip link set {link} master {underlay.bridge(cluster.paths)} up
        ip -netns {name} link set lo up
        ip -netns {name} address add {config.underlay}.240/24 dev eth0
        ip -netns {name} link set eth0 up
        ip -netns {name} route add default via {config.host_ip}
    """
    try:
        subprocess.run(["sh", "-ec", run], check=True)
        yield made
    finally:
        made.command.run("down", "--purge")
        subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.fixture(scope="module")
def ticket(cluster: Command) -> list[str]:
    """The options that ``token create`` says to join with."""
    program, agent, *options = shlex.split(cluster("token", "create"))
    assert (program, agent) == ("pybernetes", "agent")
    return options


@pytest.fixture(scope="module")
def far(machine: Machine, ticket: list[str]) -> Machine:
    """The machine as a node of the cluster."""
    done = machine.join(ticket)
    assert done.returncode == 0, done.stdout
    return machine


def test_neither_a_wrong_token_nor_another_ca_is_trusted(machine: Machine, ticket: list[str]) -> None:
    join, url, token, value, *_ = ticket
    wrong = machine.join([join, url, token, f"{value[:-1]}{'a' if value[-1] != 'a' else 'b'}"])
    assert "does not know this token" in wrong.stdout
    other = machine.join([join, url, token, value, "--ca-cert-hash", f"sha256:{'0' * 64}"])
    assert "which --ca-cert-hash does not name" in other.stdout
    assert not machine.command.paths.pki.exists()


def test_a_pod_runs_on_the_machine_and_is_reached_by_the_network_and_by_kubectl(
    cluster: Command, far: Machine, tmp_path: Path
) -> None:
    subprocess.run([str(ROOT / "examples/demo/images.sh"), str(tmp_path)], check=True)
    for command in (cluster, far.command):
        command("image", "build", str(tmp_path / "busybox"), "--name", "busybox:1.36")
    server = ["sh", "-c", "echo serving; exec httpd -f -p 8080 -h /etc"]
    for node in (NAME, "node-1"):
        container = {"name": "c", "image": "busybox:1.36", "command": server}
        spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [container]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"on-{node}"}, "spec": spec}
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/on-{NAME}", "pod/on-node-1", "--timeout=60s")
    assert cluster.kubectl("logs", f"on-{NAME}") == "serving\n"
    address = cluster.kubectl("get", "pod", f"on-{NAME}", "-o", "jsonpath={.status.podIP}")
    fetch = f"printf 'GET /hostname HTTP/1.0\\r\\n\\r\\n' | nc -w 5 {address} 8080"
    assert f"on-{NAME}" in cluster.kubectl("exec", "on-node-1", "--", "sh", "-c", fetch)


async def test_its_agent_renews_certificates_before_they_end_and_goes_on_with_them(
    cluster: Command, far: Machine, tmp_path: Path
) -> None:
    node, files = far.command.paths.node(NAME), pki.Pki(far.command.paths.pki, 0)
    serving = files.certificate(f"kubelet-{NAME}")
    clock, old = SystemClock(), serving.read_bytes()
    await nodes.stop_agent(node, clock)
    ending = almost_ended(cluster, tmp_path)
    access = kubeconfig.load(node.kubeconfig).access()
    made = kubeconfig.Kubeconfig.with_certificate(
        cluster="kubernetes", user=NAME, server=access.server, ca=access.ca or b"", certificate=ending[0], key=ending[1]
    )
    kubeconfig.write(node.kubeconfig, made)
    nodes.start_agent(node)
    async with deadline(clock, 30):
        while serving.read_bytes() == old or kubeconfig.load(node.kubeconfig).access().certificate == ending[0]:
            await clock.sleep(0.05)
    renewed = kubeconfig.load(node.kubeconfig).access().certificate
    assert renewed is not None
    assert certificates.renewal(renewed) > clock.time() + 200 * DAY
    cluster.kubectl("delete", "lease", "-n", "kube-node-lease", NAME)
    cluster.kubectl("wait", "--for=create", "-n", "kube-node-lease", f"lease/{NAME}", "--timeout=30s")
    assert cluster.kubectl("get", "--raw", f"/api/v1/nodes/{NAME}/proxy/healthz") == "ok"


def almost_ended(cluster: Command, folder: Path) -> tuple[bytes, bytes]:
    """(certificate, key) of the node, by the cluster's CA, with a month left of a year."""
    for name in ("ca.crt", "ca.key"):
        shutil.copy(cluster.paths.pki / name, folder / name)
    files, leaf = pki.Pki(folder, SystemClock().time() - 335 * DAY, signs_tokens=False), pki.kubelet(NAME, [])
    files.ensure([leaf])
    return files.certificate(leaf).read_bytes(), files.key(leaf).read_bytes()


def test_after_it_was_down_the_same_command_brings_it_back(cluster: Command, far: Machine, ticket: list[str]) -> None:
    far.command("down")
    assert far.command.left_behind() == []
    done = far.join(ticket)
    assert f"{NAME} Ready" in done.stdout
    assert "the cluster's CA" not in done.stdout
    refused = far.command.run("up")
    assert "a node of another cluster" in refused.stdout
