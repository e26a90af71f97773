"""The network of real nodes as containers and this machine meet it, which neither simulated nodes nor parts show."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pybernetes.cluster import config as configuration
from pybernetes.cluster import host
from pybernetes.lib import daemon
from pybernetes.testing.command import Command, free_port

LACKING = host.missing()
pytestmark = [
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=host.remedy(LACKING) if LACKING else ""),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes with a pool of addresses, an image, and a server called ``web``."""
    command = Command(tmp_path_factory.mktemp("network") / "data")
    try:
        command("up", "--nodes", "2", "--port", str(free_port()))
        made = configuration.load(command.paths)
        assert made is not None
        command("up", "--load-balancer-pool", f"{made.underlay}.200-{made.underlay}.210")
        images = tmp_path_factory.mktemp("images")
        subprocess.run([str(ROOT / "examples/demo/images.sh"), str(images)], check=True)
        command("image", "build", str(images / "busybox"), "--name", "busybox:1.36")
        apply(command, pod("web", "httpd", "-f", "-p", "8080", "-h", "/etc"))
        command.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
        yield command
    finally:
        command.run("down", "--purge")


def pod(name: str, *argv: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "busybox:1.36", "command": list(argv), **spec.pop("container", {})}
    metadata = {"name": name, "labels": {"app": name}}
    whole = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, **spec, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole}


def apply(cluster: Command, *objects: Any) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def said(cluster: Command, name: str) -> str:
    """What a pod printed until its end."""
    waited = ("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{name}", "--timeout=60s")
    cluster.kubectl(*waited)
    return cluster.kubectl("logs", name).strip()


def test_a_policy_holds_from_the_first_packet_of_a_pod_on(cluster: Command) -> None:
    address = cluster.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
    deny = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "held"},
        "spec": {"podSelector": {"matchLabels": {"app": "held"}}, "policyTypes": ["Egress"]},
    }  # fmt: skip
    once = f"timeout 1 wget -q -O /dev/null http://{address}:8080/hostname"
    ask = f"exec 2>/dev/null; {once} && echo reached || echo held"
    apply(cluster, deny)
    apply(cluster, pod("held", "sh", "-c", ask), pod("free", "sh", "-c", ask))
    assert said(cluster, "held") == "held"
    assert said(cluster, "free") == "reached"


def test_this_machine_reaches_a_load_balancer_of_the_pool(cluster: Command) -> None:
    service = {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }  # fmt: skip
    apply(cluster, service)
    cluster.kubectl("wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}", "service/web", "--timeout=30s")
    address = cluster.kubectl("get", "service", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
    event = ("wait", "--for=jsonpath={.reason}=nodeAssigned", "event", "--timeout=30s")
    cluster.kubectl(*event, "--field-selector=involvedObject.name=web,reason=nodeAssigned")
    with urllib.request.urlopen(f"http://{address}/passwd", timeout=5) as answer:
        assert b"root" in answer.read()


def test_the_python_client_finds_its_cluster_from_within(cluster: Command) -> None:
    if not Path("/usr/lib64").exists():
        pytest.skip("this machine's Python cannot be lent to a pod: there is no /usr/lib64")
    program = (
        "from kubernetes import client, config; config.load_incluster_config();"
        "print(client.AuthenticationV1Api().create_self_subject_review({}).status.user_info.username)"
    )
    lent = {sys.prefix: sys.prefix, sys.base_prefix: sys.base_prefix}
    lent |= {"/lib": "/usr/lib", "/usr/lib": "/usr/lib", "/lib64": "/usr/lib64"}
    mounts = [{"name": f"v{i}", "mountPath": at, "readOnly": True} for i, at in enumerate(lent)]
    volumes = [{"name": f"v{i}", "hostPath": {"path": path}} for i, path in enumerate(lent.values())]
    apply(cluster, pod("client", sys.executable, "-c", program, container={"volumeMounts": mounts}, volumes=volumes))
    assert said(cluster, "client") == "system:serviceaccount:default:default"


def test_addresses_come_back_also_when_the_agent_is_killed_in_between(cluster: Command) -> None:
    node = cluster.kubectl("get", "pod", "web", "-o", "jsonpath={.spec.nodeName}")
    before = addresses(cluster)
    names = [f"short{n}" for n in range(4)]
    apply(cluster, *(pod(n, "sleep", "1000", nodeName=node) for n in names))
    agent = daemon.find(cluster.paths.pid(f"{node}.agent"))
    assert agent is not None
    agent.signal(signal.SIGKILL)
    cluster.kubectl("delete", "pod", *names, "--wait=false")
    cluster("up")
    cluster.kubectl("wait", "--for=delete", *(f"pod/{n}" for n in names), "--timeout=60s")
    assert addresses(cluster) == before


def addresses(cluster: Command) -> set[str]:
    """The addresses that the nodes have given away, as their CNI plugins remember."""
    return {p.name for p in cluster.data.glob("nodes/*/cni/state/networks/*/*") if p.name[0].isdigit()}
