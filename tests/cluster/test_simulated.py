"""A cluster of simulated nodes by the real command: up, down, crashes, and what the user is told when it cannot be."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from pybernetes.lib import daemon
from pybernetes.testing.command import Command, free_port

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1"}]}
"""


def up(pybernetes: Command, *options: str) -> str:
    return pybernetes("up", "--nodes", "0", "--simulate", "2", "--port", str(free_port()), *options)


def uids(pybernetes: Command, *what: str) -> dict[str, str]:
    items = json.loads(pybernetes.kubectl("get", *what, "-o", "json"))["items"]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in items}


def test_up_says_what_it_did_and_what_to_type_next(pybernetes: Command) -> None:
    said = up(pybernetes)
    assert "2 nodes Ready" in said
    assert f"export KUBECONFIG={pybernetes.data}/kubeconfig" in said
    assert "kubectl get nodes" in said
    assert "2 of 2 Ready" in pybernetes("status")


def test_down_leaves_nothing_and_a_later_up_brings_the_same_objects(pybernetes: Command) -> None:
    up(pybernetes)
    pybernetes.kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = uids(pybernetes, "deployments,pods")
    pybernetes("down")
    assert pybernetes.left_behind() == []
    pybernetes("up")
    assert uids(pybernetes, "deployments,pods") == before
    pybernetes("down", "--purge")
    assert not pybernetes.data.exists()


def test_a_killed_control_plane_comes_back_with_every_object(pybernetes: Command) -> None:
    up(pybernetes)
    pybernetes.kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = uids(pybernetes, "deployments,replicasets,pods")
    process = daemon.find(pybernetes.paths.pid("control-plane"))
    assert process is not None
    process.signal(signal.SIGKILL)
    pybernetes("up")
    assert uids(pybernetes, "deployments,replicasets,pods") == before


def test_a_control_plane_that_hangs_is_started_anew_with_every_object(pybernetes: Command) -> None:
    up(pybernetes)
    pybernetes.kubectl("create", "configmap", "kept")
    process = daemon.find(pybernetes.paths.pid("control-plane"))
    assert process is not None
    process.signal(signal.SIGSTOP)
    assert "no answer in 10 s" in pybernetes("up")
    assert not process.alive()
    assert "kept" in uids(pybernetes, "configmaps")


def test_a_taken_port_is_named_with_the_remedy(pybernetes: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = pybernetes.run("up", "--nodes", "0", "--simulate", "1", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on 127.0.0.1 is in use by another program" in done.stdout
    assert "--port" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_corrupt_database_is_named_and_left_alone(pybernetes: Command) -> None:
    up(pybernetes)
    pybernetes("down")
    store = pybernetes.paths.store
    for extra in store.parent.glob("store.db-*"):
        extra.unlink()
    store.write_bytes(b"this is no database" * 1000)
    content = store.read_bytes()
    done = pybernetes.run("up")
    assert done.returncode == 1
    assert str(store) in done.stdout
    assert "Traceback" not in done.stdout
    assert store.read_bytes() == content


def test_a_database_in_use_is_not_opened_twice(pybernetes: Command) -> None:
    up(pybernetes)
    second = pybernetes.run("control-plane")
    assert second.returncode == 1
    assert "runs already" in second.stdout
    assert "Traceback" not in second.stdout
    pybernetes("down")  # still knows the first
    assert pybernetes.left_behind() == []


def test_purge_removes_what_the_cluster_made_and_nothing_else(pybernetes: Command) -> None:
    pybernetes.data.mkdir()
    own = pybernetes.data / "mine.txt"
    own.write_text("precious")
    assert "There is no cluster" in pybernetes("down", "--purge")
    up(pybernetes)
    assert "except mine.txt" in pybernetes("down", "--purge")
    assert [p.name for p in pybernetes.data.iterdir()] == ["mine.txt"]


def test_a_cluster_that_is_not_there_is_said_so(pybernetes: Command) -> None:
    done = pybernetes.run("status")
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    assert "'pybernetes up' makes one" in done.stdout


def test_the_kubeconfig_is_merged_beside_what_a_user_has(pybernetes: Command, tmp_path: Path) -> None:
    up(pybernetes)
    own = tmp_path / "own"
    own.write_text("apiVersion: v1\nkind: Config\nusers: [{name: me, user: {token: t}}]\n")
    pybernetes("kubeconfig", "--merge", str(own))
    text = own.read_text()
    assert "name: me" in text
    assert "current-context: pybernetes" in text


def test_a_broken_kubeconfig_is_named_and_left_alone(pybernetes: Command, tmp_path: Path) -> None:
    up(pybernetes)
    own = tmp_path / "own"
    own.write_text("users: [unclosed")
    done = pybernetes.run("kubeconfig", "--merge", str(own))
    assert done.returncode == 1
    assert str(own) in done.stdout
    assert "Traceback" not in done.stdout
    assert own.read_text() == "users: [unclosed"


AS_NOBODY = ("unshare", "--user")
"""Nobody's rights within a user namespace of its own, yet the owner of our files."""
CAN_BECOME_NOBODY = subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not CAN_BECOME_NOBODY, reason="this kernel gives no user namespaces")
def test_without_root_the_nodes_are_simulated_and_one_line_says_why(pybernetes: Command) -> None:
    done = pybernetes.run("up", "--nodes", "2", "--port", str(free_port()), before=AS_NOBODY)
    try:
        assert done.returncode == 0, done.stdout
        (line,) = [line for line in done.stdout.splitlines() if "real nodes need root" in line]
        assert "run it as root" in line
        assert "2 nodes Ready" in done.stdout
    finally:
        pybernetes.run("down", before=AS_NOBODY)


def test_the_database_is_an_ordinary_sqlite_file(pybernetes: Command) -> None:
    up(pybernetes)
    pybernetes("down")
    with sqlite3.connect(pybernetes.paths.store) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
