"""Two control planes on an etcd of three members: one of everything may die, and what was acknowledged is there."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pybernetes.client.client import Client
from pybernetes.cluster import access
from pybernetes.cluster.down import CONTROL_PLANE
from pybernetes.lib import daemon
from pybernetes.meta import errors
from pybernetes.testing import etcd
from pybernetes.testing.command import Command, free_port

pytestmark = [
    pytest.mark.skipif(not etcd.is_there(), reason=etcd.MISSING),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH"),
]
SECONDS_WITHOUT_WRITES = 6.0
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


@pytest.fixture
def members(tmp_path: Path) -> Iterator[list[etcd.Member]]:
    started = etcd.start(tmp_path, 3)
    yield started
    etcd.stop(started)


@pytest.fixture
def planes(tmp_path: Path, members: list[etcd.Member]) -> Iterator[tuple[Command, Command]]:
    """The first one works, with three simulated nodes; the second one is there to take over."""
    first, second = Command(tmp_path / "first"), Command(tmp_path / "second")
    url = "etcd://" + ",".join(member.endpoint for member in members)
    options = ("--store", url, "--nodes", "0", "--port")
    first("up", *options, str(free_port()), "--simulate", "3")
    second("up", *options, str(free_port()), "--keys", str(first.paths.pki))
    yield first, second
    for plane in (first, second):
        plane.run("down", "--purge")


@dataclass
class Writer:
    """Creates ConfigMaps one after the other for as long as it runs."""

    client: Client
    acknowledged: set[str] = field(default_factory=set)
    longest: float = 0.0
    stopping: bool = False

    async def run(self) -> None:
        last, number = time.monotonic(), 0
        while not self.stopping:
            number += 1
            name = f"c{number}"
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}
            try:
                await self.client.create("configmaps", obj)
            except errors.ApiError:
                continue
            self.acknowledged.add(name)
            self.longest, last = max(self.longest, time.monotonic() - last), time.monotonic()

    async def go_on(self, more: int = 50) -> None:
        """Return when so many more are acknowledged."""
        wanted = len(self.acknowledged) + more
        while len(self.acknowledged) < wanted:
            await asyncio.sleep(0.02)


async def servers(client: Client) -> int:
    """How many API servers the ``kubernetes`` Service leads to."""
    endpoints = await client.get("endpoints", "kubernetes", "default")
    return sum(len(subset["addresses"]) for subset in endpoints.get("subsets") or ())


async def test_the_death_of_a_control_plane_and_of_each_etcd_member_loses_nothing(
    planes: tuple[Command, Command], members: list[etcd.Member]
) -> None:
    first, second = planes
    first.kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    second.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    client = access.admin(second.paths)
    assert await servers(client) == 2
    writer = Writer(client)
    writing = asyncio.ensure_future(writer.run())
    await writer.go_on()
    working = daemon.find(first.paths.pid(CONTROL_PLANE))
    assert working is not None
    working.signal(signal.SIGKILL)
    await writer.go_on()
    for member in members:
        await asyncio.to_thread(member.kill)
        await writer.go_on()
        member.start(members)
        await asyncio.to_thread(etcd.wait_healthy, members)
    await asyncio.to_thread(second.kubectl, "scale", "deployment/web", "--replicas=5")
    await asyncio.to_thread(second.kubectl, "rollout", "status", "deployment/web", "--timeout=60s")
    writer.stopping = True
    await writing
    while await servers(client) != 1:
        await asyncio.sleep(0.2)
    await client.close()
    found = json.loads(second.kubectl("get", "configmaps", "-o", "json"))["items"]
    assert {item["metadata"]["name"] for item in found} >= writer.acknowledged
    assert writer.longest < SECONDS_WITHOUT_WRITES
    print(f"{len(writer.acknowledged)} writes, the longest pause {writer.longest:.2f} s")


def test_up_says_that_no_etcd_answers(tmp_path: Path) -> None:
    command = Command(tmp_path / "cluster")
    port = str(free_port())
    done = command.run("up", "--nodes", "0", "--port", str(free_port()), "--store", f"etcd://127.0.0.1:{port}")
    command.run("down", "--purge")
    assert done.returncode == 1
    assert f"etcd at 127.0.0.1:{port}" in done.stdout
    assert "check that most of its members run" in done.stdout
