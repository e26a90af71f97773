"""A cluster of real nodes by the real command: killed piece by piece, no container notices; down leaves nothing."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

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
WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: "busybox:1.36", command: [sleep, "100000"]}]
"""


def build_busybox(pybernetes: Command, folder: Path) -> None:
    subprocess.run([str(ROOT / "examples/demo/images.sh"), str(folder)], check=True)
    pybernetes("image", "build", str(folder / "busybox"), "--name", "busybox:1.36")


def containers(pybernetes: Command) -> dict[str, tuple[str, int]]:
    """Pod → (container id, restarts)."""
    items = json.loads(pybernetes.kubectl("get", "pods", "-o", "json"))["items"]
    found = {}
    for item in items:
        (status,) = item["status"]["containerStatuses"]
        found[item["metadata"]["name"]] = (status["containerID"], status["restartCount"])
    return found


def kill(pybernetes: Command, *names: str) -> None:
    for name in names:
        process = daemon.find(pybernetes.paths.pid(name))
        assert process is not None, name
        process.signal(signal.SIGKILL)


def test_whatever_is_killed_up_continues_and_down_leaves_nothing(pybernetes: Command, tmp_path: Path) -> None:
    pybernetes("up", "--nodes", "1", "--port", str(free_port()))
    build_busybox(pybernetes, tmp_path / "images")
    pybernetes.kubectl("apply", "-f", "-", stdin=WORKLOAD)
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = containers(pybernetes)
    for victims in (
        ("control-plane",),
        ("node-1.agent",),
        ("node-1.containerd",),
        ("control-plane", "node-1.agent", "node-1.containerd"),
    ):
        kill(pybernetes, *victims)
        pybernetes("up")
        pybernetes.kubectl("wait", "--for=condition=Ready", "pod", "-l", "app=web", "--timeout=60s")
        assert containers(pybernetes) == before, victims

    pybernetes("down")
    assert pybernetes.left_behind() == []
    pybernetes("up")
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=90s")
    assert set(containers(pybernetes)) == set(before)
    pybernetes("down", "--purge")
    assert pybernetes.left_behind() == []
    assert not pybernetes.data.exists()
