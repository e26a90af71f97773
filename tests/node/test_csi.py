"""A real CSI driver, run as a process of its own: its volumes in real containers, from claim to deletion."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pybernetes.control.runner import Manager
from pybernetes.controllers.volumes import attachdetach, binder, protection
from pybernetes.lib.entropy import SystemEntropy
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.testing.onenode import FOREVER, NODE, OneNode, shell

pytestmark = pytest.mark.node
EXAMPLE = Path(__file__).parents[2] / "examples" / "csi" / "driver.py"
DRIVER = "shared.csi.pybernetes.io"


@pytest.fixture
async def controllers(world: OneNode) -> AsyncIterator[None]:
    manager = Manager(world.admin, world.clock, SystemEntropy())
    for row in (binder.CONTROLLER, protection.CLAIMS, protection.VOLUMES, attachdetach.CONTROLLER):
        manager.add(row)
    await manager.start()
    yield
    await manager.stop()


class Driver:
    """The example's process for the world's node; ``root`` is where its data lie."""

    def __init__(self, world: OneNode, root: Path, *options: str) -> None:
        arguments = ("--node", NODE, "--kubelet", str(world.config.kubelet), "--root", str(root), *options)
        self.root, self._world = root, world
        self._process = subprocess.Popen([sys.executable, str(EXAMPLE), *arguments])

    async def is_here(self) -> bool:
        found = await self._world.admin.find(volumes.CSI_NODES, NODE)
        return any(d["name"] == DRIVER for d in objects.get(found, "spec", "drivers", default=()))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


async def furnish(world: OneNode, *, attach: bool) -> None:
    """The driver's own object, and a class of its volumes."""
    group = {"apiVersion": "storage.k8s.io/v1"}
    marks = {"annotations": {volumes.BUILTIN_SIDECARS: "builtin"}}
    modes = ["Persistent", "Ephemeral"]
    spec = {"attachRequired": attach, "podInfoOnMount": True, "volumeLifecycleModes": modes}
    config = {**group, "kind": "CSIDriver", "metadata": {"name": DRIVER, **marks}, "spec": spec}
    await world.admin.create(volumes.CSI_DRIVERS, config)
    made = {**group, "kind": "StorageClass", "metadata": {"name": "shared"}, "provisioner": DRIVER}
    await world.admin.create(volumes.CLASSES, {**made, "allowVolumeExpansion": True})


async def claim(world: OneNode, name: str) -> None:
    asked = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "shared",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await world.create(volumes.CLAIMS, "PersistentVolumeClaim", name, spec=asked)


async def bound(world: OneNode, name: str) -> Obj:
    async def look() -> Obj | None:
        found = await world.admin.get(volumes.CLAIMS, name, "default")
        return found if volumes.phase(found) == "Bound" else None

    found: Obj = await world.eventually(look)
    return found


def mounting(name: str, **more: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": name, **more}}]}


MOUNTED: dict[str, Any] = {"volumeMounts": [{"name": "v", "mountPath": "/data"}]}


@pytest.mark.parametrize("attach", [False, True])
async def test_a_driver_makes_shows_and_deletes_volumes(
    world: OneNode, controllers: None, tmp_path: Path, attach: bool
) -> None:
    await furnish(world, attach=attach)
    driver = Driver(world, tmp_path / "shared", *(["--attach"] if attach else []))
    try:
        await world.eventually(driver.is_here)
        await claim(world, "data")
        volume = (await bound(world, "data"))["spec"]["volumeName"]
        await world.pod("writer", shell("c", f"echo hello > /data/file; {FOREVER}", **MOUNTED), **mounting("data"))
        await world.ready("writer")
        await world.eventually((driver.root / volume / "file").exists)
        await world.pod("reader", shell("c", FOREVER, **MOUNTED), **mounting("data", readOnly=True))
        reader = await world.ready("reader")
        assert await world.run_in(reader, "c", "cat", "/data/file") == "hello\n"
        assert bool(list(driver.root.glob("*@node-1"))) is attach

        for name in ("writer", "reader"):
            await world.delete(name)
        await world.admin.delete(volumes.CLAIMS, "data", "default")

        async def is_gone() -> bool:
            return await world.admin.find(volumes.VOLUMES, volume) is None

        await world.eventually(is_gone)
        assert not (driver.root / volume).exists()
        assert not (await world.admin.list(volumes.ATTACHMENTS))["items"]
        assert not list((world.config.kubelet / "plugins" / "kubernetes.io").rglob("globalmount"))
    finally:
        driver.stop()


async def test_a_volume_that_a_pod_describes_lives_as_long_as_the_pod(world: OneNode, tmp_path: Path) -> None:
    await furnish(world, attach=False)
    driver = Driver(world, tmp_path / "shared")
    try:
        await world.eventually(driver.is_here)
        inline = {"volumes": [{"name": "v", "csi": {"driver": DRIVER}}]}
        await world.pod("p", shell("c", f"echo hello > /data/file; {FOREVER}", **MOUNTED), **inline)
        pod = await world.ready("p")
        assert await world.run_in(pod, "c", "cat", "/data/file") == "hello\n"
        await world.delete("p")
        await world.eventually(lambda: not list(driver.root.glob("csi-*")))
    finally:
        driver.stop()


async def test_a_driver_that_is_not_there_is_named_and_waited_for(
    world: OneNode, controllers: None, tmp_path: Path
) -> None:
    await furnish(world, attach=False)
    source = {"csi": {"driver": DRIVER, "volumeHandle": "static"}}
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "shared", **source}
    await world.admin.create(
        volumes.VOLUMES, {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec}
    )
    await claim(world, "data")
    await bound(world, "data")
    await world.pod("p", shell("c", FOREVER, **MOUNTED), **mounting("data"))
    assert await world.said("p", f"driver name {DRIVER} not found in the list of registered CSI drivers")
    (tmp_path / "shared" / "static").mkdir(parents=True)
    driver = Driver(world, tmp_path / "shared")
    try:
        await world.ready("p")
        await world.delete("p")
    finally:
        driver.stop()
