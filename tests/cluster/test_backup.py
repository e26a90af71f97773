"""Backups by the real command: of a cluster that runs and of one that does not, from store to store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybernetes.testing import etcd
from pybernetes.testing.command import Command, free_port

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH")
WHAT = "configmaps,secrets,deployments,pods,serviceaccounts,services"


@pytest.fixture
def store_url(tmp_path: Path) -> Iterator[str]:
    if not etcd.is_there():
        pytest.skip(etcd.MISSING)
    members = etcd.start(tmp_path)
    yield f"etcd://{members[0].endpoint}"
    etcd.stop(members)


def up(cluster: Command, *options: str) -> None:
    cluster("up", "--nodes", "0", "--simulate", "1", "--port", str(free_port()), *options)


def uids(cluster: Command) -> dict[str, str]:
    items = json.loads(cluster.kubectl("get", WHAT, "-A", "-o", "json"))["items"]
    return {f"{i['kind']} {i['metadata']['namespace']}/{i['metadata']['name']}": i["metadata"]["uid"] for i in items}


def test_a_cluster_moves_from_its_file_to_an_etcd_and_back(pybernetes: Command, store_url: str, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first.gz"), str(tmp_path / "second.gz")
    up(pybernetes)
    pybernetes.kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2")
    pybernetes.kubectl("create", "secret", "generic", "word", '--from-literal=it=a“ü"\\\n,"value":')
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = uids(pybernetes)
    assert "objects as of revision" in pybernetes("backup", first)
    assert Path(first).stat().st_mode & 0o777 == 0o600
    pybernetes("down")
    pybernetes("restore", first, "--store", store_url)
    pybernetes("up")
    assert uids(pybernetes) == before
    pybernetes.kubectl("create", "configmap", "later")
    pybernetes("down")
    after = {*before, "ConfigMap default/later"}
    pybernetes("backup", second)
    assert "holds" in pybernetes.run("restore", second, "--store", "").stdout
    pybernetes("restore", second, "--store", "", "--force")
    pybernetes("up")
    assert set(uids(pybernetes)) == after
    pybernetes.kubectl("scale", "deployment/web", "--replicas=3")
    pybernetes.kubectl("rollout", "status", "deployment/web", "--timeout=60s")


def test_only_a_whole_backup_goes_into_a_cluster_that_does_not_run(pybernetes: Command, tmp_path: Path) -> None:
    file, cut = tmp_path / "backup.gz", tmp_path / "cut.gz"
    up(pybernetes)
    pybernetes("backup", str(file))
    assert "'pybernetes down' ends it" in pybernetes.run("restore", str(file)).stdout
    pybernetes("down")
    cut.write_bytes(file.read_bytes()[:-1000])
    assert "is no whole backup" in pybernetes.run("restore", str(cut), "--force").stdout
    assert "cannot be read" in pybernetes.run("restore", str(tmp_path / "none"), "--force").stdout
    pybernetes("up")
    assert "default" in pybernetes.kubectl("get", "namespaces")
